// TanStack AI's chat on a session: the `ChatClient` that `useChat` drives, and a real session and
// agent behind it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { aiSdk } from "../../../src/agent/codec/ai-sdk.ts";
import { ANSWER, joinAgent } from "../../ai-sdk/agent.ts";
import { hasBegun, isReady, type Page, Pages, shows, textsOf } from "./pages.ts";

const fixture = serve();
const pages = new Pages(fixture);

type Loose = Record<string, unknown>;

function agent(session: string, delayMs = 5): { calls: number } {
  const joined = joinAgent(fixture.server.url, session, delayMs);
  pages.atEnd(joined.close);
  return joined;
}

const ANSWERED = ["user: Hello", `assistant: ${ANSWER}`];

describe("sessileConnection with @tanstack/ai-client", () => {
  test("an answer streams into the chat that asked and into one that is live", async () => {
    const session = fixture.session();
    const seen = agent(session);
    const [one, two] = [pages.page(session), pages.live(session, { sub: "bob" })];
    await within(one.chat.sendMessage("Hello"), "the answer");
    assert.deepEqual(textsOf(one), ANSWERED);
    assert.equal(one.chat.getStatus(), "ready");
    await shows(two, ANSWERED, "the other page to have it");
    await isReady(two, "it to be ready");
    const ids = ({ chat }: Page) => chat.getMessages().map(({ id }) => id);
    assert.deepEqual(ids(one), ids(two));
    assert.equal(seen.calls, 1);
  });

  test("both ask one after the other, and each shows all of it", async () => {
    const session = fixture.session();
    agent(session);
    const [one, two] = [pages.live(session), pages.live(session, { sub: "bob" })];
    await within(one.chat.sendMessage("Hello"), "the first answer");
    await shows(two, ANSWERED, "the other page to have it");
    await isReady(two, "it to be ready");
    await within(two.chat.sendMessage("Hello"), "the second answer");
    const all = [...ANSWERED, ...ANSWERED];
    assert.deepEqual(textsOf(two), all);
    await shows(one, all, "the first page to have all");
    for (const it of [one, two]) {
      await isReady(it, "both to be ready");
      assert.equal(it.chat.getSessionGenerating(), false);
    }
  });

  test("reloaded in mid-answer: hydrated and joined, nothing twice", async () => {
    const session = fixture.session();
    const seen = agent(session, 20);
    const one = pages.page(session);
    const asking = one.chat.sendMessage("Hello");
    await hasBegun(one);
    one.chat.stop();
    one.connection.close();
    await asking;
    const two = pages.hydrated(session);
    await shows(two, ANSWERED, "the rest");
    await until(
      () => two.chat.getIsLoading(),
      (is) => !is,
      "the run to be over",
    );
    assert.equal(seen.calls, 1, "the model was called once");
    const three = pages.hydrated(session);
    three.chat.subscribe();
    await shows(three, ANSWERED, "a page that comes after it to have it");
  });

  test("hydrated and live at once: the run that is joined is told once", async () => {
    const session = fixture.session();
    agent(session, 20);
    const one = pages.page(session);
    const asking = one.chat.sendMessage("Hello");
    await hasBegun(one);
    const two = pages.hydrated(session);
    two.chat.subscribe();
    await within(asking, "the answer");
    await shows(two, ANSWERED, "the second page to have it");
    await within(one.chat.sendMessage("Hello"), "another answer");
    await shows(two, [...ANSWERED, ...ANSWERED], "the second page to follow");
  });

  test("stop lets go; cancel ends the answer on every device", async () => {
    const session = fixture.session();
    const seen = agent(session, 40);
    const [one, two] = [pages.live(session), pages.live(session, { sub: "bob" })];
    const asking = one.chat.sendMessage("Hello");
    await hasBegun(two);
    one.chat.stop();
    await asking;
    const before = textsOf(two).at(-1)?.length ?? 0;
    await until(
      () => textsOf(two).at(-1)?.length ?? 0,
      (length) => length > before,
      "the answer to go on although one page stopped",
    );
    await two.connection.cancel(undefined, "enough");
    await isReady(two, "the end");
    const told = textsOf(two);
    assert.ok(ANSWERED[1]?.startsWith(told[1] ?? "-") && told[1] !== ANSWERED[1], told[1]);
    await shows(one, told, "both to show the same");
    assert.equal(seen.calls, 1);
    const turn = two.connection.session.turns.at(-1);
    assert.equal(turn?.status, "cancelled");
    assert.equal(turn?.cancel?.by, "bob");
  });

  test("an abort cancels where that was asked for", async () => {
    const session = fixture.session();
    agent(session, 40);
    const one = pages.live(session, { onAbort: "cancel" });
    const asking = one.chat.sendMessage("Hello");
    await hasBegun(one);
    one.chat.stop();
    await asking;
    await until(
      () => one.connection.session.turns.at(-1)?.status,
      (status) => status === "cancelled",
      "the turn to be cancelled",
    );
  });

  test("regenerated: another answer in place of the first, on both pages", async () => {
    const session = fixture.session();
    const answers = pages.scripted(session, (turn) => turn.message(ANSWER));
    const [one, two] = [pages.live(session), pages.live(session, { sub: "bob" })];
    await within(one.chat.sendMessage("Hello"), "the answer");
    await shows(two, ANSWERED, "the other page to have it");
    await within(one.chat.reload(), "another answer");
    assert.equal(answers.length, 2);
    assert.deepEqual(textsOf(one), ANSWERED);
    const ids = ({ chat }: Page) =>
      chat
        .getMessages()
        .map(({ id }) => id)
        .join();
    await until(
      () => ids(two),
      (shown) => shown === ids(one),
      "the other page to show the new one",
    );
    await shows(two, ANSWERED, "the other page to have it");
  });

  test("history comes in pages", async () => {
    const session = fixture.session();
    agent(session);
    const one = pages.page(session);
    for (const text of ["one", "two", "three"]) {
      await within(one.chat.sendMessage(text), `the answer to ${text}`);
    }
    const all = textsOf(one);
    assert.equal(all.length, 6);
    const two = pages.hydrated(session, { history: { pageSize: 4 } });
    await shows(two, all.slice(2), "the newest page");
    assert.ok(two.chat.getHasOlderMessages());
    await two.chat.loadOlderMessages();
    assert.deepEqual(textsOf(two), all);
    assert.ok(!two.chat.getHasOlderMessages());
  });
});

const CHUNKS = [
  { type: "start" },
  { type: "start-step" },
  { type: "reasoning-start", id: "r" },
  { type: "reasoning-delta", id: "r", delta: "Let me " },
  { type: "reasoning-delta", id: "r", delta: "think." },
  { type: "reasoning-end", id: "r" },
  { type: "text-start", id: "a" },
  { type: "text-delta", id: "a", delta: "I look it up." },
  { type: "text-end", id: "a" },
  { type: "tool-input-start", toolCallId: "c1", toolName: "weather" },
  { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '{ "city": "Pa' },
  { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: 'ris" }' },
  { type: "tool-input-available", toolCallId: "c1", toolName: "weather", input: { city: "Paris" } },
  { type: "tool-output-available", toolCallId: "c1", output: { degrees: 21 } },
  { type: "finish-step" },
  { type: "start-step" },
  { type: "text-start", id: "b" },
  { type: "text-delta", id: "b", delta: "It is 21 degrees." },
  { type: "text-end", id: "b" },
  { type: "data-weather", data: { degrees: 21 } },
  { type: "finish-step" },
  { type: "finish", finishReason: "stop" },
];

describe("what an answer consists of", () => {
  test("reasoning, calls and their results are the same live, reloaded and late", async () => {
    const session = fixture.session();
    pages.scripted(session, (turn) => turn.stream(CHUNKS, aiSdk()));
    const custom: string[] = [];
    const onCustomEvent = (name: string) => custom.push(name);
    const [one, two] = [pages.page(session, { onCustomEvent }), pages.live(session)];
    await within(one.chat.sendMessage("Hello"), "the answer");
    const parts = one.chat.getMessages()[1]?.parts ?? [];
    const kinds = parts.map(({ type }) => type);
    assert.deepEqual(kinds, ["thinking", "text", "tool-call", "tool-result", "text"]);
    const said = JSON.parse(JSON.stringify(parts));
    assert.equal(said[0].content, "Let me think.");
    assert.equal(said[1].content, "I look it up.");
    assert.deepEqual(JSON.parse(said[2].arguments), { city: "Paris" });
    assert.deepEqual(said[2].input, { city: "Paris" });
    assert.deepEqual([said[2].state, said[2].output], ["complete", { degrees: 21 }]);
    assert.equal(said[4].content, "It is 21 degrees.");
    assert.ok(custom.includes("data-weather"));
    // Spaces between the tokens of arguments are the model's.
    const plain = (it: Page) =>
      (JSON.parse(JSON.stringify(it.chat.getMessages()[1]?.parts ?? [])) as Loose[]).map(
        (part) => ({
          ...part,
          ...(part.arguments !== undefined && { arguments: JSON.parse(String(part.arguments)) }),
        }),
      );
    const same = (it: Page) =>
      until(
        () => plain(it),
        (shown) => isDeepStrictEqual(shown, plain(one)),
        "the same",
      );
    await same(two);
    await same(pages.live(session));
    await same(pages.hydrated(session));
  });

  test("a failed answer is an error", async () => {
    const session = fixture.session();
    pages.scripted(session, async (turn) => {
      await turn.message("Well");
      throw new Error("the model is away");
    });
    const one = pages.page(session);
    await within(one.chat.sendMessage("Hello"), "the end");
    assert.equal(one.chat.getStatus(), "error");
    assert.equal(one.chat.getError()?.message, "the model is away");
    assert.deepEqual(textsOf(one), ["user: Hello", "assistant: Well"]);
  });
});
