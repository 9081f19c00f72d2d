// A page that asks an application's own route, whose server answers into the session with what
// `chat()` of TanStack AI streams: every device sees it, and what came of it is plain messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatClient, type ChatClientOptions } from "@tanstack/ai-client";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { getHistory } from "../../../../tests/support/http.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { within } from "../../../../tests/support/wait.ts";
import { agUi, createAgentSession } from "../../../src/agent/index.ts";
import { sessileConnection } from "../../../src/tanstack/index.ts";
import { Pages, shows, textsOf } from "./pages.ts";

const fixture = serve();
const pages = new Pages(fixture);

const WORDS = Array.from({ length: 40 }, (_, n) => `word${n} 🌊 `);

/** The events of a model's run. */
async function* run() {
  const ids = { threadId: "t", runId: "provider-run" };
  yield { type: "RUN_STARTED", ...ids };
  yield { type: "TEXT_MESSAGE_START", messageId: "m1", role: "assistant" };
  for (const delta of WORDS) {
    await new Promise((done) => setTimeout(done, 5));
    yield { type: "TEXT_MESSAGE_CONTENT", messageId: "m1", delta };
  }
  yield { type: "TEXT_MESSAGE_END", messageId: "m1" };
  yield { type: "RUN_FINISHED", ...ids, finishReason: "stop" };
}

test("a page asks by the route and is answered by the session", async (t) => {
  const session = fixture.session();
  const { url } = fixture.server;
  let asked = 0;
  const route = (async (_: unknown, init?: RequestInit) => {
    asked += 1;
    const { input } = JSON.parse(String(init?.body));
    const id = new Headers(init?.headers).get("x-run-id") ?? "";
    const token = () => pages.token("agent", "agent");
    const agent = createAgentSession({ url, session, token });
    t.after(() => agent.close());
    agent.answer({ id, input, again: asked > 1 }, (turn) => turn.stream(run(), agUi()));
    return new Response(null, { status: 202 });
  }) as typeof fetch;
  const token = () => makeToken({ sub: "alice", caps: { "*": ["user"] } });
  const connection = sessileConnection({ url, session, token, api: "/api", fetch: route });
  const options = { connection, threadId: session };
  const chat = new ChatClient(options as unknown as ChatClientOptions);
  t.after(() => {
    chat.dispose();
    connection.close();
  });
  const other = pages.live(session, { sub: "bob" });
  await within(chat.sendMessage("Hello"), "the answer");
  const wanted = ["user: Hello", `assistant: ${WORDS.join("")}`];
  assert.deepEqual(textsOf({ chat }), wanted);
  assert.equal(chat.getStatus(), "ready");
  await shows(other, wanted, "the other device to have it");
  const [turn] = connection.session.turns;
  assert.equal(turn?.input, connection.session.messages[0]?.serial);
  await within(chat.reload(), "another answer");
  assert.deepEqual(textsOf({ chat }), wanted);
  assert.equal(asked, 2);
  const stored = await getHistory(fixture.server, session);
  const texts = stored.filter(({ name }) => name === "message").map(({ data }) => data);
  assert.deepEqual(texts, ["Hello", WORDS.join(""), WORDS.join("")], "as any reader reads it");
});
