// Tracks the open parts in a stream of AG-UI events.

import type { Loose } from "../answer/fields.ts";

/** The end event of each start event, and the field that pairs them. */
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

  /** Returns the missing end events, the innermost first, and counts them as sent. */
  all(): Loose[] {
    const ends = [...this.#open.values()].reverse();
    this.#open.clear();
    return ends;
  }
}
