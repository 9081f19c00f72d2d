// Files in chats of the AI SDK (P11.7): those of people and of models, with the real `ai` package
// and the built Worker.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Chat } from "@ai-sdk/react";
import {
  convertToModelMessages,
  type FileUIPart,
  simulateReadableStream,
  streamText,
  type UIMessage,
} from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { type Fixture, useServer } from "../../../../tests/support/fixture.ts";
import { getHistory } from "../../../../tests/support/http.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { createAgentSession } from "../../../src/agent/index.ts";
import {
  followChat,
  SessileChatTransport,
  streamToTurn,
  toUIMessages,
} from "../../../src/ai-sdk/index.ts";
import { filesOf, modelFiles } from "../../../src/files/index.ts";
import { createSession } from "../../../src/index.ts";
import { say } from "../agent.ts";

type Parts = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"];

const SECRET = { SESSILE_WEBHOOK_SECRETS: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
const fixture = useServer({ files: true, vars: SECRET });
const bare = useServer();
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
});

/** A chat that follows its session, with the files of it. */
function chatOf({ server }: Fixture, session: string, sub: string): Chat<UIMessage> {
  const transport = new SessileChatTransport({
    url: server.url,
    token: () => makeToken({ sub, caps: { "*": ["user"] } }),
    files: filesOf,
  });
  const chat = new Chat<UIMessage>({ id: session, transport });
  const follow = followChat(transport, session, {
    setMessages: (change) => {
      chat.messages = change(chat.messages);
    },
    resumeStream: () => chat.resumeStream(),
  });
  ends.push(follow, () => transport.close());
  return chat;
}

/** An agent whose model says what it is told to, and keeps what it was asked. */
async function answering({ server }: Fixture, session: string, stream: () => Parts) {
  const model = new MockLanguageModelV4({ doStream: async () => ({ stream: stream() }) });
  const agent = createAgentSession({
    url: server.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    onInput: (_, start) => {
      agent
        .answer(start, (turn) =>
          streamToTurn(turn, async (messages) =>
            streamText({ model, messages: await convertToModelMessages(messages) }),
          ),
        )
        .catch((error) => console.error(error));
    },
  });
  ends.push(() => agent.close());
  return model;
}

function dataUrl(bytes: Uint8Array, type: string): string {
  return `data:${type};base64,${Buffer.from(bytes).toString("base64")}`;
}

function filesIn(message: UIMessage | undefined): FileUIPart[] {
  return (message?.parts ?? []).filter((part) => part.type === "file");
}

/** The files that a chat shows in its last message, once all of them are the session's. */
function shownIn(chat: Chat<UIMessage>, role: UIMessage["role"], count: number) {
  return until(
    () => filesIn(chat.messages.findLast((message) => message.role === role)),
    (files) => files.length === count && files.some(({ url }) => url.startsWith("http")),
    `${count} files of the ${role}`,
  );
}

const bytesAt = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());

const BIG = new Uint8Array(100_000).map((_, at) => (at * 7) % 251);
const SMALL = new TextEncoder().encode("small");

describe("files in chats of the AI SDK", () => {
  test("P11.7 a large one is uploaded, is shown on each device, and the model has it", async () => {
    const session = fixture.session();
    const model = await answering(fixture, session, () => say("I see.", 1));
    const [one, two] = [chatOf(fixture, session, "ann"), chatOf(fixture, session, "bob")];
    const files: FileUIPart[] = [
      { type: "file", mediaType: "image/png", filename: "a.png", url: dataUrl(BIG, "image/png") },
      { type: "file", mediaType: "text/plain", url: dataUrl(SMALL, "text/plain") },
    ];
    await within(one.sendMessage({ text: "Look.", files }), "the answer");
    for (const chat of [one, two]) {
      const [big, small] = await shownIn(chat, "user", 2);
      assert.deepEqual([big?.mediaType, big?.filename], ["image/png", "a.png"]);
      assert.deepEqual(await bytesAt(big?.url ?? ""), BIG);
      assert.equal(small?.url, files[1]?.url, "a small one stays in its message");
    }
    const [said] = await getHistory(fixture.server, session);
    assert.ok(JSON.stringify(said).length < 2_000, "the message is short");
    const prompt = JSON.stringify(model.doStreamCalls[0]?.prompt);
    assert.ok(prompt.includes(Buffer.from(BIG).toString("base64")), "the model has its bytes");
    assert.ok(prompt.includes("image/png"));
  });

  test("P11.7 many that are small each do not make a message too long", async () => {
    const session = fixture.session();
    await answering(fixture, session, () => say("Many.", 1));
    const chat = chatOf(fixture, session, "ann");
    const url = dataUrl(BIG.subarray(0, 15_000), "image/png");
    const files = Array.from({ length: 5 }, () => {
      return { type: "file", mediaType: "image/png", url } as const;
    });
    await within(chat.sendMessage({ text: "Look.", files }), "the answer");
    const shown = await shownIn(chat, "user", 5);
    assert.equal(shown.filter((file) => file.url.startsWith("data:")).length, 1);
    for (const file of shown) assert.deepEqual(await bytesAt(file.url), BIG.subarray(0, 15_000));
  });

  test("P11.7 addresses are renewed, others are left, one that is gone is told", async () => {
    const session = fixture.session();
    const token = await makeToken({ sub: "ann", caps: { "*": ["user"] } });
    const page = createSession({ url: fixture.server.url, session, token });
    ends.push(() => page.close());
    await page.connect();
    const { id } = await filesOf(page).upload(new Blob([BIG], { type: "image/png" }));
    const own = (file: string) => ({
      type: "file",
      mediaType: "image/png",
      filename: "a.png",
      url: "https://expired.example/",
      providerMetadata: { sessile: { file } },
    });
    const other = { type: "file", mediaType: "image/png", url: "https://other.example/a.png" };
    const parts = [own(id), own("none"), other];
    page.send({ parts: [...parts, { type: "text", text: "Look." }] });
    const chat = chatOf(fixture, session, "bob");
    const [fresh, gone, kept] = await shownIn(chat, "user", 3).then(() =>
      until(
        () => filesIn(chat.messages[0]),
        ([file]) => file?.url.startsWith("http://") === true,
        "a new address",
      ),
    );
    assert.deepEqual(await bytesAt(fresh?.url ?? ""), BIG);
    assert.equal(gone?.url, "https://expired.example/");
    assert.deepEqual(kept, other);
    const stored = toUIMessages({ messages: page.log, turns: page.turns });
    const [message] = await modelFiles(page, stored);
    const [first, second, third] = message?.parts ?? [];
    assert.equal((first as FileUIPart).url, dataUrl(BIG, "image/png"));
    assert.deepEqual(second, { type: "text", text: '("a.png" is gone.)' });
    assert.deepEqual(third, other);
  });

  test("P11.7 a large image of a model is a file of the session", async () => {
    const session = fixture.session();
    const data = Buffer.from(BIG).toString("base64");
    await answering(fixture, session, () =>
      simulateReadableStream({
        chunks: [
          { type: "stream-start", warnings: [] },
          { type: "file", mediaType: "image/png", data: { type: "data", data } },
          { type: "file", mediaType: "text/plain", data: { type: "data", data: "c21hbGw=" } },
          {
            type: "finish",
            finishReason: { unified: "stop", raw: "stop" },
            usage: {
              inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
              outputTokens: { total: 1, text: 1, reasoning: 0 },
            },
          },
        ],
      }),
    );
    const [one, two] = [chatOf(fixture, session, "ann"), chatOf(fixture, session, "bob")];
    await within(one.sendMessage({ text: "Draw." }), "the answer");
    for (const chat of [one, two, chatOf(fixture, session, "cy")]) {
      const [big, small] = await shownIn(chat, "assistant", 2);
      assert.deepEqual(await bytesAt(big?.url ?? ""), BIG);
      assert.equal(big?.mediaType, "image/png");
      assert.equal(small?.url, "data:text/plain;base64,c21hbGw=");
    }
    const rows = await fixture.server.query(session, "SELECT * FROM message WHERE name='file'");
    assert.equal(rows.length, 2);
    for (const row of rows) assert.ok(JSON.stringify(row).length < 1024, "the row is short");
  });

  test("P11.7 where no files are kept, what fits stays in its message", async () => {
    const session = bare.session();
    await answering(bare, session, () => say("I see.", 1));
    const [one, two] = [chatOf(bare, session, "ann"), chatOf(bare, session, "bob")];
    const url = dataUrl(BIG.subarray(0, 40_000), "image/png");
    const files: FileUIPart[] = [{ type: "file", mediaType: "image/png", url }];
    await within(one.sendMessage({ text: "Look.", files }), "the answer");
    const shown = await until(
      () => filesIn(two.messages[0]),
      (found) => found.length === 1,
      "the file on the other device",
    );
    assert.equal(shown[0]?.url, url);
  });

  test("P11.7 one that the session refuses is the chat's error, and nothing is sent", async () => {
    const session = fixture.session();
    const chat = chatOf(fixture, session, "ann");
    const body = new Uint8Array(26 * 1024 * 1024);
    const url = dataUrl(body, "video/mp4");
    const files: FileUIPart[] = [{ type: "file", mediaType: "video/mp4", url }];
    await within(chat.sendMessage({ text: "Look.", files }), "the refusal");
    assert.match(String(chat.error?.message), /fileBytes/);
    assert.deepEqual(await getHistory(fixture.server, session), []);
  });
});
