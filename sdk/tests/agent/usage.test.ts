// Usage as providers report it: by common names, each response once (P6.12).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  agUi,
  aiSdk,
  anthropic,
  type Codec,
  openAi,
  type Usage,
  usageFrom,
} from "../../src/agent/index.ts";
import { Tally } from "../../src/agent/tally.ts";
import { run } from "./codec.ts";
import { ANSWER as ANTHROPIC } from "./streams/anthropic.ts";
import { ANSWER as OPENAI } from "./streams/openai.ts";

/** The reports of a stream, in order. */
function reports<Part>(codec: () => Codec<Part>, parts: readonly unknown[]): Usage[] {
  const { operations } = run(codec, parts as Part[]);
  return operations.flatMap((one) => (one.op === "usage" ? [one.usage] : []));
}

describe("P6.12 usage has the same names for all providers", () => {
  const all = {
    inputTokens: 100,
    outputTokens: 20,
    totalTokens: 120,
    cachedInputTokens: 60,
    reasoningTokens: 8,
  };
  const shapes: Record<string, unknown> = {
    "OpenAI Responses": {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 8 },
      total_tokens: 120,
    },
    "OpenAI Chat": {
      prompt_tokens: 100,
      prompt_tokens_details: { cached_tokens: 60 },
      completion_tokens: 20,
      completion_tokens_details: { reasoning_tokens: 8 },
      total_tokens: 120,
    },
    "the AI SDK": {
      inputTokens: 100,
      inputTokenDetails: { noCacheTokens: 40, cacheReadTokens: 60, cacheWriteTokens: 0 },
      outputTokens: 20,
      outputTokenDetails: { textTokens: 12, reasoningTokens: 8 },
      totalTokens: 120,
    },
    "the AI SDK before 6": {
      inputTokens: 100,
      outputTokens: 20,
      totalTokens: 120,
      cachedInputTokens: 60,
      reasoningTokens: 8,
    },
    "TanStack AI": {
      promptTokens: 100,
      promptTokensDetails: { cachedTokens: 60 },
      completionTokens: 20,
      completionTokensDetails: { reasoningTokens: 8 },
      totalTokens: 120,
    },
    "AG-UI": [
      { model: "a", inputTokens: 90, outputTokens: 20, totalTokens: 110, reasoningTokens: 8 },
      { model: "b", inputTokens: 10, outputTokens: 0, cachedInputTokens: 60 },
    ],
  };
  for (const [name, said] of Object.entries(shapes)) {
    test(name, () => assert.deepEqual(usageFrom(said), all));
  }

  test("Anthropic, whose input is without what a cache holds", () => {
    const said = {
      input_tokens: 30,
      cache_creation_input_tokens: 10,
      cache_read_input_tokens: 60,
      output_tokens: 20,
    };
    const { reasoningTokens: _, ...rest } = all;
    assert.deepEqual(usageFrom(said), rest);
  });

  test("what is no usage has none", () => {
    for (const said of [
      undefined,
      null,
      5,
      "x",
      [],
      {},
      { input_tokens: "9" },
      { input_tokens: -1 },
    ]) {
      assert.deepEqual(usageFrom(said), {});
    }
    assert.deepEqual(usageFrom({ input_tokens: NaN, output_tokens: 1 / 0, tokens: 3 }), {});
  });
});

describe("P6.12 a codec reports what a stream has used", () => {
  test("of OpenAI at its end, however often that is told", () => {
    const used = [{ inputTokens: 9, outputTokens: 21, totalTokens: 30 }];
    assert.deepEqual(reports(openAi, OPENAI), used);
    assert.deepEqual(reports(openAi, [...OPENAI, OPENAI.at(-1)]), used);
  });

  test("of OpenAI for each response of a stream", () => {
    const response = (id: string) => [
      { type: "response.created", response: { id } },
      { type: "response.completed", response: { id, usage: { input_tokens: 5 } } },
    ];
    const used = { inputTokens: 5, totalTokens: 5 };
    assert.deepEqual(reports(openAi, [...response("a"), ...response("b")]), [used, used]);
  });

  test("of Anthropic as it grows", () => {
    assert.deepEqual(reports(anthropic, ANTHROPIC), [
      { inputTokens: 25, outputTokens: 1, totalTokens: 26 },
      { outputTokens: 88, totalTokens: 88 },
    ]);
  });

  test("of the AI SDK by its metadata", () => {
    const parts = [
      { type: "start" },
      { type: "message-metadata", messageMetadata: { totalUsage: { outputTokens: 4 } } },
      {
        type: "finish",
        messageMetadata: { totalUsage: { inputTokens: 6, outputTokens: 9, totalTokens: 15 } },
      },
      // `streamToTurn` says it once more.
      { type: "usage", usage: { inputTokens: 6, outputTokens: 9, totalTokens: 15 } },
    ];
    assert.deepEqual(reports(aiSdk, parts), [
      { outputTokens: 4, totalTokens: 4 },
      { inputTokens: 6, outputTokens: 5, totalTokens: 11 },
    ]);
  });

  test("of AG-UI for each run", () => {
    const runs = (usage: unknown, type = "RUN_FINISHED") => [
      { type: "RUN_STARTED" },
      { type, usage, message: "no" },
    ];
    const spec = [{ model: "m", inputTokens: 7, outputTokens: 2, totalTokens: 9 }];
    const own = { promptTokens: 7, completionTokens: 2, totalTokens: 9 };
    const used = { inputTokens: 7, outputTokens: 2, totalTokens: 9 };
    const parts = [...runs(spec), ...runs(own), ...runs(own, "RUN_ERROR")];
    assert.deepEqual(reports(agUi, parts), [used, used, used]);
  });
});

describe("P6.12 a turn adds up before it reports", () => {
  test("for a second, and its end takes the rest along", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const sent: Usage[] = [];
    const tally = new Tally((usage) => sent.push(usage));
    for (let n = 0; n < 9; n += 1) tally.add({ tokens: 2 });
    t.mock.timers.tick(999);
    assert.deepEqual(sent, []);
    t.mock.timers.tick(1);
    assert.deepEqual(sent, [{ tokens: 18 }]);
    tally.add({ tokens: 1, cost: 0.5 });
    assert.deepEqual(tally.take(), { usage: { tokens: 1, cost: 0.5 } });
    t.mock.timers.tick(5000);
    tally.report();
    assert.deepEqual([sent.length, tally.take()], [1, {}]);
  });

  test("nothing that the session would refuse", () => {
    const tally = new Tally(() => assert.fail("nothing is sent"));
    for (const amount of [-1, NaN, Infinity, "5", undefined]) {
      const more = { good: 1, bad: amount } as Usage;
      assert.throws(() => tally.add(more), /^RangeError: usage bad is .*: give a number from 0$/);
    }
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`n${n}`, 1]));
    assert.throws(() => tally.add(many), /at most 16 names/);
    tally.add({});
    assert.deepEqual(tally.take(), {});
  });
});
