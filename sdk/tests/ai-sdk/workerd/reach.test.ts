// A chat whose session cannot be reached, or that asks for too much, says so and what to do.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Chat } from "@ai-sdk/react";
import type { UIMessage } from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { SessileChatTransport } from "../../../src/ai-sdk/index.ts";
import type { SessileError } from "../../../src/index.ts";
import { ANSWER, joinAgent } from "../agent.ts";

const fixture = useServer();
const ends: (() => unknown)[] = [];
after(() => {
  for (const end of ends) end();
});

interface Where {
  url?: string;
  token?: () => string | Promise<string>;
}

const CAPS = { sub: "ann", caps: { "*": ["user"] } };

function page(session: string, { url = fixture.server.url, token = () => makeToken(CAPS) }: Where) {
  const transport = new SessileChatTransport({ url, token });
  ends.push(() => transport.close());
  return { transport, chat: new Chat<UIMessage>({ id: session, transport }) };
}

/** The error of a chat that asked something. */
async function refused(chat: Chat<UIMessage>, text = "Hello"): Promise<SessileError> {
  await within(chat.sendMessage({ text }), "an error", 10_000);
  assert.equal(chat.status, "error");
  return chat.error as SessileError;
}

describe("a chat that does not reach its session", () => {
  const expired = () => makeToken({ ...CAPS, expiresIn: -3600 });
  const away = () => Promise.reject(new Error("POST /token: 502"));
  const cases: [what: string, where: () => Where, code: string, says: RegExp][] = [
    ["whose tokens have expired", () => ({ token: expired }), "unauthorized", /expired/],
    ["that gets a page for a token", () => ({ token: () => "<html>" }), "token-failed", /JWT/],
    ["whose tokens cannot be had", () => ({ token: away }), "token-failed", /502/],
    [
      "whose token server does not answer",
      () => ({ token: () => fetch("http://127.0.0.1:1/token").then((answer) => answer.text()) }),
      "token-failed",
      /token function failed: TypeError: fetch failed: where it asks nothing answers/,
    ],
    [
      "that is given a session's address",
      () => ({ url: `${fixture.server.url}/v1/sessions/demo` }),
      "",
      /address|url/,
    ],
  ];
  for (const [what, where, code, says] of cases) {
    test(`${what}: an error, soon`, async () => {
      const { chat } = page(fixture.session("reach"), where());
      const error = await refused(chat);
      if (code) assert.equal(error.code, code);
      assert.match(error.message, says);
    });
  }

  test("once it can be reached, what was asked is answered, once", async () => {
    const session = fixture.session("reach");
    const joined = joinAgent(fixture.server.url, session, 1);
    ends.push(joined.close);
    let isGood = false;
    const token = () => (isGood ? makeToken(CAPS) : "<html>");
    const { chat } = page(session, { token });
    await refused(chat);
    isGood = true;
    await within(chat.regenerate(), "the answer");
    const texts = chat.messages.flatMap(({ parts }) => parts.filter(({ type }) => type === "text"));
    assert.deepEqual(
      texts.map((part) => (part as { text: string }).text),
      ["Hello", ANSWER],
    );
    await until(
      () => joined.calls,
      (calls) => calls === 1,
      "one answer",
    );
  });
});

test("a message that is too large is refused at once, and the next is not", async () => {
  const session = fixture.session("large");
  const joined = joinAgent(fixture.server.url, session, 1);
  ends.push(joined.close);
  const { chat } = page(session, {});
  assert.equal((await refused(chat, "x".repeat(2_000_000))).code, "too-large");
  chat.messages = [];
  await within(chat.sendMessage({ text: "Hello" }), "the answer");
  assert.equal(chat.status, "ready");
});
