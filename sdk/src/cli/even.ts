// Text that grows in bursts, written at an even pace: all of it within a window after it came.

/** The time between two writes, about a frame of a terminal. */
const TICK_MS = 30;
/** More than this is no speech, and is written at once. */
const MOST = 4096;

export class Even {
  readonly #write: (text: string) => void;
  readonly #windowMs: number;
  #waiting = "";
  #by = 0;
  #timer: NodeJS.Timeout | undefined;

  /** With a window of 0 everything is written at once. */
  constructor(write: (text: string) => void, windowMs: number) {
    this.#write = write;
    this.#windowMs = windowMs;
  }

  add(text: string, isGrowth: boolean): void {
    this.#waiting += text;
    if (!isGrowth || this.#windowMs === 0 || this.#waiting.length > MOST) {
      this.flush();
      return;
    }
    this.#by = performance.now() + this.#windowMs;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** Writes all that waits. */
  flush(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const text = this.#waiting;
    this.#waiting = "";
    if (text !== "") this.#write(text);
  }

  #tick(): void {
    const left = this.#by - performance.now();
    const share = left <= TICK_MS ? 1 : TICK_MS / left;
    const at = boundary(this.#waiting, Math.ceil(this.#waiting.length * share));
    if (at >= this.#waiting.length) {
      this.flush();
      return;
    }
    const text = this.#waiting.slice(0, at);
    this.#waiting = this.#waiting.slice(at);
    this.#write(text);
  }
}

/** A place that splits no pair of surrogates, at or after `at`. */
function boundary(text: string, at: number): number {
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at + 1 : at;
}
