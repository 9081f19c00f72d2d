// `streamText` in an agent: its answer becomes the turn's. Calls that a person has to allow are
// approvals of the session, and a device's tools are its calls (P8); then the same turn goes on.

import type { UIMessage, UIMessageChunk } from "ai";
import { type AiSdkOptions, aiSdk } from "../agent/codec/ai-sdk.ts";
import type { StreamResult } from "../agent/speech.ts";
import type { AgentTurn } from "../agent/turn.ts";
import { modelFiles } from "../files/parts.ts";
import { type RunOptions, streamRuns } from "../runs/runs.ts";
import { toUIMessages } from "./ui-messages.ts";

/** The result of `streamText`, of any version. */
export interface StreamedText {
  /** The tokens of all steps: the turn's usage (P6.12). */
  readonly totalUsage?: PromiseLike<unknown>;
  toUIMessageStream(): AsyncIterable<UIMessageChunk> | ReadableStream<UIMessageChunk>;
}

/** How long the usage of a stream that has ended may take. */
const USAGE_MS = 1_000;

type Streamed = StreamedText | AsyncIterable<UIMessageChunk> | ReadableStream<UIMessageChunk>;

export interface StreamToTurnOptions extends RunOptions, Pick<AiSdkOptions, "state"> {}

/**
 * Pipes the result of `streamText`, or a stream of UI message chunks, into a turn, and waits for
 * its end. Pass `turn.signal` to `streamText` as `abortSignal`, so that a cancel reaches the model.
 *
 * A function is called with the conversation that leads to the turn; a file of the session in it
 * has an address that the model's provider can fetch, or its bytes (`modelFiles`). If calls of its
 * answer need approval (`needsApproval`), or have no `execute`, the turn is suspended until people
 * have decided and devices have run them. Then the function is called again, with what came of that
 * in the conversation: in this process, or in the next one of the agent, which calls `streamToTurn`
 * alike. A call that was allowed is made anew if its process is lost in it: `toolCallId` says which
 * it is.
 */
export async function streamToTurn<M extends UIMessage = UIMessage>(
  turn: AgentTurn,
  source: Streamed | ((messages: M[]) => Streamed | Promise<Streamed>),
  { state = [], ...options }: StreamToTurnOptions = {},
): Promise<StreamResult> {
  const codec = () => aiSdk({ state });
  if (typeof source !== "function") return turn.stream(chunksOf(source), codec());
  return streamRuns(
    turn,
    codec,
    async (messages) => {
      const { turns } = messages;
      const shown = toUIMessages<M>({ messages, turns });
      return chunksOf(await source(await modelFiles(turn.host, shown)));
    },
    options,
  );
}

async function* chunksOf(source: Streamed): AsyncGenerator<UIMessageChunk> {
  const isResult = "toUIMessageStream" in source;
  const chunks = isResult ? source.toUIMessageStream() : source;
  yield* chunks as AsyncIterable<UIMessageChunk>;
  if (!isResult) return;
  // The chunks do not say what was used, and a stream that failed may never know it.
  const late = new Promise<undefined>((done) => setTimeout(done, USAGE_MS));
  const usage = await Promise.race([late, Promise.resolve(source.totalUsage).catch(() => {})]);
  if (usage) yield { type: "usage", usage } as unknown as UIMessageChunk;
}
