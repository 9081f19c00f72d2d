// Messages in the log's order: serials compare as text (P1.3).

import type { Message } from "../protocol/index.ts";

/** Where a message is, or, as `-1 - index`, where it belongs. */
export function placeIn(list: readonly Message[], serial: string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = list[middle]?.serial ?? "";
    if (at === serial) return middle;
    if (at < serial) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

/** A sorted list of messages that is copied before the first change after somebody had it. */
export class List {
  #items: Message[];
  #isGiven = false;

  constructor(items: Message[] = []) {
    this.#items = items;
  }

  get items(): readonly Message[] {
    this.#isGiven = true;
    return this.#items;
  }

  get(serial: string | undefined): Message | undefined {
    return this.#items[placeIn(this.#items, serial ?? "")];
  }

  /** Puts a message to its place, where another version of it may be. */
  put(message: Message): void {
    this.#splice(message.serial, message);
  }

  drop(serial: string): void {
    this.#splice(serial);
  }

  keep(isKept: (message: Message) => boolean): void {
    this.#items = this.#items.filter(isKept);
    this.#isGiven = false;
  }

  #splice(serial: string, ...message: Message[]): void {
    if (this.#isGiven) this.#items = this.#items.slice();
    this.#isGiven = false;
    const at = placeIn(this.#items, serial);
    this.#items.splice(at < 0 ? -1 - at : at, at < 0 ? 0 : 1, ...message);
  }
}
