// Which messages an agent has not heard of yet, over lost connections and logs that begin anew.

import type { Message } from "../protocol/index.ts";

/** How a message comes: as it is said, in a replay after a position, or with a rewind (P3.6). */
export type Way = "live" | "resumed" | "rewound";

export class News {
  /** Whether all was heard that was there before: what comes from then on is new. */
  hasBegun = false;
  /** When the newest was created, by the session's clock, and which were at that moment. */
  #newestAt = 0;
  readonly #newest = new Set<string>();
  /** The serials of messages heard in a replay: if that is cut, they come again. */
  readonly #heard = new Set<string>();

  /** Takes a message; says whether it is new. */
  take({ serial, createdAt }: Message, way: Way): boolean {
    const isNew =
      way === "live" ||
      (way === "resumed" ? !this.#heard.has(serial) : this.#isSince(serial, createdAt));
    if (way === "resumed") this.#heard.add(serial);
    if (createdAt > this.#newestAt) {
      this.#newestAt = createdAt;
      this.#newest.clear();
    }
    if (createdAt === this.#newestAt) this.#newest.add(serial);
    return isNew;
  }

  /** A replay is over. */
  caughtUp(): void {
    this.hasBegun = true;
    this.#heard.clear();
  }

  /**
   * Serials of a log that was begun anew cannot be compared with those before (P3.1), but times
   * can, since all are of the session's clock.
   */
  #isSince(serial: string, createdAt: number): boolean {
    const isOld = createdAt < this.#newestAt || this.#newest.has(serial);
    return this.hasBegun && !isOld;
  }
}
