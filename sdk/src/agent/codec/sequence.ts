// The sequence numbers of a response's events. A response that is read again from some event on
// repeats earlier events. Many gateways number every event 0, or only some of them, which means
// nothing.

import { fnv } from "../../protocol/index.ts";
import { fields, type Json, jsonOf, text } from "./operation.ts";

/** How many events are remembered; any before them must be repeats. */
const MOST_SEEN = 16_384;

/** A small integer, enough to tell an event from an earlier one with the same number. */
export function hash(text: string): number {
  return fnv(text) >> 1;
}

/** A hash of the fields that identify an event; padding and snapshots may differ on a repeat. */
function identity(event: Json): number {
  const { type, item_id, output_index, content_index, summary_index, delta } = event;
  const { id } = fields(event.item ?? event.response);
  const said = [type, item_id, output_index, content_index, summary_index, delta, id];
  return hash(jsonOf(said) ?? text(type));
}

export class Sequence {
  /** The hash of each event, by its number. */
  #seen = new Map<number, number>();
  #first = -1;
  #last = -1;
  /** Whether the numbers have only risen, apart from repeats. */
  #isOne = true;

  /** Another response begins, with its own numbers. */
  restart(): void {
    this.#seen = new Map();
    this.#first = this.#last = -1;
    this.#isOne = true;
  }

  /** Whether the event has been read before. */
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
    // A single number that all events share is no numbering.
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
