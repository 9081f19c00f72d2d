// The even pace of a growing text: the part that a window brought is shown over the length of one
// window, so that long windows look like short ones. It never shows what is not stored, and is
// never more than one window behind.

import type { SessionOptions } from "../client/types.ts";
import type { ConnectionOptions } from "../connection/types.ts";

/**
 * The window that a paced page asks for: a turn of 15 s is within 60 rows then, a quarter
 * of those at the session's default (docs/costs.md).
 */
const WINDOW_MS = 320;
/** The session's default (P5.4). */
const DEFAULT_MS = 40;
/** A window ends early at so much text (P5.4): more than this at once is a replay. */
export const MOST_LENGTH = 64 * 1024;

/** A session's options, in a page with its window, unless they say another. */
export function paced<O extends Partial<SessionOptions>>(options: O): O {
  const isPaced = options.pace !== false && globalThis.document;
  return isPaced ? { rollup: WINDOW_MS, ...options } : options;
}

/** The time over which a session's text is shown; 0 if that is at once. */
export function windowOf({ link }: { link: { options: ConnectionOptions } }): number {
  const { pace = true, rollup = DEFAULT_MS } = link.options as SessionOptions;
  return pace ? rollup : 0;
}

/** How much is to be shown by when: each part within its window, all as evenly as that allows. */
export class Schedule {
  #place = 0;
  #at = 0;
  #due: { length: number; by: number }[] = [];

  /** All up to a length is to be shown within a time. */
  add(length: number, ms: number, now: number): void {
    if (this.#due.length === 0) this.#at = now;
    this.#due.push({ length, by: now + ms });
  }

  /** All up to a length is shown. */
  reach(length: number): void {
    this.#place = length;
    this.#due = [];
  }

  /** How much is to be shown now. */
  place(now: number): number {
    const from = this.#place;
    const ms = now - this.#at;
    this.#at = now;
    for (const { length, by } of this.#due) {
      const share = by <= now ? 1 : ms / (by - now + ms);
      this.#place = Math.max(this.#place, from + (length - from) * share);
    }
    this.#due = this.#due.filter(({ length }) => length > this.#place);
    return Math.floor(this.#place);
  }
}

let segmenter: Intl.Segmenter | undefined;

/** Enough of what follows to tell where a character begins. */
const LOOK_AHEAD = 32;

/** A place in a text that splits no character as people see it, at or before `at`. */
export function boundary(text: string, from: number, at: number): number {
  if (at >= text.length) return text.length;
  // An older browser: at least no surrogate pair.
  if (!Intl.Segmenter) return /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;
  segmenter ??= new Intl.Segmenter();
  const part = segmenter.segment(text.slice(from, at + LOOK_AHEAD)).containing(at - from);
  return from + (part?.index ?? 0);
}

/** One text. */
export class Flow {
  /** The turn that says it. */
  readonly turn: string | undefined;
  /** How much of it is shown, in UTF-16 code units. */
  shown = 0;
  #text = "";
  readonly #schedule = new Schedule();

  constructor(turn?: string) {
    this.turn = turn;
  }

  get isBehind(): boolean {
    return this.shown < this.#text.length;
  }

  /** The text is this now. Its first part, and whatever is no more of the same, shows at once. */
  grow(text: string, ms: number, now: number): void {
    if (text === this.#text) return;
    const isMore = this.shown > 0 && text.startsWith(this.#text);
    this.#text = text;
    const { length } = text;
    if (isMore && length - this.shown <= MOST_LENGTH) this.#schedule.add(length, ms, now);
    else this.finish();
  }

  /** Shows all of it; returns whether that is more than before. */
  finish(): boolean {
    const { length } = this.#text;
    const isMore = length > this.shown;
    this.shown = length;
    this.#schedule.reach(length);
    return isMore;
  }

  /** Shows what is due; returns whether that is more than before. */
  advance(now: number): boolean {
    const at = boundary(this.#text, this.shown, this.#schedule.place(now));
    if (at <= this.shown) return false;
    this.shown = at;
    return true;
  }
}
