// Chunks of an answer whose texts come at an even pace: for streams. All other chunks come at once,
// and whatever waits comes before them.

import { boundary, MOST_LENGTH, Schedule } from "./flow.ts";
import { type Clock, PAGE } from "./page.ts";

/** A chunk of any adapter; those of texts have a `delta`. */
interface Chunk {
  readonly type?: unknown;
  readonly delta?: unknown;
}

/** A chunk on its way. */
interface Item<C> {
  chunk: C;
}

const TEXT = /^(text|reasoning)-delta$|^(TEXT|REASONING)_MESSAGE_CONTENT$/;

export class PacedChunks<C extends Chunk, I extends Item<C> = Item<C>> {
  /** Called when there is something to `take` that came by its time. */
  due = () => {};
  readonly #ms: number;
  readonly #clock: Clock;
  #ready: I[] = [];
  /** Texts that are held back. */
  #waiting: I[] = [];
  /** The length of all texts, and of those that are ready. */
  #length = 0;
  #taken = 0;
  readonly #schedule = new Schedule();
  #isTimed = false;

  constructor(ms: number, clock = PAGE) {
    this.#ms = ms;
    this.#clock = clock;
  }

  /** Adds chunks that came together; those of a replay come at once. */
  put(items: readonly I[], isLive: boolean): void {
    if (items.length === 0) return;
    const length = items.reduce((sum, { chunk }) => sum + textOf(chunk).length, 0);
    const isText = items.every(({ chunk }) => textOf(chunk));
    this.#waiting.push(...items);
    this.#length += length;
    const isPaced = isLive && isText && length <= MOST_LENGTH && this.#ms > 0;
    if (!isPaced || !this.#clock.isSeen()) {
      this.flush();
      return;
    }
    this.#schedule.add(this.#length, this.#ms, this.#clock.now());
    this.#time();
  }

  /** The chunks that are due now. */
  take(): I[] {
    return this.#ready.splice(0);
  }

  get isReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Makes everything due. */
  flush(): void {
    this.#ready.push(...this.#waiting.splice(0));
    this.#taken = this.#length;
    this.#schedule.reach(this.#length);
  }

  #time(): void {
    if (this.#isTimed || this.#waiting.length === 0) return;
    this.#isTimed = true;
    this.#clock.inNextFrame(() => {
      this.#isTimed = false;
      this.#advance();
      this.#time();
      if (this.isReady) this.due();
    });
  }

  #advance(): void {
    if (!this.#clock.isSeen()) {
      this.flush();
      return;
    }
    let more = this.#schedule.place(this.#clock.now()) - this.#taken;
    for (let [first] = this.#waiting; first && more > 0; [first] = this.#waiting) {
      const text = textOf(first.chunk);
      const at = boundary(text, 0, more);
      // The whole of a character has to wait.
      if (at === 0) return;
      this.#taken += at;
      more -= at;
      if (at === text.length) this.#ready.push(...this.#waiting.splice(0, 1));
      else {
        this.#ready.push(withText(first, text.slice(0, at)));
        this.#waiting[0] = withText(first, text.slice(at));
        return;
      }
    }
  }
}

function textOf({ type, delta }: Chunk): string {
  return typeof delta === "string" && TEXT.test(String(type)) ? delta : "";
}

function withText<C extends Chunk, I extends Item<C>>(item: I, delta: string): I {
  return { ...item, chunk: { ...item.chunk, delta } };
}
