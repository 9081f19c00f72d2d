// The fold: what a reader holds of a session, and how one frame changes it (P3, P4.4). It owns the
// messages and the turns; whatever shows them only looks. What it gives is never changed again:
// an object that is the same means that nothing in it is different. So a list is copied before
// the first change after somebody looked, and a frame takes time by what it changes.

import {
  isOpen,
  type Message,
  type Page,
  placeOf,
  type ServerFrame,
  type Snapshot,
  type TrimFrame,
  type Turn,
} from "../protocol/index.ts";
import { placeIn } from "./place.ts";
import { isLinkedAlike, type News } from "./tree.ts";

/** Messages in a page of history that is searched, and at most (P3.9). */
const PAGE = 100;
const PAGE_MOST = 1000;

export class Log {
  /** Up to where the reader has everything (P3.7). */
  position: string | undefined;
  /** Whether `caught-up` is still to come. */
  isReplaying = true;
  /** Whether history holds more than this. */
  hasOlder = false;
  /** Messages that are to be read again (P3.10). */
  readonly gaps = new Set<string>();
  /** The log's end when the reader began: what is not held before it is older (P3.7). */
  #start = "";
  /** Before this place history is not held; none while only streaming messages are. */
  #before: string | undefined;
  #messages: Message[] = [];
  readonly #turns = new Map<string, Turn>();
  #turnList: readonly Turn[] | undefined;
  /** Whether somebody has the list of messages, so that it is not to be changed any more. */
  #isShown = false;
  /** Nobody follows the changes until they were asked for once. */
  #news: News | undefined;
  /** The place of each turn's latest change, where that was told. */
  readonly #changes = new Map<string, string>();

  /** A log of what was read over HTTP; connecting goes on from there. */
  static from(snapshot: Snapshot): Log {
    const log = new Log();
    const { serial } = snapshot;
    log.#begin(snapshot);
    log.#keep(snapshot.messages, snapshot.turns);
    log.take({ type: "caught-up", serial });
    return log;
  }

  /** All messages in the log's order, tombstones among them. */
  get messages(): readonly Message[] {
    this.#isShown = true;
    return this.#messages;
  }

  /** The turns that are known, by id: always as they are now. */
  get turns(): ReadonlyMap<string, Turn> {
    return this.#turns;
  }

  /** The same as a list that never changes. */
  get turnList(): readonly Turn[] {
    this.#turnList ??= [...this.#turns.values()];
    return this.#turnList;
  }

  get(serial: string): Message | undefined {
    const index = this.#find(serial);
    return index < 0 ? undefined : this.#messages[index];
  }

  /** The changes since this was last asked; nothing where everything may be different. */
  news(): News | undefined {
    const news = this.#news;
    const from = this.#messages.length;
    this.#news = { changed: new Set(), from, turns: new Set(), isOther: false };
    return news;
  }

  /** Takes one frame. Frames that say nothing about the log change nothing (P1.4). */
  take(frame: ServerFrame): void {
    switch (frame.type) {
      case "attached":
        this.isReplaying = true;
        if (!frame.resumed) this.#begin(frame);
        for (const turn of frame.turns ?? []) this.#putTurn(turn);
        return;
      case "caught-up":
        // All that a reader starts with is next to each other but for what still streams (P3.3).
        this.#before ??= this.#messages.find(({ status }) => status !== "streaming")?.serial;
        this.isReplaying = false;
        // A session in which nothing was ever written has no place to give (P1.2).
        this.position = frame.serial || undefined;
        return;
      case "message.create":
      case "message.update":
        if (frame.type === "message.create" || !this.#isOutside(frame.message.serial)) {
          this.#put(frame.type === "message.create" ? frame.message : this.#changed(frame.message));
        }
        break;
      case "message.append":
        this.#append(frame);
        break;
      case "message.summary": {
        const { annotations } = frame;
        this.#change(frame, (held) => ({ ...held, annotations }));
        break;
      }
      case "message.delete":
        this.#change(frame, tombstone);
        this.gaps.delete(frame.serial);
        break;
      case "log.trim":
        this.#trim(frame);
        break;
      default:
        if (!("turn" in frame)) break;
        // An instruction is a message, and no change of its turn (P3.5).
        if (frame.type !== "turn.steer") this.#changes.set(frame.turn.id, frame.serial);
        this.#putTurn(frame.turn);
    }
    const place = placeOf(frame);
    if (!this.isReplaying && place > (this.position ?? "")) this.position = place;
  }

  /** Turns that were read by themselves, where nothing newer is known. */
  addTurns(turns: readonly Turn[]): void {
    for (const turn of turns) if (!this.#turns.has(turn.id)) this.#putTurn(turn);
  }

  /** A message that was read by itself, after a gap. */
  mend(message: Message): void {
    // A message that changed while it was read is read once more.
    if ((this.get(message.serial)?.version ?? "") > message.version) return;
    // Asked for by a log that was dropped meanwhile, it would be of another life.
    if (this.gaps.delete(message.serial)) this.#put(message);
  }

  /**
   * Reads back in history until `count` more messages are there, or no more; `read` gives a page
   * of what is before a place. They are there all at once.
   */
  async loadOlder(
    count: number,
    read: (before: string | undefined, limit: number) => Promise<Page>,
    isWanted?: (message: Message) => boolean,
  ): Promise<number> {
    const found: Message[] = [];
    const turns: Turn[] = [];
    let before = this.#before;
    let hasOlder = this.hasOlder;
    while (found.length < count && hasOlder) {
      // What only some of are wanted of is not read one by one.
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
        if (this.#find(before) < 0 && (isWanted?.(message) ?? true)) found.push(message);
      }
    }
    this.#before = before;
    this.hasOlder = hasOlder;
    this.#keep(found, turns);
    return found.length;
  }

  #begin({ serial, hasOlder }: { serial: string; hasOlder: boolean }): void {
    this.#start = serial;
    this.hasOlder = hasOlder;
  }

  #keep(messages: readonly Message[], turns: readonly Turn[] = []): void {
    this.addTurns(turns);
    for (const message of messages) this.#put(message);
  }

  /** Older than what the reader was given to begin with (P3.7). */
  #isOutside(serial: string): boolean {
    return serial <= this.#start && this.#find(serial) < 0;
  }

  /** A message that changed. One without data has the data that it had (P4.4). */
  #changed(message: Message): Message {
    const held = "data" in message ? undefined : this.get(message.serial);
    if (held?.data === undefined) return message;
    return { ...message, data: held.data };
  }

  /** Messages go, and final turns as the session forgets them: with their last change (P11.2). */
  #trim({ before, keep = [] }: TrimFrame): void {
    const kept = new Set(keep);
    this.#messages = this.#messages.filter(({ serial }) => serial >= before || kept.has(serial));
    this.#isShown = false;
    if (this.#news) this.#news.isOther = true;
    const named = new Set(this.#messages.flatMap(({ serial, turn = "" }) => [serial, turn]));
    for (const turn of this.turnList) {
      const place = this.#changes.get(turn.id);
      // Of one that history gave nobody said when it changed: it goes with all that it is about.
      const isAbout = named.has(turn.id) || named.has(turn.input ?? "");
      if (!isOpen(turn) && (place === undefined ? !isAbout : place < before)) {
        this.#dropTurn(turn.id);
      }
    }
  }

  #append(frame: Extract<ServerFrame, { type: "message.append" }>): void {
    const { serial, version, offset, data, status, headers } = frame;
    if (!this.get(serial) && !this.#isOutside(serial)) this.gaps.add(serial);
    this.#change(frame, (held) => {
      const text = typeof held.data === "string" ? held.data : "";
      if (offset > text.length) this.gaps.add(serial);
      // The same change once more, of which more is held already.
      const isOld = version === held.version && offset + data.length < text.length;
      if (isOld || offset > text.length) return undefined;
      // Keep up to the offset and put the data there: an overlap does no harm (P3.10).
      const ended = { ...(status && { status }), ...(headers && { headers }) };
      return { ...held, data: text.slice(0, offset) + data, ...ended };
    });
  }

  /** Changes what is held, unless it is newer already. */
  #change(
    { serial, version }: { serial: string; version: string },
    to: (held: Message) => Message | undefined,
  ): void {
    const held = this.get(serial);
    const changed = held && held.version <= version && to(held);
    if (changed) this.#put({ ...changed, version });
  }

  /** Where a message is, or, as `-1 - index`, where it belongs. */
  #find(serial: string): number {
    return placeIn(this.#messages, serial);
  }

  #put(message: Message): void {
    const index = this.#find(message.serial);
    const held = this.#messages[index];
    if (held && held.version > message.version) return;
    const at = held ? index : -1 - index;
    this.#note(message, held, at);
    if (this.#isShown) this.#messages = this.#messages.slice();
    this.#isShown = false;
    if (held) this.#messages[at] = message;
    else this.#messages.splice(at, 0, message);
  }

  #note(message: Message, held: Message | undefined, at: number): void {
    const news = this.#news;
    if (!news) return;
    if (held) {
      if (at < news.from) news.changed.add(message.serial);
      if (!isLinkedAlike(held, message)) news.isOther = true;
    } else if (at < this.#messages.length) news.isOther = true;
  }

  #dropTurn(id: string): void {
    this.#changes.delete(id);
    this.#turns.delete(id);
    this.#turnList = undefined;
    this.#news?.turns.add(id);
  }

  #putTurn(turn: Turn): void {
    const { id, input, parent } = turn;
    const held = this.#turns.get(id);
    this.#turns.set(id, turn);
    this.#turnList = undefined;
    if (held?.input !== input || held?.parent !== parent) this.#news?.turns.add(id);
  }
}

function tombstone(held: Message): Message {
  const { data: _data, status, annotations: _annotations, ...rest } = held;
  // How a stream ended that was deleted, and when, is not told, but in history.
  const ended = status !== "streaming" && status;
  return { ...rest, ...(ended && { status: ended }), deletedAt: Date.now() };
}
