// One direction of the wire: what is put on it comes out at its end, in order. It may be slow, and
// it may stand still.

/** How slow a line is. */
export interface Pace {
  /** The time from one end to the other, in milliseconds. */
  latencyMs: number;
  bytesPerSecond: number;
}

/** The clock and the timer: the platform's, or a test's. */
export interface Clock {
  now(): number;
  /** Calls once, so many milliseconds later; the result takes that back. */
  after(ms: number, call: () => void): () => void;
}

export const CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

interface Item {
  bytes: number;
  /** The time at which it comes out; none while the line stands still. */
  due: number;
  deliver(): void;
}

export class Line {
  readonly #clock: Clock;
  #items: Item[] = [];
  #pace: Pace | undefined;
  #isStill = false;
  /** The time from which the line takes the next bytes. */
  #freeAt = 0;
  #cancel: (() => void) | undefined;
  #isDelivering = false;

  constructor(clock: Clock = CLOCK) {
    this.#clock = clock;
  }

  /** Puts something on the line: `deliver` is called when it comes out. */
  put(bytes: number, deliver: () => void): void {
    this.#items.push({ bytes, deliver, due: this.#due(bytes) });
    this.#pump();
  }

  /** Changes the line; what is on it goes on at the new pace, in the same order. */
  set(pace: Pace | undefined, isStill: boolean): void {
    this.#pace = pace;
    this.#isStill = isStill;
    this.#freeAt = 0;
    for (const item of this.#items) item.due = this.#due(item.bytes);
    this.#pump();
  }

  /** Forgets what is on the line. */
  clear(): void {
    this.#items = [];
    this.#freeAt = 0;
    this.#pump();
  }

  #due(bytes: number): number {
    const now = this.#clock.now();
    if (!this.#pace) return now;
    const { latencyMs, bytesPerSecond } = this.#pace;
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes / bytesPerSecond) * 1000;
    return this.#freeAt + latencyMs;
  }

  #pump(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    // Bytes that are put on the line during a delivery come after it.
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let first = this.#first(); first; first = this.#first()) {
        this.#items.shift();
        first.deliver();
      }
    } finally {
      this.#isDelivering = false;
      this.#wait();
    }
  }

  #first(): Item | undefined {
    const [first] = this.#items;
    const isOut = first && !this.#isStill && first.due <= this.#clock.now();
    return isOut ? first : undefined;
  }

  #wait(): void {
    const [first] = this.#items;
    if (!first || this.#isStill) return;
    const ms = Math.max(0, first.due - this.#clock.now());
    this.#cancel = this.#clock.after(ms, () => this.#pump());
  }
}
