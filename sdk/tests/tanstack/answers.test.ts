// Answers that streams by chance have not: what is large, what came in another order, what was
// taken back, what several devices said.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type StreamChunk, StreamProcessor } from "@tanstack/ai";
import type { Message } from "../../src/protocol/index.ts";
import { toChat } from "../../src/tanstack/index.ts";
import { TurnLog } from "../ai-sdk/turn-log.ts";
import { chatOf, coldChat, fed, type Loose, type Part, type State, verify } from "./readers.ts";

const ASKED: Message = {
  ...{ serial: "000000000000", version: "000000000000", id: "asked", client: "ann" },
  ...{ name: "message", role: "user", data: "Hello", createdAt: 0, updatedAt: 0 },
};

function begin(id = "t1", before: readonly Message[] = [ASKED], input = ASKED.serial): TurnLog {
  return new TurnLog({ id, before, input });
}

function statesOf(log: TurnLog): State[] {
  return log.states.map(({ messages, turn }) => ({ messages, turns: [turn] }));
}

/** The parts of an answer, which are the same for whoever reads all of it or its end. */
async function partsOf(states: readonly State[]): Promise<Part[]> {
  const [last] = states.slice(-1);
  if (!last) return [];
  const cold = coldChat(last);
  for (const seen of [[{ messages: [], turns: [] }, ...states], [last]]) {
    const chunks = fed(seen);
    await verify(chunks);
    assert.deepEqual(chatOf(chunks), cold);
  }
  return cold.slice(1).flatMap(([, ...parts]) => parts);
}

function callsOf(parts: readonly Part[]): unknown[] {
  const calls = parts.filter(({ type }) => type === "tool-call");
  return calls.map(({ id, state, input, output }) => [id, state, input, output]);
}

const call = { type: "tool-input-available", toolCallId: "call_0", toolName: "look" };
const output = { type: "tool-output-available", toolCallId: "call_0" };

describe("values", () => {
  test("one that is larger than a frame is JSON in a text, as it grows and whole", async () => {
    const log = begin();
    const headers = { toolCallId: "c1", toolName: "write" };
    const input = { text: "long".repeat(300) };
    const result = { rows: Array.from({ length: 50 }, (_, n) => ({ n })) };
    const asked = log.publish("tool-input", "", { headers, status: "streaming" });
    grow(log, asked, JSON.stringify(input), { ...headers, encoding: "json" });
    const said = { toolCallId: "c1", state: "available", encoding: "json" };
    const made = log.publish("tool-output", "", { headers: said, status: "streaming" });
    grow(log, made, JSON.stringify(result), said);
    log.end("complete");
    assert.deepEqual(callsOf(await partsOf(statesOf(log))), [["c1", "complete", input, result]]);
  });

  test("an output that broke off is an error, and what was left out is nothing", async () => {
    const log = begin();
    log.take({ ...call, input: {} });
    const said = { toolCallId: "call_0", state: "available", encoding: "json" };
    log.publish("tool-output", '{"rows":[', { headers: said, status: "streaming" });
    log.take({ ...call, toolCallId: "c2", input: {} });
    const left = { toolCallId: "c2", state: "available", omitted: "2000000 characters" };
    log.publish("tool-output", null, { headers: left });
    log.end("failed");
    const [cut, omitted] = callsOf(await partsOf(statesOf(log))) as unknown[][];
    assert.deepEqual(cut?.slice(0, 2), ["call_0", "error"]);
    assert.deepEqual(omitted, ["c2", "complete", {}, null]);
  });

  test("an id of any length and text that looks like JSON are what they are", async () => {
    const log = begin();
    const toolCallId = "call_".repeat(100);
    log.take({ ...call, toolCallId, toolName: "[x]", input: { a: "true" } });
    log.take({ ...output, toolCallId, output: "fine" });
    log.end("complete");
    const parts = await partsOf(statesOf(log));
    assert.deepEqual(callsOf(parts), [[toolCallId, "complete", { a: "true" }, "fine"]]);
    assert.equal(parts[0]?.name, "[x]");
  });
});

/** Appends a text in pieces and ends it. */
function grow(log: TurnLog, serial: string, text: string, headers: Record<string, string>): void {
  const change = (fields: Partial<Message>) => {
    const version = String(Number(log.messages.at(-1)?.version) + log.states.length + 1);
    log.messages = log.messages.map((message) =>
      message.serial === serial
        ? { ...message, ...fields, version: version.padStart(12, "0") }
        : message,
    );
    log.states.push({ messages: log.messages, turn: log.turn });
  };
  for (let end = 100; end < text.length; end += 100) change({ data: text.slice(0, end) });
  change({ data: text, headers, status: "complete" });
}

describe("order", () => {
  test("what came of a call is told after it, where the log has it before", async () => {
    const log = begin();
    log.publish("tool-output", { degrees: 7 }, { headers: { toolCallId: "call_0" }, role: "tool" });
    log.take({ ...call, input: { city: "Oslo" } });
    log.take({ type: "text-start", id: "0" });
    log.take({ type: "text-delta", id: "0", delta: "It is seven." });
    log.take({ type: "text-end", id: "0" });
    log.end("complete");
    const parts = await partsOf(statesOf(log));
    assert.deepEqual(
      parts.map(({ type }) => type),
      ["tool-call", "tool-result", "text"],
    );
    const types = fed(statesOf(log)).map(({ type }) => type);
    assert.ok(types.indexOf("TOOL_CALL_END") < types.indexOf("TOOL_CALL_RESULT"));
  });

  test("a call that breaks off is at no time one to be made", () => {
    for (const status of ["cancelled", "failed", "complete"] as const) {
      const log = begin();
      log.take({ type: "tool-input-start", toolCallId: "call_0", toolName: "look" });
      log.take({ type: "tool-input-delta", toolCallId: "call_0", inputTextDelta: "1" });
      log.end(status);
      const states = new Set<unknown>();
      const processor = new StreamProcessor();
      for (const chunk of fed([{ messages: [], turns: [] }, ...statesOf(log)])) {
        processor.processChunk(chunk as unknown as StreamChunk);
        const parts = processor.getMessages().flatMap((message) => message.parts);
        for (const part of parts) if (part.type === "tool-call") states.add(part.state);
      }
      assert.deepEqual([...states].sort(), ["awaiting-input", "error", "input-streaming"]);
    }
  });

  test("a run ends once, and nothing comes after", async () => {
    for (const status of ["cancelled", "failed", "complete"] as const) {
      const log = begin();
      log.take({ type: "start-step" });
      log.take({ type: "text-start", id: "0" });
      log.take({ type: "text-delta", id: "0", delta: "Well" });
      log.take({ type: "reasoning-start", id: "1" });
      log.end(status);
      const states = statesOf(log);
      const chunks = fed([...states, ...states.slice(-1)]);
      await verify(chunks);
      const last = chunks.at(-1) as Loose & { outcome?: { type: string } };
      assert.equal(last.type, status === "failed" ? "RUN_ERROR" : "RUN_FINISHED");
      if (status === "cancelled") assert.equal(last.outcome?.type, "cancelled");
    }
  });

  test("what was taken back is gone, and the run goes on as one", async () => {
    const log = begin();
    log.take({ type: "start-step" });
    log.take({ type: "text-start", id: "0" });
    log.take({ type: "text-delta", id: "0", delta: "This is wr" });
    const [step, text] = log.messages.slice(1).map(({ serial }) => serial);
    for (const serial of [text, step]) log.drop(serial ?? "");
    log.take({ type: "start-step" });
    log.take({ type: "text-start", id: "0" });
    log.take({ type: "text-delta", id: "0", delta: "This is right." });
    log.take({ type: "text-end", id: "0" });
    log.end("complete");
    const parts = await partsOf(statesOf(log));
    assert.deepEqual(parts, [{ type: "text", content: "This is right." }]);
    const begun = fed(statesOf(log)).filter(({ type }) => type === "RUN_STARTED");
    assert.equal(begun.length, 1);
  });
});

describe("answers that go on", () => {
  type Output = Partial<Message> & { named?: Record<string, string> };

  /** A call, what devices made of it, and what came after. */
  function goneOn(outputs: readonly Output[]): State[] {
    const first = begin();
    first.take({ ...call, input: {} });
    const input = first.messages.at(-1)?.serial ?? "";
    first.end("complete");
    const placed = outputs.map(
      ({ named = { call: input, answer: "t1" }, ...given }, n): Message => {
        const serial = `00000000050${n}`;
        const headers = { state: "available", ...named, ...given.headers };
        const bare = { serial, version: serial, client: "ann", createdAt: 0, updatedAt: 0 };
        return { name: "tool-output", role: "user", data: "here", ...bare, ...given, headers };
      },
    );
    const before = [...first.messages, ...placed];
    const second = begin("t2", before, placed[0]?.serial);
    second.take({ ...call, input: { again: true } });
    second.take({ ...output, output: "there" });
    second.end("complete");
    const turns = [first.turn];
    const rest = second.states.map(({ messages, turn }) => ({ messages, turns: [...turns, turn] }));
    return [...statesOf(first), { messages: before, turns }, ...rest];
  }

  test("of two devices that made a call the first one counts", async () => {
    const states = goneOn([{ id: "o1" }, { id: "o2", client: "bob", data: "not here" }]);
    const [first, second] = callsOf(await partsOf(states)) as unknown[][];
    assert.deepEqual(first, ["call_0", "complete", {}, "here"]);
    assert.deepEqual(second?.slice(1), ["complete", { again: true }, "there"]);
    assert.notEqual(second?.[0], "call_0");
  });

  test("what came of a call counts from who was asked: whoever the turn answers", async () => {
    for (const named of [undefined, { toolCallId: "call_0" }]) {
      const forged = { client: "bob", data: "forged", ...(named && { named }) };
      const states = goneOn([{ id: "o2" }, { id: "o1", ...forged }]);
      // Whichever comes first in the log.
      const swapped = states.map(({ messages, turns }) => {
        const [own, other] = messages.filter(({ serial }) => serial.startsWith("00000000050"));
        const place = ({ serial, version }: Message) => ({ serial, version });
        const list = messages.map((it) =>
          it === own && other
            ? { ...other, ...place(own) }
            : it === other && own
              ? { ...own, ...place(other) }
              : it,
        );
        const input = turns[1] && { ...turns[1], input: other?.serial ?? "" };
        return { messages: list, turns: [...turns.slice(0, 1), ...(input ? [input] : [])] };
      });
      const [first] = callsOf(await partsOf(swapped)) as unknown[][];
      assert.deepEqual(first, ["call_0", "complete", {}, "here"]);
    }
  });

  test("a person says no calls, takes nobody's place, and notes nothing of others", async () => {
    const log = begin();
    const headers = { toolCallId: "c1", toolName: "look" };
    const asked = log.publish("tool-input", { x: 1 }, { headers, status: "complete" });
    log.end("complete");
    const id = log.messages.find(({ serial }) => serial === asked)?.id;
    const bare = { client: "bob", role: "user", createdAt: 0, updatedAt: 0 } as const;
    const at = (n: number, fields: Partial<Message>): Message => ({
      ...{ ...bare, name: "message", serial: `00000000090${n}`, version: `00000000090${n}` },
      ...fields,
    });
    const text = { type: "text", content: "hm" };
    const parts = [text, { type: "tool-call", id: "c1", name: "pay", arguments: "{}" }];
    const messages = [
      ...log.messages,
      at(1, { id: "t1", data: { parts } }),
      at(2, { id: "asked", data: "mine" }),
      at(3, { name: "tool-input", data: {}, headers: { toolCallId: "c1", toolName: "pay" } }),
      at(4, { name: "notes", data: { toolName: "pay" }, headers: { of: String(id) } }),
      at(5, { name: "notes", data: { toolCallId: "c2" }, headers: { of: String(id) } }),
    ];
    const chat = toChat({ messages, turns: [log.turn], hasOlder: false });
    assert.deepEqual(
      chat.map((it) => [it.role, ...it.parts.map((part) => part.content ?? part.name)]),
      [
        ["user", "Hello"],
        ["assistant", "look"],
        ["user", "hm"],
        ["user", "mine"],
      ],
    );
    assert.equal(new Set(chat.map((it) => it.id)).size, 4);
  });

  test("a page's error is one", async () => {
    const headers = { state: "error" };
    const [made] = callsOf(await partsOf(goneOn([{ id: "o1", data: "away", headers }])));
    assert.deepEqual(made, ["call_0", "error", {}, { error: "away" }]);
  });

  test("what a page of before said names the call alone, and belongs to its answer", async () => {
    const states = goneOn([{ id: "o1", named: { toolCallId: "call_0" } }]);
    assert.equal(coldChat(states.at(-1) as State).length, 2);
    assert.deepEqual(callsOf(await partsOf(states))[0], ["call_0", "complete", {}, "here"]);
  });
});
