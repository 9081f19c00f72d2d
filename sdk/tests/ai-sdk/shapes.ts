// Answers as providers give them, part by part, through the real `streamText` of `ai` 7 and 6: the
// shapes of recorded streams, with what each provider needs to be told again in the next step.

import { jsonSchema, stepCountIs, streamText, tool, type UIMessageChunk } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import * as six from "ai-6";
import { MockLanguageModelV3 } from "ai-6/test";

type Part = { type: string } & Record<string, unknown>;

const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

function finish(unified: string): Part {
  return { type: "finish", finishReason: { unified, raw: unified }, usage: USAGE };
}

function text(id: string, said: string, start: object = {}, end: object = start): Part[] {
  const deltas = said.split(/(?<= )/).map((delta) => ({ type: "text-delta", id, delta }));
  return [{ type: "text-start", id, ...start }, ...deltas, { type: "text-end", id, ...end }];
}

function call(id: string, input: object, more: object = {}): Part[] {
  const json = JSON.stringify(input);
  const toolName = "weather";
  return [
    { type: "tool-input-start", id, toolName },
    { type: "tool-input-delta", id, delta: json.slice(0, 5) },
    { type: "tool-input-delta", id, delta: json.slice(5) },
    { type: "tool-input-end", id },
    { type: "tool-call", toolCallId: id, toolName, input: json, ...more },
  ];
}

function openai(itemId: string, more: object = {}) {
  return { providerMetadata: { openai: { itemId, ...more } } };
}

const SIGNATURE = { providerMetadata: { anthropic: { signature: "c2lnbmF0dXJl" } } };
const THOUGHT = { providerMetadata: { google: { thoughtSignature: "AY89a1/+".repeat(700) } } };

/** The steps of an answer, by the provider whose shape it has. */
export const SHAPES: Record<string, Part[][]> = {
  "OpenAI Responses": [
    [
      {
        type: "reasoning-start",
        id: "rs_1:0",
        ...openai("rs_1", { reasoningEncryptedContent: null }),
      },
      { type: "reasoning-delta", id: "rs_1:0", delta: "The weather, then." },
      {
        type: "reasoning-end",
        id: "rs_1:0",
        ...openai("rs_1", { reasoningEncryptedContent: "gAAA" }),
      },
      ...text("msg_1", "Let me look. ", openai("msg_1"), openai("msg_1", { annotations: [] })),
      ...call("call_1", { city: "Oslo" }, openai("fc_1")),
      finish("tool-calls"),
    ],
    [...text("msg_2", "Seven degrees in Oslo.", openai("msg_2")), finish("stop")],
  ],
  "Anthropic Messages": [
    [
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "They ask " },
      { type: "reasoning-delta", id: "0", delta: "for Oslo." },
      { type: "reasoning-delta", id: "0", delta: "", ...SIGNATURE },
      { type: "reasoning-end", id: "0" },
      ...text("1", "Two places. "),
      ...call("toolu_1", { city: "Oslo" }),
      ...call("toolu_2", { city: "Bergen" }),
      finish("tool-calls"),
    ],
    [...text("0", "Seven degrees in both."), finish("stop")],
  ],
  Gemini: [
    [
      { type: "reasoning-start", id: "0", ...THOUGHT },
      { type: "reasoning-delta", id: "0", delta: "Weather. " },
      { type: "reasoning-end", id: "0" },
      {
        type: "tool-call",
        toolCallId: "call_0",
        toolName: "weather",
        input: '{"city":"Oslo"}',
        ...THOUGHT,
      },
      finish("tool-calls"),
    ],
    [
      {
        type: "tool-call",
        toolCallId: "call_0",
        toolName: "weather",
        input: '{"city":"Rome"}',
        ...THOUGHT,
      },
      finish("tool-calls"),
    ],
    [...text("0", "Seven degrees, twice.", {}, THOUGHT), finish("stop")],
  ],
};

/** Opens when a stream may go on after its first half. */
export type Gate = Promise<unknown>;

/** A model that gives an answer step by step, and stops in the middle of each. */
function given(steps: Part[][], gate: Gate) {
  let count = 0;
  return async () => {
    const parts = steps[count++] ?? [finish("stop")];
    const stream = new ReadableStream({
      async start(controller) {
        controller.enqueue({ type: "stream-start", warnings: [] });
        for (const [index, part] of parts.entries()) {
          if (index === parts.length >> 1) await gate;
          await new Promise((done) => setTimeout(done, 2));
          controller.enqueue(part);
        }
        controller.close();
      },
    });
    return { stream } as never;
  };
}

const city = { type: "object", properties: { city: { type: "string" } } } as const;
const weather = { description: "the weather", inputSchema: jsonSchema<{ city: string }>(city) };
const execute = async ({ city }: { city: string }) => ({ city, degrees: 7 });

/** The streams that the real `streamText` makes of an answer, in this version of the AI SDK. */
export const STREAMS: Record<
  string,
  (steps: Part[][], gate?: Gate) => AsyncIterable<UIMessageChunk>
> = {
  "ai 7": (steps, gate = Promise.resolve()) =>
    streamText({
      model: new MockLanguageModelV4({ doStream: given(steps, gate) }),
      tools: { weather: tool({ ...weather, execute }) },
      prompt: "go",
      stopWhen: stepCountIs(5),
    }).toUIMessageStream() as AsyncIterable<UIMessageChunk>,
  "ai 6": (steps, gate = Promise.resolve()) =>
    six
      .streamText({
        model: new MockLanguageModelV3({ doStream: given(steps, gate) }),
        tools: {
          weather: six.tool({
            ...weather,
            inputSchema: six.jsonSchema<{ city: string }>(city),
            execute,
          }),
        },
        prompt: "go",
        stopWhen: six.stepCountIs(5),
      })
      .toUIMessageStream() as unknown as AsyncIterable<UIMessageChunk>,
};
