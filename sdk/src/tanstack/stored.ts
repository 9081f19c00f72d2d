// Runs that are stored as they came: the chunks of a turn as lines of JSON, in the text of its
// messages of one name. A long run has several such messages, one after the other.

import type { Loose } from "../ai-sdk/output.ts";
import { textOf } from "../ai-sdk/output.ts";
import type { Message } from "../protocol/index.ts";

/** The name of a message that holds a run's chunks. */
export const STORED = "chunks";

/** One chunk and where it ends. */
export interface Line {
  chunk: Loose;
  /** The message in which it ends. */
  serial: string;
  /** Where it ends there, in UTF-16 code units. */
  end: number;
}

/** Reads the lines of a run's messages, in order, each once; what is not whole yet waits. */
export class Lines {
  #serial = "";
  #length = 0;
  #rest = "";

  /** The new lines. The messages are all that there are, or those from the last one read on. */
  next(messages: readonly Message[]): Line[] {
    const lines: Line[] = [];
    for (const message of messages) {
      const { serial } = message;
      if (serial < this.#serial) continue;
      if (serial !== this.#serial) this.#length = 0;
      this.#serial = serial;
      const text = textOf(message);
      for (let from = this.#length; from < text.length; ) {
        const at = text.indexOf("\n", from);
        const end = at < 0 ? text.length : at + 1;
        this.#rest += text.slice(from, end);
        from = end;
        if (at < 0) break;
        const chunk = parsed(this.#rest);
        this.#rest = "";
        if (chunk) lines.push({ chunk, serial, end });
      }
      this.#length = Math.max(this.#length, text.length);
    }
    return lines;
  }
}

/** A chunk of a line; nothing where the line is none. */
function parsed(line: string): Loose | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof (value as Loose | null)?.type === "string" ? (value as Loose) : undefined;
  } catch {
    return undefined;
  }
}

/** Chunks whose `delta` goes on where that of the one before ended, by what they go on with. */
const GROWING: Record<string, string> = {
  TEXT_MESSAGE_CONTENT: "messageId",
  REASONING_MESSAGE_CONTENT: "messageId",
  TOOL_CALL_ARGS: "toolCallId",
};

/** The same in fewer chunks: what was streamed in pieces comes as one. */
export function coalesced(chunks: readonly Loose[]): Loose[] {
  const out: Loose[] = [];
  for (const chunk of chunks) {
    const last = out.at(-1);
    const of = GROWING[chunk.type];
    const isMore = of !== undefined && last?.type === chunk.type && last[of] === chunk[of];
    if (last && isMore) {
      out[out.length - 1] = { ...last, ...chunk, delta: `${last.delta}${chunk.delta}` };
    } else out.push(chunk);
  }
  return out;
}

/** Whether a chunk ends its run, and not only one round of an agent's loop. */
export function isTerminal({ type, finishReason, metadata }: Loose): boolean {
  if (type === "RUN_ERROR") return true;
  const { tanstack } = (metadata ?? {}) as { tanstack?: { finishReason?: unknown } };
  return type === "RUN_FINISHED" && (finishReason ?? tanstack?.finishReason) !== "tool_calls";
}
