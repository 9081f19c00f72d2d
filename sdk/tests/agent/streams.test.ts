import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as ai7 from "ai";
import * as ai6 from "ai-6";
import { aiSdk } from "../../src/agent/codec/ai-sdk.ts";
import { anthropic } from "../../src/agent/codec/anthropic.ts";
import { openAi } from "../../src/agent/codec/openai.ts";
import { feed, run, type Seen } from "./codec.ts";
import * as anthropicEvents from "./streams/anthropic.ts";
import * as openAiEvents from "./streams/openai.ts";
import { answer, anyChunks, Chance, type Chunk, mangled } from "./streams/random.ts";

const SEEDS = Number(process.env.SESSILE_SEEDS ?? 300);

/** All seeds, or the one to be repeated. */
const seeds = process.env.SEED
  ? [Number(process.env.SEED)]
  : Array.from({ length: SEEDS }, (_, seed) => seed);

/** Chunks again of what was stored, as somebody reads it who comes when all is said. */
function chunksOf({ name, data, status, headers = {} }: Seen, all: readonly Seen[]): Chunk[] {
  const { part, state, approvalId: _, ...said } = headers;
  const read = Object.entries(said).map(([key, value]) => {
    if (key === "dynamic" || key === "providerExecuted") return [key, value === "true"];
    return [key, /Metadata$|^citations$/.test(key) ? JSON.parse(value) : value];
  });
  const { inputEncoding, ...notes } = Object.fromEntries(read);
  const fields = Object(data);
  const { toolCallId, toolName } = notes;
  switch (name) {
    case "message":
    case "reasoning": {
      const kind = name === "message" ? "text" : name;
      const delta = String(data);
      const chunks = [
        { type: `${kind}-start`, id: part },
        { type: `${kind}-delta`, id: part, delta },
      ];
      return [...chunks, { type: `${kind}-end`, id: part, ...notes }];
    }
    case "tool-input": {
      const start = { type: "tool-input-start", ...notes, ...(inputEncoding && { inputEncoding }) };
      const grow = { type: "tool-input-delta", toolCallId, inputTextDelta: String(data) };
      if (status === "failed") return data === "" ? [start] : [start, grow];
      if (state === "error") return [start];
      return [{ type: "tool-input-available", ...notes, input: data }];
    }
    case "tool-output": {
      const at = all.findIndex((one) => one.headers === headers);
      const isIts = (one: Seen) =>
        one.name === "tool-input" && one.headers?.toolCallId === toolCallId;
      const input = all.slice(0, at).findLast(isIts);
      const isDynamic = input?.headers?.dynamic === "true" && { dynamic: true };
      const refusal = { type: "tool-input-error", ...notes, ...isDynamic, toolName };
      const refused = { ...refusal, input: input?.data, errorText: data };
      const first = input?.headers?.state === "error" ? [refused] : [];
      if (state === "input-error") return first;
      if (state === "denied") return [{ type: "tool-output-denied", ...notes }];
      const error = { type: "tool-output-error", ...notes, errorText: data };
      if (state === "error") return [...first, error];
      const preliminary = state === "preliminary" && { preliminary: true };
      return [{ type: "tool-output-available", ...notes, output: data, ...preliminary }];
    }
    case "tool-approval": {
      const { requestReason, reason, approved, providerMetadata, ...request } = fields;
      if (state === "requested") return [{ type: "tool-approval-request", ...request, reason }];
      const { approvalId } = request;
      return [
        { type: "tool-approval-request", ...request, reason: requestReason },
        { type: "tool-approval-response", approvalId, approved, reason, providerMetadata },
      ];
    }
    case "step":
      return [{ type: "start-step" }];
    case "response":
      return [{ type: "message-metadata", messageMetadata: fields.metadata }];
    default:
      return [fields];
  }
}

/** The parts that an AI SDK makes of chunks. */
async function partsOf(read: unknown, chunks: readonly Chunk[]): Promise<unknown> {
  const stream = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(structuredClone(chunk));
      controller.close();
    },
  });
  let last: ai7.UIMessage | undefined;
  const all = (read as typeof ai7.readUIMessageStream)({ stream, terminateOnError: true });
  for await (const message of all) last = message;
  return JSON.parse(JSON.stringify({ parts: last?.parts, metadata: last?.metadata }));
}

describe("streams of AI SDK chunks by chance", () => {
  it("keep the rules whatever they are and wherever they are cut", () => {
    for (const seed of seeds) {
      const chunks = anyChunks(seed);
      const cut = new Chance(seed).below(chunks.length + 1);
      try {
        run(aiSdk, chunks);
        run(aiSdk, chunks.slice(0, cut));
        feed(() => aiSdk({ mayEndOpen: true }), chunks.slice(cut), true);
        const whole = answer(seed);
        run(aiSdk, whole.slice(0, new Chance(seed).below(whole.length)));
      } catch (error) {
        throw new Error(`SEED=${seed}`, { cause: error });
      }
    }
  });

  for (const [version, { readUIMessageStream: read }] of Object.entries({ 7: ai7, 6: ai6 })) {
    it(`give ai@${version} the same parts again from what is stored`, async () => {
      for (const seed of seeds) {
        const chunks = answer(seed, { reset: version === "7" });
        const { messages } = run(aiSdk, chunks);
        const again = messages.flatMap((message) => chunksOf(message, messages));
        const [is, was] = [await partsOf(read, again), await partsOf(read, chunks)];
        assert.deepEqual(is, was, `SEED=${seed}`);
      }
    });
  }
});

describe("parts that are none", () => {
  it("give nothing", () => {
    for (const codec of [aiSdk, anthropic, openAi]) {
      const { messages } = run(codec, ["[DONE]", null, undefined, 1] as never[]);
      assert.deepEqual(messages, []);
    }
  });
});

describe("streams of providers as gateways may mangle them", () => {
  const streams = {
    openAi: [openAi, openAiEvents],
    anthropic: [anthropic, anthropicEvents],
  } as const;
  for (const [name, [codec, events]] of Object.entries(streams)) {
    it(`keep the rules: ${name}`, () => {
      const all: object[][] = Object.values(events);
      for (const seed of seeds) {
        const parts = all.flatMap((stream) => mangled(seed, stream));
        try {
          run(codec, parts);
          feed(() => codec({ mayEndOpen: true }), mangled(seed, parts), true);
        } catch (error) {
          throw new Error(`SEED=${seed}`, { cause: error });
        }
      }
    });
  }
});
