// New messages for an agent, over lost connections and logs that begin anew.

import type { Message } from "../protocol/index.ts";

/** The way a message arrives: live, in a replay after a position, or with a rewind (P3.6). */
export type Way = "live" | "resumed" | "rewound";

export class News {
  /** Whether the agent is up to date: everything later is new. */
  hasBegun = false;
  /** The newest message's time, by the session's clock, and the messages of that moment. */
  #newestAt = 0;
  readonly #newest = new Set<string>();
  /** Serials heard in a replay: if the replay is cut, they are sent again. */
  readonly #heard = new Set<string>();

  /** Takes a message; returns whether it is new. */
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
   * Serials of a log that was begun anew cannot be compared with earlier ones (P3.1), but times
   * can, since all are of the session's clock.
   */
  #isSince(serial: string, createdAt: number): boolean {
    const isOld = createdAt < this.#newestAt || this.#newest.has(serial);
    return this.hasBegun && !isOld;
  }
}
