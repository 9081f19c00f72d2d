import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { aiSdk } from "../../src/agent/codec/ai-sdk.ts";
import { anthropic } from "../../src/agent/codec/anthropic.ts";
import { openAi } from "../../src/agent/codec/openai.ts";
import type { Codec } from "../../src/agent/codec/operation.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const PARTS = 20_000;
/** Of each part, all that may be held is that it was there: most have 1000 characters and more. */
const MOST_BYTES = 500 * PARTS;

const text = (n: number) => `${"x".repeat(1000)}${n}`;
const value = (n: number) => ({ a: text(n) });
const call = (n: number) => ({ toolCallId: `call_${n}`, toolName: "look" });
const available = (n: number) => ({
  type: "tool-input-available",
  ...call(n),
  input: value(n),
  providerMetadata: value(n),
});
const output = (n: number) => ({ type: "tool-output-available", ...call(n), output: text(n) });
const item = (n: number, item: object) => ({
  type: "response.output_item.done",
  sequence_number: n,
  output_index: n,
  item: { id: `item_${n}`, ...item },
});
const created = (n: number) => ({ type: "response.created", response: { id: `resp_${n}` } });
const start = { type: "start-step" };

type Kind = [Codec<never>, (n: number) => object[]];

const KINDS: Record<string, Kind> = {
  "texts of a step": [
    aiSdk(),
    (n) => [
      { type: "text-start", id: `${n}` },
      { type: "text-delta", id: `${n}`, delta: text(n) },
      { type: "text-end", id: `${n}` },
    ],
  ],
  "calls of a step": [aiSdk(), (n) => [available(n), output(n)]],
  "calls of many steps": [aiSdk(), (n) => [start, available(n), output(n)]],
  "calls of many steps that wait": [aiSdk(), (n) => [start, available(n)]],
  approvals: [
    aiSdk(),
    (n) => [
      available(n),
      { type: "tool-approval-request", approvalId: `${n}`, ...call(n), reason: text(n) },
      output(n),
    ],
  ],
  "data that changes": [aiSdk(), (n) => [{ type: "data-x", id: "0", data: text(n) }]],
  "data of many ids": [aiSdk(), (n) => [start, { type: "data-x", id: `${n}`, data: text(n) }]],
  files: [aiSdk(), (n) => [{ type: "file", url: text(n) }]],
  "events of a text": [
    openAi(),
    (n) => [{ type: "response.output_text.delta", sequence_number: n, delta: "word " }],
  ],
  "items of a response": [
    openAi(),
    (n) => [item(n, { type: "message", content: [{ type: "output_text", text: text(n) }] })],
  ],
  responses: [
    openAi(),
    (n) => [
      created(n),
      item(n, { type: "function_call", call_id: `call_${n}`, arguments: text(n) }),
      { type: "response.completed" },
    ],
  ],
  blocks: [
    anthropic(),
    (n) => [
      { type: "content_block_start", index: n, content_block: { type: "text", text: text(n) } },
      { type: "content_block_stop", index: n },
    ],
  ],
  messages: [
    anthropic(),
    (n) => [
      { type: "message_start", message: { id: `msg_${n}` } },
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: `call_${n}`, name: "look", input: value(n) },
      },
      { type: "message_stop" },
    ],
  ],
};

describe("a codec's memory", () => {
  for (const [kind, [codec, parts]] of Object.entries(KINDS)) {
    it(`holds nothing of what has ended: ${kind}`, () => {
      const say = (from: number, until: number) => {
        for (let n = from; n < until; n += 1) for (const part of parts(n)) codec(part as never);
        collect();
        return process.memoryUsage().heapUsed;
      };
      const before = say(0, 1000);
      const bytes = say(1000, 1000 + PARTS) - before;
      assert.ok(bytes < MOST_BYTES, `${bytes} bytes more`);
    });
  }
});
