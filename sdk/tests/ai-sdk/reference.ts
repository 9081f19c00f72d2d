// The AI SDK's own messages of chunks, in both versions, and what counts as the same.

import { readUIMessageStream, type UIMessageChunk } from "ai";
import * as six from "ai-6";

/** A message as JSON has it; which id it was given says nothing about its parts. */
export interface Shown {
  parts: Record<string, unknown>[];
  metadata?: unknown;
}

export function streamOf<T>(parts: readonly T[]): ReadableStream<T> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

/** The message that `ai` 7 makes of chunks; an `error` among them is none of the stream's. */
export async function readBySeven(chunks: readonly unknown[]): Promise<Shown> {
  const problems: unknown[] = [];
  const stream = streamOf(chunks as UIMessageChunk[]);
  const onError = (error: unknown) => problems.push(error);
  let last: unknown;
  for await (const message of readUIMessageStream({ stream, onError })) last = message;
  return shown(last, problems);
}

/** The message that `ai` 6 makes of them. */
export async function readBySix(chunks: readonly unknown[]): Promise<Shown> {
  const problems: unknown[] = [];
  const stream = streamOf(chunks as six.UIMessageChunk[]);
  const onError = (error: unknown) => problems.push(error);
  let last: unknown;
  for await (const message of six.readUIMessageStream({ stream, onError })) last = message;
  return shown(last, problems);
}

export function shown(message: unknown, problems: readonly unknown[] = []): Shown {
  for (const problem of problems) {
    if ((problem as Error).name !== "Error") throw problem;
  }
  const { parts = [], metadata } = JSON.parse(JSON.stringify(message ?? {})) as Partial<Shown>;
  // A step in which nothing was said is not shown at once.
  const count = parts.findLastIndex(({ type }) => type !== "step-start") + 1;
  return { parts: parts.slice(0, count).map(settled), ...(metadata !== undefined && { metadata }) };
}

/** A part that is over is not streaming; of an input cut short no two readers guess the same. */
function settled(part: Record<string, unknown>): Record<string, unknown> {
  const { input: _, ...rest } = part;
  if (part.state === "input-streaming") return { ...rest, rawInput: part.rawInput ?? "" };
  return part.state === "streaming" ? { ...part, state: "done" } : part;
}
