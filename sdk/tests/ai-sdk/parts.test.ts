// A stream of the AI SDK, through the agent's codec into messages and back: as chunks it gives what
// the AI SDK itself makes of the original, in both versions; as UI messages, too.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import * as six from "ai-6";
import { Chunks } from "../../src/ai-sdk/chunks.ts";
import { toData, toUIMessages } from "../../src/ai-sdk/index.ts";
import type { Message, Turn } from "../../src/protocol/index.ts";
import { CodecLog } from "./codec-log.ts";

const STREAM: UIMessageChunk[] = [
  { type: "start" },
  { type: "start-step" },
  { type: "reasoning-start", id: "r" },
  { type: "reasoning-delta", id: "r", delta: "Let me " },
  { type: "reasoning-delta", id: "r", delta: "look 🔎" },
  { type: "reasoning-end", id: "r", providerMetadata: { maker: { signature: "abc" } } },
  { type: "tool-input-start", toolCallId: "c1", toolName: "weather" },
  { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '{"city":' },
  { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '"Oslo"}' },
  { type: "tool-input-available", toolCallId: "c1", toolName: "weather", input: { city: "Oslo" } },
  { type: "tool-output-available", toolCallId: "c1", output: { degrees: -3 } },
  {
    type: "tool-input-available",
    toolCallId: "c2",
    toolName: "map",
    input: { zoom: 2 },
    dynamic: true,
  },
  { type: "tool-output-error", toolCallId: "c2", errorText: "no map", dynamic: true },
  { type: "finish-step" },
  { type: "start-step" },
  { type: "source-url", sourceId: "s1", url: "https://a.example/", title: "A" },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "It is " },
  { type: "text-delta", id: "t", delta: "cold." },
  { type: "text-end", id: "t" },
  { type: "data-map", id: "m", data: { x: 1 } },
  { type: "file", url: "data:text/plain,x", mediaType: "text/plain" },
  { type: "finish-step" },
  { type: "finish", finishReason: "stop", messageMetadata: { model: "mock" } },
];

function turn(status: Turn["status"]): Turn {
  return { id: "t1", status, attempt: 1, createdAt: 0 };
}

function next(told: Chunks, messages: readonly Message[], status: Turn["status"]) {
  const turns = [turn(status)];
  return told.next({ messages, turns }, turns);
}

/** The chunks for a page that sees every `step`th state. */
function chunks(step: number, end: Turn["status"] = "complete"): UIMessageChunk[] {
  const log = new CodecLog();
  const told = new Chunks("t1");
  const given = STREAM.flatMap((chunk, index) => {
    log.take(chunk);
    return index % step === 0 ? next(told, log.messages, "active") : [];
  });
  given.push(...next(told, log.messages, end));
  return given as unknown as UIMessageChunk[];
}

function streamOf<T>(parts: readonly T[]): ReadableStream<T> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

async function read(parts: readonly UIMessageChunk[]): Promise<UIMessage | undefined> {
  let last: UIMessage | undefined;
  for await (const message of readUIMessageStream({ stream: streamOf(parts) })) last = message;
  return last;
}

async function readBySix(parts: readonly UIMessageChunk[]): Promise<unknown> {
  let last: unknown;
  const stream = streamOf(parts) as ReadableStream<six.UIMessageChunk>;
  for await (const message of six.readUIMessageStream({ stream })) last = message;
  return last;
}

describe("a stream of the AI SDK through a session", () => {
  for (const step of [1, 2, 5, 100]) {
    test(`as chunks, seen at every ${step}. change, it is the same message`, async () => {
      const wanted = await read(STREAM);
      assert.deepEqual({ ...(await read(chunks(step))), id: wanted?.id }, wanted);
      const six = (await readBySix(STREAM)) as UIMessage;
      assert.deepEqual({ ...((await readBySix(chunks(step))) as UIMessage), id: six.id }, six);
    });
  }

  test("as a UI message it is what the AI SDK makes of it", async () => {
    const log = new CodecLog();
    for (const chunk of STREAM) log.take(chunk);
    const [message] = toUIMessages(log);
    const wanted = await read(STREAM);
    assert.deepEqual(JSON.parse(JSON.stringify({ ...wanted, id: "t1" })), message);
  });

  test("every chunk comes once, the first says which message it is", () => {
    const given = chunks(1);
    assert.deepEqual(given[0], { type: "start", messageId: "t1" });
    const deltas = given.filter(({ type }) => type === "text-delta");
    assert.equal(deltas.map((chunk) => (chunk as { delta: string }).delta).join(""), "It is cold.");
    assert.equal(given.filter(({ type }) => type === "finish").length, 1);
  });

  test("a cancelled turn was interrupted, a failed one is an error", () => {
    assert.deepEqual(chunks(1, "cancelled").at(-1), {
      type: "finish",
      finishReason: "interrupted",
    });
    assert.equal(chunks(1, "failed").at(-1)?.type, "error");
  });

  test("a person's message is text where it can be", () => {
    const message: UIMessage = { id: "1", role: "user", parts: [{ type: "text", text: "hi" }] };
    assert.equal(toData(message), "hi");
    const two: UIMessage = { ...message, parts: [...message.parts, ...message.parts] };
    assert.deepEqual(toData(two), { parts: two.parts });
  });
});
