// The usage of a turn, added up for a moment before it is reported (P6.12): most often the turn
// ends meanwhile, and its end takes the rest along at the cost of one row.

import type { Usage } from "../protocol/index.ts";

/** How long amounts are added up. */
const WINDOW_MS = 1_000;
/** The names of one turn's usage (P14). */
const MOST_NAMES = 16;

export class Tally {
  readonly #send: (usage: Usage) => void;
  readonly #names = new Set<string>();
  #amounts: Usage = {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (usage: Usage) => void) {
    this.#send = send;
  }

  /** Adds amounts; none of them if one is not possible. */
  add(more: Usage): void {
    const names = Object.keys(more);
    for (const name of names) {
      const amount = more[name];
      if (typeof amount === "number" && amount >= 0 && amount < Infinity) continue;
      throw new RangeError(`usage ${name} is ${amount}: give a number from 0`);
    }
    if (new Set([...this.#names, ...names]).size > MOST_NAMES) {
      throw new RangeError(`usage of a turn has at most ${MOST_NAMES} names`);
    }
    for (const name of names) {
      this.#names.add(name);
      this.#amounts[name] = (this.#amounts[name] ?? 0) + (more[name] ?? 0);
    }
    if (names[0]) this.#timer ??= setTimeout(() => this.report(), WINDOW_MS);
  }

  /** Reports at once what is not reported yet. */
  report(): void {
    const { usage } = this.take();
    if (usage) this.#send(usage);
  }

  /** Takes the amounts that are not reported yet, to be reported otherwise. */
  take(): { usage?: Usage } {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const usage = this.#amounts;
    this.#amounts = {};
    return Object.keys(usage).length > 0 ? { usage } : {};
  }
}
