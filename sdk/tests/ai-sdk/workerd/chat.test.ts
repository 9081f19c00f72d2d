// `useChat` on a session, without React: the `Chat` that the hook drives, of ai@7, and a real
// session behind it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Chat } from "@ai-sdk/react";
import type { UIMessage, UIMessageChunk } from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { createAgentSession } from "../../../src/agent/index.ts";
import { followChat, SessileChatTransport, streamToTurn } from "../../../src/ai-sdk/index.ts";
import { ANSWER, joinAgent } from "../agent.ts";

const fixture = useServer();
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
});

function agent(session: string, delayMs = 5): { calls: number } {
  const joined = joinAgent(fixture.server.url, session, delayMs);
  ends.push(joined.close);
  return joined;
}

interface Page {
  transport: SessileChatTransport;
  chat: Chat<UIMessage>;
  follow(): void;
}

/** A page: a transport of its own, and a chat. */
function page(session: string, sub = "alice"): Page {
  const transport = new SessileChatTransport({
    url: fixture.server.url,
    token: () => makeToken({ sub, caps: { "*": ["user"] } }),
  });
  const chat = new Chat<UIMessage>({ id: session, transport });
  ends.push(() => transport.close());
  return {
    transport,
    chat,
    follow() {
      const end = followChat(transport, session, {
        setMessages: (change) => {
          chat.messages = change(chat.messages);
        },
        resumeStream: () => chat.resumeStream(),
      });
      ends.push(end);
    },
  };
}

function textOf({ messages }: { messages: UIMessage[] }): string[] {
  return messages.map(
    ({ role, parts }) =>
      `${role}: ${parts.map((part) => (part.type === "text" ? part.text : "")).join("")}`,
  );
}

const ANSWERED = ["user: Hello", `assistant: ${ANSWER}`];

describe("SessileChatTransport with ai@7", () => {
  test("an answer streams into the chat that asked, and into one that follows", async () => {
    const session = fixture.session();
    const seen = agent(session);
    const [one, two] = [page(session), page(session)];
    two.follow();
    await within(one.chat.sendMessage({ text: "Hello" }), "the answer");
    assert.deepEqual(textOf(one.chat), ANSWERED);
    assert.equal(one.chat.status, "ready");
    await until(
      () => textOf(two.chat),
      (texts) => texts.join() === ANSWERED.join(),
      "the other page to have it",
    );
    assert.deepEqual(
      one.chat.messages.map(({ id }) => id),
      two.chat.messages.map(({ id }) => id),
    );
    assert.equal(seen.calls, 1);
  });

  test("reloaded in mid-answer: resumed from its beginning, nothing twice", async () => {
    const session = fixture.session();
    const seen = agent(session, 20);
    const one = page(session);
    const asking = one.chat.sendMessage({ text: "Hello" });
    await until(
      () => textOf(one.chat).at(-1) ?? "",
      (text) => text.length > 30,
      "a part of the answer",
    );
    await one.chat.stop();
    one.transport.close();
    await asking;
    const two = page(session);
    await within(two.chat.resumeStream(), "the rest");
    assert.deepEqual(textOf(two.chat).slice(-1), ANSWERED.slice(-1));
    assert.equal(seen.calls, 1, "the model was called once");
  });

  test("cancel stops the answer on every device, whoever asked for it", async () => {
    const session = fixture.session();
    agent(session, 50);
    const [one, two] = [page(session), page(session, "bob")];
    two.follow();
    const asking = one.chat.sendMessage({ text: "Hello" });
    await until(
      () => textOf(two.chat).at(-1) ?? "",
      (text) => text.startsWith("assistant: Here"),
      "a part of the answer",
    );
    await two.transport.cancel(session, "enough");
    await within(asking, "the end");
    const told = textOf(one.chat).at(-1) ?? "";
    assert.ok(ANSWERED[1]?.startsWith(told) && told !== ANSWERED[1], told);
    await until(
      () => textOf(two.chat).join(),
      (text) => text === ["user: Hello", told].join(),
      "both to show the same",
    );
  });

  test("what an agent says in passing reaches the page, and stays nowhere", async () => {
    const session = fixture.session();
    const joined = createAgentSession({
      url: fixture.server.url,
      session,
      token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    });
    ends.push(() => joined.close());
    const { transport } = page(session);
    const heard: unknown[] = [];
    const onData = (part: unknown) => void heard.push(part);
    const chat = new Chat<UIMessage>({ id: session, transport, onData });
    const asking = chat.sendMessage({ text: "Hello" });
    const input = await until(
      () => transport.use(session).session.log.at(0)?.serial,
      (serial) => serial !== undefined,
      "the question",
    );
    const turn = await joined.startTurn({ input: input as string });
    const hint: UIMessageChunk = { type: "data-hint", data: "soon", transient: true };
    await turn.message("Hi");
    await until(
      () => textOf(chat).at(-1),
      (text) => text === "assistant: Hi",
      "the answer to have begun",
    );
    await streamToTurn(turn, new ReadableStream({ start: (it) => it.enqueue(hint) ?? it.close() }));
    await turn.end();
    await within(asking, "the answer");
    assert.deepEqual(heard, [hint]);
    assert.deepEqual(textOf(chat), ["user: Hello", "assistant: Hi"]);
  });
});
