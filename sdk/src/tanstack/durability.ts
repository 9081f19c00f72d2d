// The server's side of TanStack AI's durable streams, with a session behind it: a run survives
// its request, its readers and its process, and every device that is in the session sees it.

import type { StreamChunk, StreamDurability } from "@tanstack/ai";
import type { Loose } from "../ai-sdk/output.ts";
import { type ApiOptions, SessionApi } from "./api.ts";
import { RunReader } from "./run-reader.ts";
import { type RunStart, RunWriter } from "./run-writer.ts";

export interface SessionDurabilityOptions extends ApiOptions, RunStart {
  /** How long a run that nobody has begun is waited for; a second unless told. */
  firstChunkMs?: number;
}

/** Where a request does not say it. */
export interface RunRequest {
  runId: string;
  offset?: string | null;
}

export interface SessionDurability extends StreamDurability {
  /** The run, which is the id of its turn. */
  readonly runId: string;
  /** Fires when somebody cancels the run: for `chat`, and for the response that it becomes. */
  readonly abortController: AbortController;
}

const FIRST_CHUNK_MS = 1_000;

/**
 * Stores the run of a request in a session, or reads it back. Its turn begins with the first
 * chunk and ends with `close`; a producer that dies is missed when its lease runs out, and who
 * reads it then gets an error instead of waiting for ever.
 */
export function sessionDurability(
  request: Request | RunRequest,
  options: SessionDurabilityOptions,
): SessionDurability {
  const { url, session, token, fetch, firstChunkMs = FIRST_CHUNK_MS, ...start } = options;
  const { runId, offset } = request instanceof Request ? runOf(request) : request;
  const api = new SessionApi({ url, session, token, ...(fetch && { fetch }) });
  const reader = new RunReader(api, runId, firstChunkMs);
  const writer = new RunWriter(api, reader, start);
  return {
    runId,
    get abortController() {
      return writer.control;
    },
    resumeFrom: () => offset ?? null,
    append: (chunks) => writer.append(chunks as unknown as Loose[]),
    read: (from, signal = new AbortController().signal) =>
      reader.read(from, signal) as AsyncIterable<{ offset: string; chunk: StreamChunk }>,
    close: () => writer.close(),
    snapshot: () =>
      reader.snapshot() as unknown as Promise<{ offset: string; chunk: StreamChunk }[]>,
  };
}

/** The run that a request of TanStack AI's clients names: by headers, or in its address. */
function runOf({ headers, url }: Request): RunRequest {
  const { searchParams } = new URL(url);
  const offset = headers.get("last-event-id") || searchParams.get("offset");
  const runId = headers.get("x-run-id") || searchParams.get("runId") || crypto.randomUUID();
  return { runId, offset };
}
