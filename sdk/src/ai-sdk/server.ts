// `streamText` in an agent: its answer becomes the turn's. Calls that a person has to allow are
// approvals of the session (P8); once they are decided, the same turn goes on.

import type { UIMessage, UIMessageChunk } from "ai";
import type { ApproveOptions } from "../agent/asking.ts";
import { aiSdk } from "../agent/codec/ai-sdk.ts";
import { type ConversationOptions, conversation } from "../agent/conversation.ts";
import type { AgentTurn, StreamResult } from "../agent/turn.ts";
import { type Message, type SessileError, short, type Turn } from "../protocol/index.ts";
import { toUIMessages } from "./ui-messages.ts";
import { type Asked, MOST_TITLE, progressOf, respond } from "./waits.ts";

/** The result of `streamText`, of any version. */
export interface StreamedText {
  toUIMessageStream(): AsyncIterable<UIMessageChunk> | ReadableStream<UIMessageChunk>;
}

type Streamed = StreamedText | AsyncIterable<UIMessageChunk> | ReadableStream<UIMessageChunk>;

/** A call that a person has to allow. */
export interface AskedCall {
  toolCallId: string;
  toolName: string;
  input: unknown;
}

export interface StreamToTurnOptions extends Pick<ConversationOptions, "limit"> {
  /**
   * Changes the question to the person, whose title is the tool's name and whose `data` is the
   * input. With a `schema` whoever decides may edit the input within it.
   */
  approval?: (call: AskedCall) => Partial<Omit<ApproveOptions, "id" | "data" | "signal">>;
}

/**
 * Pipes the result of `streamText`, or a stream of UI message chunks, into a turn, and waits for
 * its end. Pass `turn.signal` to `streamText` as `abortSignal`, so that a cancel reaches the model.
 *
 * A function is called with the conversation that leads to the turn. If calls of its answer need
 * approval (`needsApproval`), the turn is suspended, and when all are decided the function is called
 * again, with the responses in the conversation: in this process or in the next one of the agent,
 * which calls `streamToTurn` alike. A call that was allowed is made anew if its process is lost
 * meanwhile: `toolCallId` says which one it is.
 */
export async function streamToTurn<M extends UIMessage = UIMessage>(
  turn: AgentTurn,
  source: Streamed | ((messages: M[]) => Streamed | Promise<Streamed>),
  options: StreamToTurnOptions = {},
): Promise<StreamResult> {
  if (typeof source !== "function") return turn.stream(chunksOf(source), aiSdk());
  for (;;) {
    const progress = progressOf(await told(turn, options), turn.id);
    const { said, round, asks, isOver } = progress;
    if (asks.length > 0) await Promise.all(asks.map((asked) => ask(turn, asked, options)));
    else if (isOver) return { status: "complete" };
    else {
      const messages = toUIMessages<M>({ messages: said, turns: said.turns });
      let isAsking = false;
      const heard = () => {
        isAsking = true;
      };
      const chunks = heardIn(chunksOf(await source(messages)), heard);
      const result = await turn.stream(chunks, aiSdk(), { id: `run-${round}` });
      if (!isAsking || result.status !== "complete") return result;
    }
  }
}

function chunksOf(source: Streamed): AsyncIterable<UIMessageChunk> {
  const chunks = "toUIMessageStream" in source ? source.toUIMessageStream() : source;
  return chunks as AsyncIterable<UIMessageChunk>;
}

/** The same chunks; says when one asks for approval. */
async function* heardIn(chunks: AsyncIterable<UIMessageChunk>, heard: () => void) {
  for await (const chunk of chunks) {
    if (chunk.type === "tool-approval-request") heard();
    yield chunk;
  }
}

/** The conversation that leads to a turn, and what that has said. */
async function told({ host, id: turn, info }: AgentTurn, { limit }: StreamToTurnOptions) {
  const options = { turn, ...(limit !== undefined && { limit }) };
  const input = info.input ?? info.parent;
  try {
    return await conversation(host, input ?? "", options);
  } catch (error) {
    // It answers nothing, and has said nothing.
    const isFirst = input === undefined && (error as SessileError).code === "not-found";
    if (!isFirst) throw error;
    return Object.assign<Message[], { turns: Turn[] }>([], { turns: [] });
  }
}

/** Asks for one call, and says in the turn what was decided. */
async function ask(turn: AgentTurn, asked: Asked, { approval }: StreamToTurnOptions) {
  const { id, call, description } = asked;
  const more = approval?.(call) ?? {};
  const title = short(call.toolName, MOST_TITLE);
  const settled = await turn.approve({ title, ...description, ...more, data: call.input, id });
  await respond(turn, asked, settled, more.schema !== undefined);
}
