// Older messages, read back on demand (P3.9).

import type { Log } from "../log/log.ts";
import type { Message, Page, Turn } from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import type { Session } from "./session.ts";

/** Messages in a page of history that is searched, and at most (P3.9). */
const PAGE = 100;
const PAGE_MOST = 1000;

/** Reads messages older than those that a session began with. */
export function historyOf(session: Session): HistoryFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new HistoryFeature(engine);

export class HistoryFeature implements Feature {
  readonly #engine: Engine;
  #loading: Promise<number> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether older messages are being read. */
  get value(): boolean {
    return this.#loading !== undefined;
  }

  /** Whether `loadOlder` would find more. */
  get hasOlder(): boolean {
    return this.#engine.log.hasOlder;
  }

  /**
   * Reads `count` more messages, or all that are left; resolves to their number. They appear
   * together. One request runs at a time: a second call gets the same promise.
   */
  loadOlder(count = 50): Promise<number> {
    const { changed } = this.#engine;
    this.#loading ??= this.#load(count).finally(() => {
      this.#loading = undefined;
      changed();
    });
    changed();
    return this.#loading;
  }

  /** Reads until as many messages are there as were shown. */
  complete(next: Log, shown: Log): Promise<unknown> {
    return this.#loadInto(next, shown.messages.length - next.messages.length).catch(() => 0);
  }

  async #load(count: number): Promise<number> {
    for (;;) {
      const { log } = this.#engine;
      const found = await this.#loadInto(log, count);
      // Read anew meanwhile: the result belongs to the old log.
      if (log === this.#engine.log) return found;
    }
  }

  #loadInto(log: Log, count: number): Promise<number> {
    const { link, options } = this.#engine;
    const { names } = options;
    const isWanted = names && (({ name }: Message) => names.includes(name));
    const read = (before: string | undefined, limit: number) =>
      link.read<Page>(`messages?limit=${limit}${before ? `&before=${before}` : ""}`);
    return loadOlder(log, count, read, isWanted);
  }
}

/**
 * Reads back in history until `count` more messages are in a log, or none are left; `read` returns
 * a page before a place. They appear together.
 */
export async function loadOlder(
  log: Log,
  count: number,
  read: (before: string | undefined, limit: number) => Promise<Page>,
  isWanted?: (message: Message) => boolean,
): Promise<number> {
  const found: Message[] = [];
  const turns: Turn[] = [];
  let { before, hasOlder } = log;
  while (found.length < count && hasOlder) {
    // Where only some messages are wanted, they are not read one by one.
    const limit = isWanted ? PAGE : Math.min(count - found.length, PAGE_MOST);
    const page = await read(before, limit);
    turns.push(...(page.turns ?? []));
    hasOlder = page.hasMore;
    for (const message of page.messages) {
      if (found.length === count) {
        hasOlder = true;
        break;
      }
      before = message.serial;
      // A message may be held already: one that streamed when the reader came.
      if (!log.get(before) && (isWanted?.(message) ?? true)) found.push(message);
    }
  }
  Object.assign(log, { before, hasOlder });
  log.keep(found, turns);
  return found.length;
}
