// An agent on the AI SDK whose model says the same each time.

import { simulateReadableStream, streamText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { makeToken } from "../../../tests/support/token.ts";
import { type AgentTurn, createAgentSession } from "../../src/agent/index.ts";
import { streamToTurn } from "../../src/ai-sdk/index.ts";

export const ANSWER = "Here is an answer, 🌊 word by word, as a model would give it.";

type Model = ConstructorParameters<typeof MockLanguageModelV4>[0];
type Parts = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"];

/** A model's stream for a text. */
export function say(text: string, delayMs: number): Parts {
  const words = text.split(/(?<= )/);
  return simulateReadableStream({
    chunkDelayInMs: delayMs,
    chunks: [
      { type: "stream-start", warnings: [] },
      { type: "text-start", id: "1" },
      ...words.map((delta) => ({ type: "text-delta" as const, id: "1", delta })),
      { type: "text-end", id: "1" },
      {
        type: "finish",
        finishReason: { unified: "stop", raw: "stop" },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 1, text: 1, reasoning: 0 },
        },
      },
    ],
  });
}

export interface Joined {
  /** How often the model was asked. */
  calls: number;
  close(): void;
}

/** Answers every input of a session. */
export function joinAgent(url: string, session: string, delayMs: number): Joined {
  const seen: Joined = { calls: 0, close: () => joined.close() };
  const model: Model = {
    doStream: async () => {
      seen.calls += 1;
      return { stream: say(ANSWER, delayMs) };
    },
  };
  const answer = async (turn: AgentTurn) => {
    const options = { model: new MockLanguageModelV4(model), prompt: "answer" };
    await streamToTurn(turn, streamText({ ...options, abortSignal: turn.signal }));
  };
  const joined = createAgentSession({
    url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    onInput: (_, start) => {
      joined.answer(start, answer).catch((error) => console.error(error));
    },
  });
  return seen;
}
