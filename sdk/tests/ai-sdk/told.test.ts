// The chunks that readers of an answer are told when it does not simply grow: it is begun anew, it
// waits for the page, it goes on in another turn.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Chunks } from "../../src/ai-sdk/chunks.ts";
import { toUIMessages } from "../../src/ai-sdk/index.ts";
import type { Held } from "../../src/answer/answers.ts";
import type { Message, Turn } from "../../src/protocol/index.ts";
import type { Chunk } from "./random-stream.ts";
import { readBySeven, shown } from "./reference.ts";
import { TurnLog, type TurnLogOptions } from "./turn-log.ts";

const START: Chunk[] = [{ type: "start" }, { type: "start-step" }];
const END: Chunk[] = [{ type: "finish-step" }, { type: "finish", finishReason: "stop" }];

function words(id: string, ...texts: string[]): Chunk[] {
  const deltas = texts.map((delta) => ({ type: "text-delta", id, delta }));
  return [{ type: "text-start", id }, ...deltas, { type: "text-end", id }];
}

function call(toolCallId: string): Chunk {
  return { type: "tool-input-available", toolCallId, toolName: "pick", input: { of: toolCallId } };
}

function said(chunks: readonly Chunk[], options?: TurnLogOptions): TurnLog {
  const log = new TurnLog(options);
  for (const chunk of chunks) log.take(chunk);
  return log;
}

function next(chunks: Chunks, ...logs: [...TurnLog[], TurnLog]): Chunk[] {
  const last = logs.at(-1) as TurnLog;
  const turns = logs.map(({ turn }) => turn);
  return chunks.next({ messages: last.messages, turns }, [last.turn]);
}

function typesOf(chunks: readonly Chunk[]): string[] {
  return chunks.map(({ type }) => type);
}

/** The message that a page publishes of a call, as it stands in the log. */
function result(log: TurnLog, name: string, data: unknown, of: Message, more = {}): string {
  const headers = { call: of.serial, answer: log.turn.id, state: "available", ...more };
  return log.publish(name, data, {
    role: "user",
    client: "ann",
    turn: undefined as never,
    headers,
  });
}

function inputs({ messages }: TurnLog): Message[] {
  return messages.filter(({ name }) => name === "tool-input");
}

describe("an answer that is begun anew", () => {
  test("in its only step: the step is taken back, and told once more", async () => {
    const log = said([...START, ...words("0", "Hel")]);
    const chunks = new Chunks("t1");
    const first = next(chunks, log);
    for (const { serial } of log.messages) log.drop(serial);
    for (const chunk of [...START, ...words("0", "Hello"), ...END]) log.take(chunk);
    log.end("complete");
    const again = next(chunks, log);
    assert.equal(again[0]?.type, "reset-step");
    const wanted = await readBySeven([...START, ...words("0", "Hello"), ...END]);
    assert.deepEqual(await readBySeven([...first, ...again]), wanted);
  });

  test("before the step that streams: no chunk can say that, and none is given", () => {
    const log = said([...START, ...words("0", "One"), ...START.slice(1), ...words("0", "two")]);
    const chunks = new Chunks("t1");
    next(chunks, log);
    for (const { serial } of log.messages) log.drop(serial);
    assert.deepEqual(next(chunks, log), []);
    assert.equal(chunks.isStale, true);
    assert.deepEqual(next(chunks, log), []);
  });

  test("a step that the source takes back goes, and what was before it stays", async () => {
    const before = [...START, ...words("0", "One"), { type: "finish-step" }, ...START.slice(1)];
    const log = said([...before, ...words("0", "tw")]);
    const chunks = new Chunks("t1");
    const first = next(chunks, log);
    log.drop(log.messages.at(-1)?.serial ?? "");
    for (const chunk of [...words("0", "two"), ...END]) log.take(chunk);
    log.end("complete");
    const wanted = await readBySeven([...before, ...words("0", "two"), ...END]);
    assert.deepEqual(await readBySeven([...first, ...next(chunks, log)]), wanted);
  });

  test("history that comes to be known before what was told is not told after it", () => {
    const log = said([...START, ...words("0", "One"), ...words("1", "two")]);
    const chunks = new Chunks("t1");
    const turns = [log.turn];
    const messages = log.messages.filter(({ data }) => data !== "One");
    chunks.next({ messages, turns }, turns);
    assert.deepEqual(next(chunks, log), []);
    assert.equal(chunks.isStale, true);
  });
});

describe("the order of what is told", () => {
  test("a step ends after the texts that ended with it", () => {
    const log = said([...START, ...words("0", "One").slice(0, 2)]);
    const chunks = new Chunks("t1");
    next(chunks, log);
    for (const chunk of [...words("0", "One").slice(2), { type: "finish-step" }]) log.take(chunk);
    assert.deepEqual(typesOf(next(chunks, log)), ["text-end", "finish-step"]);
  });

  test("reasoning of an id that is open waits, and so does what comes after it", () => {
    const thought = (delta: string) => [
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta },
    ];
    const log = said([...START, ...thought("One")]);
    const open = log.messages.at(-1) as Message;
    log.publish("reasoning", "two", { headers: { part: "0" }, status: "complete" });
    for (const chunk of words("1", "text")) log.take(chunk);
    const chunks = new Chunks("t1");
    const first = next(chunks, log);
    assert.deepEqual(typesOf(first).slice(2), ["reasoning-start", "reasoning-delta"]);
    log.messages = log.messages.map((it) =>
      it.serial === open.serial ? { ...it, status: "complete", version: "9" } : it,
    );
    const types = typesOf(next(chunks, log));
    assert.equal(types.indexOf("reasoning-end") < types.indexOf("reasoning-start"), true);
    assert.equal(types.at(-1), "text-end");
  });

  test("of two open texts of one id none waits: they are told apart", async () => {
    const log = said([...START, ...words("0", "One").slice(0, 2), ...words("0", "two")]);
    const types = typesOf(next(new Chunks("t1"), log));
    assert.equal(types.filter((type) => type === "text-start").length, 2);
    log.end("complete");
    const { parts } = await readBySeven(next(new Chunks("t1"), log));
    assert.deepEqual(
      parts.map(({ text }) => text),
      [undefined, "One", "two"],
    );
  });

  test("a step waits until the calls before it are whole", () => {
    const log = said([...START, { type: "tool-input-start", toolCallId: "c", toolName: "add" }]);
    const input = log.messages.at(-1) as Message;
    log.publish("step", { state: "started" });
    const chunks = new Chunks("t1");
    assert.deepEqual(typesOf(next(chunks, log)).slice(1), ["start-step", "tool-input-start"]);
    log.messages = log.messages.map((it) =>
      it.serial === input.serial ? { ...it, data: {}, status: "complete", version: "9" } : it,
    );
    assert.deepEqual(typesOf(next(chunks, log)), ["tool-input-available", "start-step"]);
  });

  test("an output that stands before its call, or before its end, waits for it", () => {
    const log = said(START);
    const headers = { toolCallId: "c", state: "available" };
    log.publish("tool-output", 4, { role: "tool", headers });
    const chunks = new Chunks("t1");
    assert.deepEqual(typesOf(next(chunks, log)), ["start", "start-step"]);
    log.take({ type: "tool-input-start", toolCallId: "c", toolName: "add" });
    assert.deepEqual(typesOf(next(chunks, log)), ["tool-input-start"]);
    log.take({ type: "tool-input-available", toolCallId: "c", toolName: "add", input: { a: 2 } });
    const types = typesOf(next(chunks, log));
    assert.deepEqual(types, ["tool-input-available", "tool-output-available"]);
  });

  test("an input is available once, as a value, also where its end comes in two entries", () => {
    for (const isOld of [false, true]) {
      const log = said([], { isOld });
      const chunks = new Chunks("t1");
      const head = { toolCallId: "c", toolName: "add" };
      for (const chunk of [
        { type: "tool-input-start", ...head },
        { type: "tool-input-delta", toolCallId: "c", inputTextDelta: '{"a":2}' },
        { type: "tool-input-available", ...head, input: { a: 2 } },
      ]) {
        log.take(chunk);
      }
      const given = log.states.flatMap(({ messages, turn }) =>
        chunks.next({ messages, turns: [turn] }, [turn]),
      );
      const available = given.filter(({ type }) => type === "tool-input-available");
      assert.deepEqual(
        available.map(({ input }) => input),
        [{ a: 2 }],
      );
    }
  });

  test("an input that broke off is never available", () => {
    const log = said([
      ...START,
      { type: "tool-input-start", toolCallId: "c", toolName: "add" },
      { type: "tool-input-delta", toolCallId: "c", inputTextDelta: '{"a":2}' },
    ]);
    log.end("cancelled");
    const types = typesOf(next(new Chunks("t1"), log));
    assert.equal(types.includes("tool-input-available"), false);
  });

  test("a value in pieces is told when it is whole, and what comes after it then", () => {
    const log = said(START);
    const status = "streaming" as const;
    const json = JSON.stringify({ type: "data-map", id: "m", data: "x".repeat(20) });
    const serial = log.publish("data-map", json.slice(0, 9), { status });
    for (const chunk of words("0", "after")) log.take(chunk);
    const chunks = new Chunks("t1");
    assert.deepEqual(typesOf(next(chunks, log)), ["start", "start-step"]);
    const whole = { data: json, status: "complete" as const, headers: { encoding: "json" } };
    log.messages = log.messages.map((it) =>
      it.serial === serial ? { ...it, ...whole, version: "9" } : it,
    );
    assert.equal(next(chunks, log)[0]?.type, "data-map");
  });
});

test("what is shown may be changed in place, and the log stays as it is", async () => {
  const log = said([{ type: "data-map", id: "m", data: 1 }]);
  const before = structuredClone(log.messages);
  log.publish("data-map", { type: "data-map", id: "m", data: 2 });
  await readBySeven(next(new Chunks("t1"), log));
  toUIMessages({ messages: log.messages });
  assert.deepEqual(log.messages.slice(0, before.length), before);
});

describe("an answer that goes on", () => {
  /** Two calls for the page, what came of them, and the turn that goes on from there. */
  function continued() {
    const first = said([...START, call("a"), call("b"), ...END]);
    first.end("complete");
    const [a, b] = inputs(first) as [Message, Message];
    result(first, "tool-output", "blue", a, { more: "true" });
    const input = result(first, "tool-output", "red", b);
    const before = first.messages;
    const second = said([...START, ...words("0", "Blue and red.")], { id: "t2", before, input });
    return { first, second, before, a, b };
  }
  const STREAM = [
    ...[...START, call("a"), call("b"), { type: "finish-step" }],
    { type: "tool-output-available", toolCallId: "a", output: "blue" },
    { type: "tool-output-available", toolCallId: "b", output: "red" },
    ...[...START.slice(1), ...words("0", "Blue and red."), ...END],
  ];

  test("is one message, from the log and over a stream that is resumed", async () => {
    const { first, second } = continued();
    const wanted = await readBySeven(STREAM);
    const chunks = next(new Chunks("t1", true), first, second);
    assert.deepEqual(await readBySeven(chunks), wanted);
    const turns = [first.turn, second.turn];
    for (const held of [{ messages: second.messages, turns }, { messages: second.messages }]) {
      const list = toUIMessages(held);
      assert.deepEqual(
        list.map(({ id }) => id),
        ["t1"],
      );
      assert.deepEqual(shown(list[0]), wanted);
    }
  });

  test("a page that resumes does not make the calls again", () => {
    const { first, second } = continued();
    const types = typesOf(next(new Chunks("t1", true), first, second));
    assert.equal(types.includes("tool-input-available"), false);
    const live = typesOf(next(new Chunks("t1"), first, second));
    assert.equal(live.filter((type) => type === "tool-input-available").length, 2);
  });

  test("a page that has what was before is told what is new", () => {
    const { first, second, before } = continued();
    const chunks = new Chunks("t1");
    chunks.next({ messages: before, turns: [first.turn, second.turn] }, []);
    const types = typesOf(next(chunks, first, second));
    assert.deepEqual(types, ["start-step", "text-start", "text-delta", "text-end"]);
  });

  test("of two outputs of one call the first counts, and the calls of others do not", () => {
    const { first, a } = continued();
    result(first, "tool-output", "green", a);
    const stranger = { role: "user" as const, client: "eve", headers: { toolCallId: "a" } };
    first.publish("tool-output", "black", { ...stranger, turn: "t1" });
    first.publish("tool-output", "white", { ...stranger, turn: undefined as never });
    const [message] = toUIMessages({ messages: first.messages, turns: [first.turn] });
    const outputs = message?.parts.map((part) => (part as { output?: unknown }).output);
    assert.deepEqual(outputs, [undefined, "blue", "red"]);
  });

  test("what came of a call counts from who was asked: whoever the turn answers", () => {
    const person = { name: "message", role: "user", createdAt: 0, updatedAt: 0 } as const;
    const asking = (client: string, serial: string): Message => ({
      ...{ ...person, client, serial, version: serial, data: `${client} asks` },
    });
    const asked = [asking("eve", "000000000000"), asking("ann", "000000000001")];
    const first = said([...START, call("a"), ...END], { before: asked, input: "000000000001" });
    first.end("complete");
    const [a] = inputs(first) as [Message];
    const eves = { id: "t9", status: "complete", attempt: 1, createdAt: 0 } as const;
    const outputs = (turns?: Turn[]) =>
      toUIMessages({ messages: first.messages, turns })
        .find(({ id }) => id === "t1")
        ?.parts.map((part) => (part as { output?: unknown }).output)
        .slice(1);
    const forge = (answer: string) => {
      const headers = { call: a.serial, answer, state: "available" };
      const fields = { client: "eve", role: "user", turn: undefined as never, headers } as const;
      return first.publish("tool-output", "forged", fields);
    };
    const turns = [first.turn, { ...eves, input: "000000000000" }];
    const forged = forge("t1");
    forge("t9");
    assert.deepEqual(outputs(turns), [undefined]);
    const second = said([...START], { id: "t2", before: first.messages, input: forged });
    const list = toUIMessages({ messages: second.messages, turns: [...turns, second.turn] });
    assert.equal(list.at(-1)?.id, "t2", "nor does an answer go on from there");
    const headers = { call: a.serial, answer: "t1", state: "available" };
    const own = { client: "ann", role: "user", turn: undefined as never, headers } as const;
    first.publish("tool-output", "ann's", own);
    assert.deepEqual(outputs(turns), ["ann's"]);
    first.messages = first.messages.filter(({ serial }) => serial !== "000000000000");
    assert.deepEqual(outputs(undefined), ["ann's"], "also where only the order tells");
    forge("t1");
    const [question, ...rest] = first.messages as [Message, ...Message[]];
    const spoken = { ...question, client: "eve", serial: "000000000002" };
    const spokenLast = [question, spoken, ...rest].filter(({ data }) => data !== "ann's");
    const isForged = (held: Held) => JSON.stringify(toUIMessages(held)).includes("forged");
    assert.equal(isForged({ messages: spokenLast }), true, "both spoke last");
    assert.equal(isForged({ messages: Object.assign([...spokenLast], { turns }) }), false);
  });

  test("a person says text, files and data, and takes no other's place", () => {
    const person = { name: "message", role: "user", createdAt: 0, updatedAt: 0 } as const;
    const at = (serial: string, client: string, id: string, data: unknown): Message => ({
      ...{ ...person, client, id, serial, version: serial, data },
    });
    const log = said(words("0", "Hello"), { before: [at("000000000000", "ann", "m1", "Hi")] });
    const parts = [
      { type: "text", text: "look" },
      { type: "file", url: "data:,x", mediaType: "text/plain" },
      { type: "data-place", data: 1 },
      { type: "tool-pay", toolCallId: "x", state: "output-available", input: {}, output: "paid" },
      { type: "dynamic-tool", toolName: "pay", toolCallId: "x", state: "input-available" },
      ...[{ type: "reasoning", text: "…" }, { type: "text", text: { not: "text" } }, null],
    ];
    const forged = [
      at("000000000901", "eve", "m1", { parts }),
      { ...at("000000000902", "eve", "e2", "x"), headers: { "ui-id": "t1" } },
    ];
    const list = toUIMessages({ messages: [...log.messages, ...forged], turns: [log.turn] });
    assert.deepEqual(
      list.map(({ id, role }) => [id, role]),
      [
        ...[
          ["m1", "user"],
          ["t1", "assistant"],
        ],
        ...["000000000901", "000000000902"].map((serial) => [serial, "user"]),
      ],
    );
    assert.deepEqual(list[2]?.parts, parts.slice(0, 3));
  });

  test("a call that the page allows is answered, and goes on", async () => {
    const request = { type: "tool-approval-request", approvalId: "ok", toolCallId: "a" };
    const first = said([...START, call("a"), request, ...END]);
    first.end("complete");
    const answer = { approvalId: "ok", approved: true };
    const input = result(first, "tool-approval", answer, inputs(first)[0] as Message);
    const output: Chunk = { type: "tool-output-available", toolCallId: "a", output: 1 };
    const second = said([output], { id: "t2", before: first.messages, input });
    const wanted = await readBySeven([
      ...[...START, call("a"), request],
      { type: "tool-approval-response", ...answer },
      output,
    ]);
    assert.deepEqual(await readBySeven(next(new Chunks("t1"), first, second)), wanted);
    const turns = [first.turn, second.turn];
    const [message] = toUIMessages({ messages: second.messages, turns });
    assert.deepEqual(shown(message), wanted);
  });

  test("a message of a person in between begins another answer", () => {
    const { before, second } = continued();
    const person = { ...(before[0] as Message), serial: "000000000099", turn: undefined as never };
    const asked: Message = { ...person, role: "user", name: "message", data: "And?" };
    const other = said(words("0", "Well."), { id: "t3", before: [...second.messages, asked] });
    const ids = toUIMessages({ messages: other.messages }).map(({ id }) => id);
    assert.deepEqual([ids[0], ids.at(-1)], ["t1", "t3"]);
  });
});
