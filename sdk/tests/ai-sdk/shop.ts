// An agent whose model buys what a person has to allow, by real `streamText`, and the same without
// a session, as the AI SDK itself would have shown it.

import {
  convertToModelMessages,
  jsonSchema,
  simulateReadableStream,
  stepCountIs,
  streamText,
  ToolLoopAgent,
  type ToolSet,
  tool,
  type UIMessage,
} from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { makeToken } from "../../../tests/support/token.ts";
import { type AgentSession, createAgentSession, type StartOptions } from "../../src/agent/index.ts";
import { type RunOptions, streamToTurn } from "../../src/ai-sdk/index.ts";
import { say } from "./agent.ts";

type Parts = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"];

/** The calls of the model's first answer. */
export interface Purchase {
  toolCallId: string;
  item: string;
  /** By default what a person has to allow; `where` is run by a page. */
  toolName?: "buy" | "where";
}

export interface Shop {
  model: MockLanguageModelV4;
  tools: ReturnType<typeof toolsOf>;
  /** The inputs with which `buy` was executed. */
  bought: string[];
}

/** The input of a purchase. */
export const SCHEMA = {
  type: "object",
  properties: { item: { type: "string" } },
  required: ["item"],
} as const;
const ITEM = jsonSchema<{ item: string }>(SCHEMA);

function toolsOf(bought: string[]): ToolSet {
  return {
    where: tool({ description: "Where a shop is", inputSchema: ITEM }) as ToolSet[string],
    buy: tool({
      description: "Buys something",
      inputSchema: ITEM,
      needsApproval: true,
      execute: async ({ item }) => {
        bought.push(item);
        return { bought: item };
      },
    }),
  };
}

function calls(purchases: readonly Purchase[]): Parts {
  const said = purchases.flatMap(({ toolCallId, item, toolName = "buy" }) => {
    const input = JSON.stringify({ item });
    return [
      { type: "tool-input-start" as const, id: toolCallId, toolName },
      { type: "tool-input-delta" as const, id: toolCallId, delta: input },
      { type: "tool-input-end" as const, id: toolCallId },
      { type: "tool-call" as const, toolCallId, toolName, input },
    ];
  });
  return simulateReadableStream({
    chunks: [
      { type: "stream-start", warnings: [] },
      ...said,
      {
        type: "finish",
        finishReason: { unified: "tool-calls", raw: "tool-calls" },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 1, text: 1, reasoning: 0 },
        },
      },
    ],
  });
}

/** A model that asks for the purchases, and then says what came of them. */
export function shopOf(purchases: readonly Purchase[]): Shop {
  const bought: string[] = [];
  const model = new MockLanguageModelV4({
    doStream: async ({ prompt }) => {
      const results = prompt.flatMap(({ role, content }) =>
        role === "tool" ? content.filter(({ type }) => type === "tool-result") : [],
      );
      if (results.length === 0) return { stream: calls(purchases) };
      const outputs = results.map((it) => ("output" in it ? it.output.type : ""));
      return { stream: say(`It came to: ${outputs.join(", ")}.`, 1) };
    },
  });
  return { model, tools: toolsOf(bought), bought };
}

/** The agent of the AI SDK that gives the same answers. */
export function loopOf({ model, tools }: Shop) {
  return new ToolLoopAgent({ model, tools });
}

export interface Joined {
  agent: AgentSession;
  /** The conversations that the model was given. */
  heard: UIMessage[][];
}

/** Answers the inputs of a session, and takes turns that wait. */
export function joinShop(
  url: string,
  session: string,
  { model, tools }: Shop,
  options?: RunOptions,
): Joined {
  const heard: UIMessage[][] = [];
  const answer = (start: StartOptions) =>
    agent
      .answer(start, (turn) =>
        streamToTurn(
          turn,
          async (messages) => {
            heard.push(messages);
            return streamText({
              ...{ model, tools, stopWhen: stepCountIs(5), abortSignal: turn.signal },
              messages: await convertToModelMessages(messages, { tools }),
            });
          },
          options,
        ),
      )
      .catch(() => {});
  const agent = createAgentSession({
    url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    onInput: (_, start) => void answer(start),
    onQueued: (_, start) => void answer(start),
  });
  return { agent, heard };
}
