// Two readers in one. The strict one records every gap, overlap and repeat as a violation; the
// lenient one folds as P3.10 allows any client to. Both must end with the session's text.

import assert from "node:assert/strict";
import { type Client, type ConnectOptions, open } from "./client.ts";
import { type Event, type Events, type EventsOptions, openEvents } from "./events.ts";
import {
  type Frame,
  isLogFrame,
  isTurnFrame,
  type Member,
  type Message,
  place,
  type Turn,
} from "./frames.ts";
import type { Server } from "./server.ts";
import { within } from "./wait.ts";

export interface Counts {
  [type: string]: number;
}

const ENDED = new Set(["complete", "cancelled", "failed"]);

function copy(messages: ReadonlyMap<string, Message>): Map<string, Message> {
  return new Map([...messages].map(([serial, message]) => [serial, { ...message }]));
}

function textOf(message: Message | undefined): string {
  return typeof message?.data === "string" ? message.data : "";
}

/** A reader's state, by the strict reading of `offset`, `version` and position. */
export class Fold {
  messages = new Map<string, Message>();
  lenient = new Map<string, string>();
  /** Each turn as it was last told. */
  turns = new Map<string, Turn>();
  /** The members, by connection. */
  members = new Map<string, Member>();
  position: string | undefined;
  violations: string[] = [];
  /** Log frames by type since the last `attached`, and in all. */
  sinceAttach: Counts = {};
  counts: Counts = {};
  isLive = false;
  attached: Frame | undefined;
  /** How often it was attached. */
  attaches = 0;
  /** The log's end when the reader last began from nothing. */
  #origin = "";
  #safe = new Map<string, Message>();

  /** Takes what came in one WebSocket message, whole: a position never lies inside it (P3.7). */
  take(frames: readonly Frame[]): void {
    for (const frame of frames) this.#one(frame);
  }

  text(serial: string): string {
    return textOf(this.messages.get(serial));
  }

  get newest(): Message | undefined {
    return [...this.messages.values()].at(-1);
  }

  assertSound(): void {
    assert.deepEqual(this.violations, [], "no gap, no overlap, no repeat");
  }

  #wrong(frame: Frame, why: string): void {
    this.violations.push(`${why}: ${JSON.stringify(frame).slice(0, 300)}`);
  }

  #one(frame: Frame): void {
    if (frame.type === "attached") {
      this.#attach(frame);
      return;
    }
    if (frame.type === "caught-up") {
      // A session in which nothing was ever written has no serial to give (P1.2).
      if (!frame.serial && this.messages.size > 0) this.#wrong(frame, "caught-up without a serial");
      this.position = frame.serial || undefined;
      this.isLive = true;
      return;
    }
    this.#presence(frame);
    if (!isLogFrame(frame)) return;
    this.sinceAttach[frame.type] = (this.sinceAttach[frame.type] ?? 0) + 1;
    this.counts[frame.type] = (this.counts[frame.type] ?? 0) + 1;
    this.#lenient(frame);
    const at = place(frame);
    if (this.isLive && frame.type !== "log.trim") {
      // An instruction is one entry and two frames (P6.7).
      const isSecond = frame.type === "turn.steer" && at === this.position;
      // Usage is no entry (P6.12).
      const hasPlace = frame.type !== "turn.usage";
      if (this.position !== undefined && at <= this.position && !isSecond && hasPlace) {
        this.#wrong(frame, `a live frame at or before the position ${this.position}`);
      }
    }
    if (isTurnFrame(frame)) this.#turn(frame);
    else this.#strict(frame);
    if (this.isLive && at > (this.position ?? "")) this.position = at;
  }

  #turn(frame: Frame): void {
    const { turn } = frame;
    const held = turn === undefined ? undefined : this.turns.get(turn.id);
    if (turn === undefined || frame.serial === undefined) {
      this.#wrong(frame, "a turn frame without a turn or a serial");
      return;
    }
    if (held !== undefined && this.isLive) {
      if (ENDED.has(held.status)) this.#wrong(frame, "after the turn's end");
      if (turn.attempt < held.attempt) this.#wrong(frame, "an attempt before the last");
    }
    this.turns.set(turn.id, turn);
  }

  #presence(frame: Frame): void {
    const { type, member } = frame;
    if (!type.startsWith("presence.") || member === undefined) return;
    const isHeld = this.members.has(member.connection);
    if (isHeld === (type === "presence.enter")) this.#wrong(frame, "presence out of order");
    if (type === "presence.leave") this.members.delete(member.connection);
    else this.members.set(member.connection, member);
  }

  #attach(frame: Frame): void {
    this.attached = frame;
    if (frame.resumed !== true) this.turns = new Map();
    for (const turn of frame.turns ?? []) this.turns.set(turn.id, turn);
    this.members = new Map((frame.presence ?? []).map((member) => [member.connection, member]));
    this.attaches += 1;
    this.sinceAttach = {};
    if (frame.resumed === true) {
      // Cut inside the replay before: what it brought lies beyond the position and comes again.
      if (!this.isLive) this.messages = copy(this.#safe);
    } else {
      this.messages = new Map();
      this.lenient = new Map();
      this.position = undefined;
      this.#origin = frame.serial ?? "";
    }
    this.#safe = copy(this.messages);
    this.isLive = false;
  }

  #strict(frame: Frame): void {
    if (frame.type === "log.trim") {
      for (const serial of this.messages.keys()) {
        const isKept = frame.keep?.includes(serial) === true;
        if (serial < (frame.before ?? "") && !isKept) this.messages.delete(serial);
      }
      return;
    }
    const serial = frame.message?.serial ?? frame.serial;
    if (serial === undefined) {
      this.#wrong(frame, "a log frame without a serial");
      return;
    }
    const held = this.messages.get(serial);
    if (frame.type === "message.create") {
      this.#create(frame, held);
      return;
    }
    if (held === undefined) {
      // An unknown message from before the reader is older than its replay (P3.7).
      const isGone = frame.type === "message.delete" && !this.isLive;
      if (!isGone && serial > this.#origin) {
        this.#wrong(frame, "about a message that never came");
      }
      return;
    }
    // The message keeps its version (P9.3).
    if (frame.type === "message.summary") return;
    const version = frame.message?.version ?? frame.version;
    if (version === undefined || version <= held.version) {
      this.#wrong(frame, `version does not follow ${held.version}`);
    }
    this.#change(frame, held, version ?? held.version);
  }

  #create(frame: Frame, held: Message | undefined): void {
    const { message } = frame;
    if (held !== undefined || message === undefined) {
      this.#wrong(frame, held === undefined ? "created without a message" : "created again");
      return;
    }
    if (this.isLive && message.version !== message.serial) {
      this.#wrong(frame, "a new message's version is not its serial");
    }
    const newest = this.newest;
    if (newest !== undefined && message.serial <= newest.serial) {
      this.#wrong(frame, "created out of order");
    }
    this.messages.set(message.serial, { ...message });
  }

  #change(frame: Frame, held: Message, version: string): void {
    if (frame.type === "message.append") {
      const text = textOf(held);
      if (frame.offset !== text.length) {
        this.#wrong(frame, `offset is not the ${text.length} that is held`);
      }
      held.data = text + String(frame.data ?? "");
      if (frame.status !== undefined) held.status = frame.status;
      if (frame.headers !== undefined) held.headers = frame.headers;
    } else if (frame.type === "message.update" && frame.message !== undefined) {
      // Without data it says the same as before (P4.4).
      const said = "data" in frame.message ? {} : { data: held.data };
      this.messages.set(held.serial, { ...frame.message, ...said });
      return;
    } else if (frame.type === "message.delete") {
      delete held.data;
      held.deletedAt = held.deletedAt ?? 1;
    } else {
      this.#wrong(frame, "not a frame for readers");
    }
    held.version = version;
  }

  /** P3.10 as any client may read it: keep the text up to `offset`, put `data` there. */
  #lenient(frame: Frame): void {
    if (frame.type === "message.update" && !("data" in (frame.message ?? {}))) return;
    if (frame.message !== undefined) {
      this.lenient.set(frame.message.serial, textOf(frame.message));
      return;
    }
    if (frame.type !== "message.append" || frame.serial === undefined) return;
    const held = this.lenient.get(frame.serial);
    if (held === undefined) return;
    const offset = frame.offset ?? 0;
    if (held.length < offset) this.#wrong(frame, "a gap, even for a lenient reader");
    this.lenient.set(frame.serial, held.slice(0, offset) + String(frame.data ?? ""));
  }
}

/** A reader over WebSocket that is cut and resumes from its position. */
export class Reader {
  readonly fold = new Fold();
  client: Client | undefined;
  arrays = 0;
  bytes = 0;
  /** Bytes and WebSocket messages since the last attach began. */
  bytesSince = 0;
  #server: Pick<Server, "url">;
  #session: string;
  #options: ConnectOptions;
  #waiters: { isSo: (fold: Fold) => boolean; done: () => void }[] = [];
  onFrames: (frames: Frame[]) => void = () => {};

  constructor(server: Pick<Server, "url">, session: string, options: ConnectOptions = {}) {
    this.#server = server;
    this.#session = session;
    this.#options = options;
  }

  /** Attaches, after the position if there is one, and waits for `caught-up` unless told not to. */
  async attach(query: Record<string, string | number> = {}, isWaiting = true): Promise<void> {
    const since = this.fold.position;
    const client = await open(this.#server, this.#session, {
      ...this.#options,
      keep: false,
      isPaused: true,
      query: { ...this.#options.query, ...(since === undefined ? {} : { since }), ...query },
    });
    this.bytesSince = 0;
    this.client = client;
    client.onFrames = (frames) => {
      if (this.client !== client) return;
      this.arrays += 1;
      this.fold.take(frames);
      this.onFrames(frames);
      this.bytesSince = client.bytes;
      this.#settle();
    };
    const caughtUp = isWaiting ? client.next("caught-up") : undefined;
    client.begin();
    await caughtUp;
  }

  #settle(): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.isSo(this.fold)) return true;
      waiter.done();
      return false;
    });
  }

  /** Waits until what is held satisfies; looks at every WebSocket message. */
  async holds(isSo: (fold: Fold) => boolean, what: string): Promise<void> {
    if (isSo(this.fold)) return;
    await within(new Promise<void>((done) => this.#waiters.push({ isSo, done })), what).catch(
      (error: Error) => {
        throw new Error(`${error.message}; violations: ${this.fold.violations.join("; ")}`);
      },
    );
  }

  holdsText(serial: string, text: string): Promise<void> {
    return this.holds(
      (fold) => fold.text(serial) === text,
      `a reader to hold ${text.length} units`,
    );
  }

  holdsStatus(serial: string, status: string): Promise<void> {
    return this.holds((fold) => fold.messages.get(serial)?.status === status, `status ${status}`);
  }

  holdsTurn(id: string, status: string): Promise<void> {
    return this.holds((fold) => fold.turns.get(id)?.status === status, `turn ${id} ${status}`);
  }

  /** Cuts without a goodbye; nothing that is still on its way is read. */
  async cut(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client === undefined) return;
    client.cut();
    await within(client.closed, "a cut");
  }

  async close(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.close();
  }
}

/** The same reader over SSE. */
export class EventReader {
  readonly fold = new Fold();
  events: Events | undefined;
  frames = 0;
  #server: Pick<Server, "url">;
  #session: string;
  #options: EventsOptions;
  #group: Frame[] = [];
  #waiters: { isSo: (fold: Fold) => boolean; done: () => void }[] = [];

  constructor(server: Pick<Server, "url">, session: string, options: EventsOptions = {}) {
    this.#server = server;
    this.#session = session;
    this.#options = options;
  }

  async attach(): Promise<void> {
    const last = this.events?.lastEventId;
    const events = await openEvents(this.#server, this.#session, {
      ...this.#options,
      keep: false,
      isPaused: true,
      ...(last === undefined ? {} : { lastEventId: last }),
    });
    if (last !== undefined) events.lastEventId = last;
    this.events = events;
    this.#group = [];
    const caughtUp = events.next("caught-up");
    events.onEvent = (event) => {
      if (this.events === events) this.#take(event);
    };
    events.begin();
    await caughtUp;
  }

  /** An array's events belong together: only the last has an id, and only it moves the position. */
  #take({ id, frame }: Event): void {
    this.frames += 1;
    this.#group.push(frame);
    if (isLogFrame(frame) && this.fold.isLive && id === undefined) return;
    this.fold.take(this.#group);
    this.#group = [];
    if (id !== undefined && this.fold.isLive && id !== (this.fold.position ?? "")) {
      this.fold.violations.push(`an event's id ${id} is not the position ${this.fold.position}`);
    }
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.isSo(this.fold)) return true;
      waiter.done();
      return false;
    });
  }

  async holds(isSo: (fold: Fold) => boolean, what: string): Promise<void> {
    if (isSo(this.fold)) return;
    await within(new Promise<void>((done) => this.#waiters.push({ isSo, done })), what);
  }

  async cut(): Promise<void> {
    this.events?.cut();
    if (this.events !== undefined) await within(this.events.ended, "the end of an event stream");
  }
}
