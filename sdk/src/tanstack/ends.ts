// Keeps what was begun in a stream of AG-UI events and is not ended.

import type { Loose } from "../answer/fields.ts";

/** The end of each beginning, and the field that says which. */
const ENDS: Record<string, [type: string, key: string]> = {
  TEXT_MESSAGE_START: ["TEXT_MESSAGE_END", "messageId"],
  TOOL_CALL_START: ["TOOL_CALL_END", "toolCallId"],
  REASONING_START: ["REASONING_END", "messageId"],
  REASONING_MESSAGE_START: ["REASONING_MESSAGE_END", "messageId"],
  STEP_STARTED: ["STEP_FINISHED", "stepName"],
};
const KEYS = new Map(Object.values(ENDS));

export class Ends {
  readonly #open = new Map<string, Loose>();

  take(chunk: Loose): void {
    const { type } = chunk;
    const [end, key] = ENDS[type] ?? [];
    if (end && key) this.#open.set(`${end} ${chunk[key]}`, { type: end, [key]: chunk[key] });
    else this.#open.delete(`${type} ${chunk[KEYS.get(type) ?? ""]}`);
  }

  /** The ends that are missing, the innermost first; they are told then. */
  all(): Loose[] {
    const ends = [...this.#open.values()].reverse();
    this.#open.clear();
    return ends;
  }
}
