// The fold: a reader's state of a session, and the effect of each frame on it (P3, P4.4). It owns
// the messages and the turns; its readers only look. Its values never change in place: the same
// object means no difference inside. So a list is copied before the first change after a read, and
// a frame costs only the time of its change.

import {
  isOpen,
  type Message,
  placeOf,
  type ServerFrame,
  type Snapshot,
  type TrimFrame,
  type Turn,
} from "../protocol/index.ts";
import { List } from "./list.ts";

/** Follows the changes of a log, at the cost of each. */
export interface Follower {
  /** A message is new, or another object than it `was`. */
  put(message: Message, was: Message | undefined): void;
  /** A turn is new or changed; without `is` it is gone. */
  turn?(id: string, is: Turn | undefined, was: Turn | undefined): void;
  /** Messages are gone. */
  trimmed(): void;
}

export class Log {
  /** The position up to which the reader has everything (P3.7). */
  position: string | undefined;
  /** Whether `caught-up` is still to come. */
  isReplaying = true;
  /** Whether history holds more than this. */
  hasOlder = false;
  /** Messages that must be read again (P3.10). */
  readonly gaps = new Set<string>();
  /** The place before which history is not held; none while only streaming messages are. */
  before: string | undefined;
  readonly followers = new Set<Follower>();
  /** The log's end when the reader began: an unknown message before it is older (P3.7). */
  #start = "";
  readonly #all = new List();
  /** Without tombstones: the same list while there are none. */
  #shown = this.#all;
  readonly #turns = new Map<string, Turn>();
  #turnList: readonly Turn[] | undefined;
  /** The place of each turn's latest change, where known. */
  readonly #changes = new Map<string, string>();

  /** A log, perhaps of a snapshot read over HTTP; connecting continues from there. */
  constructor(initial?: Snapshot) {
    if (!initial) return;
    this.#begin(initial);
    this.keep(initial.messages, initial.turns);
    this.take({ type: "caught-up", serial: initial.serial });
  }

  /** All messages in the log's order, tombstones among them; a new list at each change. */
  get messages(): readonly Message[] {
    return this.#all.items;
  }

  /** The messages without tombstones. */
  get shown(): readonly Message[] {
    return this.#shown.items;
  }

  /** The known turns, by id: always current. */
  get turns(): ReadonlyMap<string, Turn> {
    return this.#turns;
  }

  /** The turns as a list that never changes. */
  get turnList(): readonly Turn[] {
    this.#turnList ??= [...this.#turns.values()];
    return this.#turnList;
  }

  get(serial: string): Message | undefined {
    return this.#all.get(serial);
  }

  /** Takes one frame. Frames without news of the log change nothing (P1.4). */
  take(frame: ServerFrame): void {
    switch (frame.type) {
      case "attached":
        this.isReplaying = true;
        if (!frame.resumed) this.#begin(frame);
        for (const turn of frame.turns ?? []) this.#putTurn(turn);
        return;
      case "caught-up":
        // A reader's first messages are contiguous, except those that still stream (P3.3).
        this.before ??= this.messages.find(({ status }) => status !== "streaming")?.serial;
        this.isReplaying = false;
        // A session without any write has no place to give (P1.2).
        this.position = frame.serial || undefined;
        return;
      case "message.create":
        this.#put(frame.message);
        break;
      case "message.update":
        if (!this.#isOutside(frame.message.serial)) this.#put(this.#changed(frame.message));
        break;
      case "message.append":
        this.#append(frame);
        break;
      case "message.summary": {
        // The message keeps its own version, for edits with `ifVersion` and reads after a gap.
        const held = this.get(frame.serial);
        if (held) this.#put({ ...held, annotations: frame.annotations });
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

  /** A message that was read alone, after a gap. */
  mend(message: Message): void {
    // A message that changed during the read is read once more.
    if ((this.get(message.serial)?.version ?? "") > message.version) return;
    // Requested by a log that was dropped meanwhile, it would be of another life.
    if (this.gaps.delete(message.serial)) this.#put(message);
  }

  /** Adds messages of history, and turns without newer knowledge. */
  keep(messages: readonly Message[], turns: readonly Turn[] = []): void {
    for (const turn of turns) if (!this.#turns.has(turn.id)) this.#putTurn(turn);
    for (const message of messages) this.#put(message);
  }

  #begin({ serial, hasOlder }: { serial: string; hasOlder: boolean }): void {
    this.#start = serial;
    this.hasOlder = hasOlder;
  }

  /** Older than the reader's first messages (P3.7). */
  #isOutside(serial: string): boolean {
    return serial <= this.#start && !this.get(serial);
  }

  /** A message that changed. One without data has the data that it had (P4.4). */
  #changed(message: Message): Message {
    const held = "data" in message ? undefined : this.get(message.serial);
    if (held?.data === undefined) return message;
    return { ...message, data: held.data };
  }

  /**
   * Removes messages, and final turns as the session forgets them: with their last change (P11.2).
   */
  #trim({ before, keep = [] }: TrimFrame): void {
    const kept = new Set(keep);
    for (const list of [this.#all, this.#shown]) {
      list.keep(({ serial }) => serial >= before || kept.has(serial));
    }
    for (const follower of this.followers) follower.trimmed();
    const named = new Set(this.messages.flatMap(({ serial, turn = "" }) => [serial, turn]));
    for (const turn of this.turnList) {
      const place = this.#changes.get(turn.id);
      // A turn from history has no known time of change: it is removed with all its messages.
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
      // A repeat of a change, of which more is held already.
      const isOld = version === held.version && offset + data.length < text.length;
      if (isOld || offset > text.length) return undefined;
      // Keep up to the offset and put the data there: an overlap does no harm (P3.10).
      const ended = { ...(status && { status }), ...(headers && { headers }) };
      return { ...held, data: text.slice(0, offset) + data, ...ended };
    });
  }

  /** Changes the held message, unless that is newer already. */
  #change(
    { serial, version }: { serial: string; version: string },
    to: (held: Message) => Message | undefined,
  ): void {
    const held = this.get(serial);
    const changed = held && held.version <= version && to(held);
    if (changed) this.#put({ ...changed, version });
  }

  #put(message: Message): void {
    const { serial, deletedAt } = message;
    const held = this.get(serial);
    if (held && held.version > message.version) return;
    for (const follower of this.followers) follower.put(message, held);
    this.#all.put(message);
    if (deletedAt !== undefined) {
      if (this.#shown === this.#all) this.#shown = new List([...this.messages]);
      this.#shown.drop(serial);
    } else if (this.#shown !== this.#all) this.#shown.put(message);
  }

  #dropTurn(id: string): void {
    const held = this.#turns.get(id);
    this.#changes.delete(id);
    this.#turns.delete(id);
    this.#turnList = undefined;
    for (const follower of this.followers) follower.turn?.(id, undefined, held);
  }

  #putTurn(turn: Turn): void {
    const { id } = turn;
    const held = this.#turns.get(id);
    this.#turns.set(id, turn);
    this.#turnList = undefined;
    for (const follower of this.followers) follower.turn?.(id, turn, held);
  }
}

function tombstone(held: Message): Message {
  const { data: _data, status, annotations: _annotations, ...rest } = held;
  // The status and time of a deleted stream are told in history only.
  const ended = status !== "streaming" && status;
  return { ...rest, ...(ended && { status: ended }), deletedAt: Date.now() };
}
