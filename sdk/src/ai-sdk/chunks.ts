// A turn as the stream of chunks that `useChat` reads: from its beginning, then as it grows.

import { isOpen, type Message, type Turn } from "../protocol/index.ts";
import { chunksOf, fieldsOf, isText, type Loose, outputOf, textOf } from "./output.ts";

/** The chunks of one turn, each once. What it is shown is the whole turn, again and again. */
export class Chunks {
  readonly #turn: string;
  /** Of each message, what was told of it. */
  readonly #told = new Map<string, Message>();
  /** Whether the last chunk was given; nothing before the first was. */
  isEnded: boolean | undefined;

  constructor(turn: string) {
    this.#turn = turn;
  }

  /** What is new. */
  next(messages: readonly Message[], turn: Turn): Loose[] {
    const chunks: Loose[] = [];
    if (this.isEnded) return chunks;
    const output = outputOf(messages, this.#turn);
    const told = this.#told;
    if (this.isEnded === undefined) chunks.push({ type: "start", messageId: this.#turn });
    this.isEnded = false;
    // Another attempt said it anew (P6.8), or a text was replaced.
    const isRewritten = [...told.values()].some((was) => {
      const is = output.find(({ serial }) => serial === was.serial);
      return !is || (isText(is) && !textOf(is).startsWith(textOf(was)));
    });
    if (isRewritten) {
      told.clear();
      chunks.push({ type: "reset-step" });
    }
    let finishReason: unknown = "stop";
    for (const message of output) {
      const was = told.get(message.serial);
      if (message.name === "response") {
        finishReason = fieldsOf(message.data).finishReason ?? finishReason;
      }
      if (was?.version === message.version) continue;
      chunks.push(...chunksOf(message, was && textOf(was)));
      told.set(message.serial, message);
    }
    if (!isOpen(turn)) {
      const { status, reason, error } = turn;
      this.isEnded = true;
      const errorText = `${fieldsOf(error).message ?? reason ?? status}`;
      if (status === "cancelled") finishReason = "interrupted";
      const isBad = status === "failed";
      chunks.push(isBad ? { type: "error", errorText } : { type: "finish", finishReason });
    }
    return chunks;
  }
}
