// An agent that cannot be called: it takes its work from its own inbox (P15.3), where its processes
// compete for it.

import type { Inbox } from "../inbox/inbox.ts";
import {
  type Answerer,
  answerWaking,
  keyOf,
  report,
  type WakeOptions,
  type Waking,
} from "./waking.ts";

export interface WorkOptions extends Partial<WakeOptions> {
  /** Inputs that this process answers at once; 1. */
  concurrency?: number;
  /** Ends the work: what has begun is finished. */
  signal?: AbortSignal;
}

/** The first pause before an input is tried again that is still there, and the longest, in ms. */
const PAUSE_MS = 1_000;
const PAUSE_MOST_MS = 60_000;

/**
 * Answers the inputs that wait in an agent's inbox, the oldest first, until `signal` aborts. It
 * connects the inbox, and closes it at the end. Any number of processes may do so: the session
 * gives each input to one of them. By default the sessions are where the inbox is, with its token.
 *
 * Resolves once the last answer is finished; rejects if the inbox gives up.
 */
export function workOn(inbox: Inbox, answerer: Answerer, options: WorkOptions = {}): Promise<void> {
  return new Share(inbox, answerer, options).run();
}

/** One process's share of the work in an inbox. */
class Share {
  readonly #inbox: Inbox;
  readonly #answerer: Answerer;
  readonly #options: WakeOptions;
  readonly #concurrency: number;
  readonly #signal: AbortSignal | undefined;
  /** Answers that are being given, by key. */
  readonly #busy = new Map<string, Promise<void>>();
  /**
   * The inputs that this process has seen to, and how often: the inbox hears a moment later that
   * one is gone.
   */
  readonly #seen = new Map<string, number>();
  /** Timers of inputs that are tried again, by key. */
  readonly #pauses = new Map<string, ReturnType<typeof setTimeout>>();
  #end: (error?: unknown) => void = () => {};

  constructor(
    inbox: Inbox,
    answerer: Answerer,
    { concurrency = 1, signal, ...options }: WorkOptions,
  ) {
    const { role: _, ...where } = inbox.options;
    this.#inbox = inbox;
    this.#answerer = answerer;
    this.#options = { ...where, ...options } as WakeOptions;
    this.#concurrency = concurrency;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((done, fail) => {
      this.#end = (error) => (error ? fail(error) : done());
    });
    const look = () => this.#look();
    const unsubscribe = this.#inbox.subscribe(look);
    this.#signal?.addEventListener("abort", look);
    try {
      if (!this.#signal?.aborted) void this.#inbox.connect();
      look();
      await ended;
    } finally {
      unsubscribe();
      this.#signal?.removeEventListener("abort", look);
      await Promise.all(this.#busy.values());
      for (const timer of this.#pauses.values()) clearTimeout(timer);
      this.#inbox.close();
    }
  }

  #look(): void {
    const { work, hasMore, connection } = this.#inbox.getSnapshot();
    const { state, error } = connection;
    const isOver = this.#signal?.aborted || state === "idle";
    if (isOver || state === "closed") {
      this.#end(isOver ? undefined : error);
      return;
    }
    const waiting = new Set(work.map(keyOf));
    for (const key of this.#seen.keys()) if (!waiting.has(key)) this.#forget(key);
    for (const waking of work) {
      if (this.#busy.size >= this.#concurrency) return;
      this.#begin(waking);
    }
    // A failure is the connection's, which tries again by itself.
    if (hasMore.work && work.length === 0) this.#inbox.loadMore("work").catch(() => {});
  }

  /** Begins with an input, unless this process has seen to it. */
  #begin(waking: Waking): void {
    const key = keyOf(waking);
    const tries = this.#seen.get(key) ?? 0;
    if (this.#pauses.has(key) || this.#busy.has(key)) return;
    this.#seen.set(key, tries + 1);
    const taking = this.#take(waking).then(() => {
      this.#busy.delete(key);
      if (this.#seen.has(key)) this.#pause(key, tries);
      this.#look();
    });
    this.#busy.set(key, taking);
  }

  async #take(waking: Waking): Promise<void> {
    try {
      await answerWaking(waking, this.#answerer, this.#options);
    } catch (error) {
      report(this.#options, error, waking);
    }
  }

  /** An input that is still there is tried again, later each time. */
  #pause(key: string, tries: number): void {
    const ms = Math.min(PAUSE_MOST_MS, PAUSE_MS * 2 ** tries) * (1 + Math.random());
    const again = () => {
      this.#pauses.delete(key);
      this.#look();
    };
    this.#pauses.set(key, setTimeout(again, ms));
  }

  #forget(key: string): void {
    this.#seen.delete(key);
    clearTimeout(this.#pauses.get(key));
    this.#pauses.delete(key);
  }
}
