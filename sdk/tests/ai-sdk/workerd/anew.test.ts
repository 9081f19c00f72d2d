// An answer that another process of the agent begins anew: the chat shows what that one says, and
// nothing of it twice.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Chat } from "@ai-sdk/react";
import type { UIMessage, UIMessageChunk } from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { type AgentSession, createAgentSession } from "../../../src/agent/index.ts";
import { followChat, SessileChatTransport, streamToTurn } from "../../../src/ai-sdk/index.ts";

const fixture = useServer();
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
});

/** A step in which something is said. */
function step(text: string): UIMessageChunk[] {
  return [
    { type: "start-step" },
    { type: "text-start", id: "0" },
    { type: "text-delta", id: "0", delta: text },
    { type: "text-end", id: "0" },
    { type: "finish-step" },
  ];
}

const FINISH: UIMessageChunk = { type: "finish", finishReason: "stop" };

async function* source(chunks: readonly UIMessageChunk[], isWhole: boolean) {
  yield* chunks;
  if (!isWhole) await new Promise(() => {});
}

function agent(session: string): AgentSession {
  const joined = createAgentSession({
    url: fixture.server.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
  });
  ends.push(() => joined.close());
  return joined;
}

function page(session: string) {
  const transport = new SessileChatTransport({
    url: fixture.server.url,
    token: () => makeToken({ sub: "ann", caps: { "*": ["user"] } }),
  });
  ends.push(() => transport.close());
  return { transport, chat: new Chat<UIMessage>({ id: session, transport }) };
}

function partsOf(chat: Chat<UIMessage>): string[] {
  const parts = chat.messages.at(-1)?.parts ?? [];
  return parts.map((part) => (part.type === "text" ? part.text : part.type));
}

/** A question whose answer breaks off after two steps, and is begun anew by another process. */
async function begunAnew(session: string, { transport, chat }: ReturnType<typeof page>) {
  const asking = chat.sendMessage({ text: "go" });
  const input = await until(
    () => transport.use(session).session.log.at(0)?.serial,
    (serial) => serial !== undefined,
    "the question",
  );
  const first = await agent(session).startTurn({ input: input as string });
  const begin: UIMessageChunk[] = [{ type: "start" }, ...step("One"), ...step("two")];
  streamToTurn(first, source(begin, false)).catch(() => {});
  await until(
    () => partsOf(chat).join(),
    (parts) => parts === "step-start,One,step-start,two",
    "the first attempt",
  );
  const second = await agent(session).adopt(first.id);
  const again: UIMessageChunk[] = [{ type: "start" }, ...step("Another"), ...step("end"), FINISH];
  await streamToTurn(second, source(again, true));
  await second.end();
  await within(asking, "the stream to end");
}

const WANTED = "step-start,Another,step-start,end";

describe("an answer that is begun anew", () => {
  test("is shown anew by a chat that follows its session", async () => {
    const session = fixture.session("anew");
    const { transport, chat } = page(session);
    const end = followChat(transport, session, {
      setMessages: (change) => {
        chat.messages = change(chat.messages);
      },
      resumeStream: () => chat.resumeStream(),
    });
    ends.push(end);
    await begunAnew(session, { transport, chat });
    await until(
      () => [partsOf(chat).join(), chat.status, chat.messages.length] as const,
      ([parts, status, count]) => parts === WANTED && status === "ready" && count === 2,
      "the second attempt, and only that",
    );
  });

  test("is an error of a chat that does not, which says what shows it", async () => {
    const session = fixture.session("anew");
    const { transport, chat } = page(session);
    await begunAnew(session, { transport, chat });
    assert.equal(chat.status, "error");
    assert.match(chat.error?.message ?? "", /begun anew.*resumeStream/);
  });
});
