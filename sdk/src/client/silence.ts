// Which agents say nothing. An agent that is well may think; one that was lost is known to be so
// only when its lease runs out (P6.8). Until then a page can at least show that nothing comes.

import type { Turn } from "../protocol/index.ts";

/** The lease of a turn that does not say (P6.8). */
const LEASE_MS = 30_000;
const NOBODY: ReadonlySet<string> = new Set();

export class Silence {
  /** Active turns of which nothing was heard for a third of their lease; a new set if changed. */
  turns: ReadonlySet<string> = NOBODY;
  #heardAt = new Map<string, number>();
  /** Which of the turns that were given last are active. */
  #active: readonly Turn[] = [];
  #given: readonly Turn[] | undefined;
  readonly #changed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Something of a turn was heard. */
  hear(turn: string | undefined): void {
    if (turn) this.#heardAt.set(turn, performance.now());
  }

  /** Nothing is heard of anybody any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#heardAt.clear();
    this.turns = NOBODY;
  }

  /** Looks which of these are silent, and again when the next one may be. */
  look(turns: readonly Turn[]): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const heard = new Map<string, number>();
    const silent = new Set<string>();
    let nextMs = Infinity;
    // A history of turns is long, and mostly the same as before.
    if (turns !== this.#given) this.#active = turns.filter(({ status }) => status === "active");
    this.#given = turns;
    for (const { id, leaseMs = LEASE_MS } of this.#active) {
      const heardAt = this.#heardAt.get(id) ?? now;
      heard.set(id, heardAt);
      const leftMs = heardAt + leaseMs / 3 - now;
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else silent.add(id);
    }
    this.#heardAt = heard;
    if (nextMs < Infinity) {
      this.#timer = setTimeout(() => {
        this.look(turns);
        this.#changed();
      }, nextMs + 1);
    }
    if (`${[...silent]}` !== `${[...this.turns]}`) this.turns = silent;
  }
}
