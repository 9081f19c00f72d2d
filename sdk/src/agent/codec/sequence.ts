// The numbers of a response's events. A response that is read again from some event on repeats
// what was read; many gateways number all events 0, or only some, which says nothing.

import { fnv } from "../../protocol/index.ts";
import { fields, type Json, jsonOf, text } from "./operation.ts";

/** Events that are remembered; those before them can only be repeats. */
const MOST_SEEN = 16_384;

/** Enough to tell an event from the one that had its number before, as a small integer. */
export function hash(text: string): number {
  return fnv(text) >> 1;
}

/** The fields that make it this event; padding and snapshots may differ when it is read again. */
function identity(event: Json): number {
  const { type, item_id, output_index, content_index, summary_index, delta } = event;
  const { id } = fields(event.item ?? event.response);
  const said = [type, item_id, output_index, content_index, summary_index, delta, id];
  return hash(jsonOf(said) ?? text(type));
}

export class Sequence {
  /** By number, what the event was. */
  #seen = new Map<number, number>();
  #first = -1;
  #last = -1;
  /** Whether the numbers have only risen, but for repeats. */
  #isOne = true;

  /** Another response has numbers of its own. */
  restart(): void {
    this.#seen = new Map();
    this.#first = this.#last = -1;
    this.#isOne = true;
  }

  /** Whether the event was there before. */
  isRepeat(event: Json): boolean {
    if (!this.#isOne) return false;
    const number = Number.isSafeInteger(event.sequence_number) ? Number(event.sequence_number) : -1;
    const is = identity(event);
    if (number > this.#last) {
      this.#last = number;
      if (this.#first < 0) this.#first = number;
      this.#seen.set(number, is);
      if (this.#seen.size > MOST_SEEN) this.#seen.delete(this.#oldest);
      return false;
    }
    // Two numbers make a numbering; one that all events have makes none.
    const isKnown = this.#seen.get(number) === is || (number >= 0 && number < this.#oldest);
    if (isKnown && this.#last > this.#first) return true;
    if (!isKnown) {
      this.#isOne = false;
      this.#seen.clear();
    }
    return false;
  }

  get #oldest(): number {
    return this.#seen.keys().next().value ?? 0;
  }
}
