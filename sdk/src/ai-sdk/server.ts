// `streamText` in an agent: its answer becomes the turn's.

import type { UIMessageChunk } from "ai";
import { aiSdk } from "../agent/codec/ai-sdk.ts";
import type { AgentTurn, StreamResult } from "../agent/turn.ts";

/** The result of `streamText`, of any version. */
export interface StreamedText {
  toUIMessageStream(): AsyncIterable<UIMessageChunk> | ReadableStream<UIMessageChunk>;
}

/**
 * Pipes the result of `streamText`, or a stream of UI message chunks, into a turn, and waits for
 * its end. Pass `turn.signal` to `streamText` as `abortSignal`, so that a cancel reaches the model.
 */
export function streamToTurn(
  turn: AgentTurn,
  result: StreamedText | AsyncIterable<UIMessageChunk> | ReadableStream<UIMessageChunk>,
): Promise<StreamResult> {
  const chunks = "toUIMessageStream" in result ? result.toUIMessageStream() : result;
  return turn.stream(chunks as AsyncIterable<UIMessageChunk>, aiSdk());
}
