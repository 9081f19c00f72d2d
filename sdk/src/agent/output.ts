// One message on its way into the session: text that grows, or a whole that may be replaced.

import type {
  AppendFrame,
  ClientFrame,
  Message,
  Placed,
  ResultOf,
  Role,
} from "../protocol/index.ts";
import { SessileError } from "../protocol/index.ts";
import type { Ending, Headers } from "./codec/operation.ts";

/** What a message needs of its turn. */
export interface Outlet {
  /** Sent until it is answered, on as many connections as that takes. */
  ask<F extends ClientFrame>(frame: F): Promise<ResultOf<F>>;
  /** Sent on this connection alone; `disconnected` leaves open whether it was taken. */
  once(frame: AppendFrame): Promise<Placed>;
  /** Resolves when there is a connection again. */
  connected(): Promise<void>;
  message(serial: string): Promise<Message>;
}

/** What a message is called, whoever it is from. */
export interface Head {
  id: string;
  name: string;
  role: Role;
  turn: string;
  parent?: string;
}

/** UTF-16 code units of one append: a sixth of a frame even if all of it is escaped. */
const MOST_LENGTH = 8192;
/** Appends under way; text that comes meanwhile goes out together. */
const WINDOW = 16;
/** The pause between two appends of a message: fewer frames, and nobody sees it (P5.4, P14). */
const PACE_MS = 5;
/** Text that may wait before its source is asked to. */
const MOST_WAITING = 65_536;

interface Flight {
  frame: AppendFrame & { seq: number };
  /** Where in the text it begins. */
  from: number;
  /** Refused, while one before it is under way. */
  isEarly?: boolean;
}

interface Change {
  data?: unknown;
  headers?: Headers;
}

/** What a text is cut into; half of a surrogate pair waits for the other half (P1.3). */
function cut(text: string, from: number, isWhole: boolean): string {
  let end = Math.min(text.length, from + MOST_LENGTH);
  const last = text.charCodeAt(end - 1);
  if (!(isWhole && end === text.length) && last >= 0xd800 && last < 0xdc00) end -= 1;
  return text.slice(from, Math.max(from, end)).toWellFormed();
}

export class Output {
  readonly #outlet: Outlet;
  readonly #head: Head;
  serial: string | undefined;
  error: SessileError | undefined;
  #text = "";
  /** How much of the text is in appends, and in how many. */
  #sent = 0;
  #seq = 0;
  #flights: Flight[] = [];
  /** Whether the session's message takes appends. */
  #isStreaming = false;
  /** An earlier attempt has closed the message: it gets the whole text in the end. */
  #isStale = false;
  #ending: Ending | undefined;
  #change: Change | undefined;
  #isDropped = false;
  /** A frame other than an append is under way. */
  #isBusy = false;
  #isLost = false;
  #pacedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiters: { isSo: () => boolean; done: () => void }[] = [];

  constructor(outlet: Outlet, head: Head) {
    this.#outlet = outlet;
    this.#head = head;
  }

  /** Begins a text that grows. */
  open(text: string, headers?: Headers): void {
    this.#text = text;
    this.#isStreaming = true;
    const data = cut(text, 0, false);
    this.#sent = data.length;
    this.#publish({ data, status: "streaming", ...(headers && { headers }) });
  }

  append(text: string): void {
    this.#text += text;
    this.#pump();
  }

  /** Ends the text; `change` is what it is to be in the end, if not what was appended. */
  close(status: Ending, change: Change = {}): void {
    this.#ending ??= status;
    this.#amend({ ...(this.#isStale && { data: this.#text.toWellFormed() }), ...change });
  }

  /** The whole message: published at first, replaced later. */
  put(data: unknown, headers?: Headers): void {
    if (this.serial === undefined && !this.#isBusy) {
      this.#publish({ data, ...(headers && { headers }) });
    } else {
      this.#ending ??= "complete";
      this.#amend({ data, ...(headers && { headers }) });
    }
  }

  drop(): void {
    this.#isDropped = true;
    this.#pump();
  }

  get isOpen(): boolean {
    return (this.#isStreaming || this.#isStale) && this.#ending === undefined;
  }

  /** Resolves when the session has all of it, and rejects if it refused. */
  async done(): Promise<void> {
    await this.#until(() => this.#isQuiet());
    if (this.error) throw this.error;
  }

  /** What to wait for before giving more; nothing if there is room. */
  room(): Promise<void> | undefined {
    const hasRoom = () => this.#isStale || this.#text.length - this.#sent < MOST_WAITING;
    return hasRoom() ? undefined : this.#until(hasRoom);
  }

  /** Gives up: the turn is somebody else's, or over. */
  abandon(error: SessileError): void {
    clearTimeout(this.#timer);
    this.error ??= error;
    this.#settle();
  }

  #until(isSo: () => boolean): Promise<void> {
    if (this.error || isSo()) return Promise.resolve();
    return new Promise((done) => this.#waiters.push({ isSo, done }));
  }

  #settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (this.error || waiter.isSo()) waiter.done();
      else this.#waiters.push(waiter);
    }
  }

  #isQuiet(): boolean {
    if (this.#isBusy || this.#flights.length > 0 || this.serial === undefined) return false;
    if (this.#isDropped) return true;
    return this.#isStreaming
      ? !this.#ending && cut(this.#text, this.#sent, false) === ""
      : this.#change === undefined;
  }

  #amend(change: Change): void {
    if ("data" in change || change.headers) this.#change = { ...this.#change, ...change };
    this.#pump();
  }

  async #control<F extends ClientFrame>(frame: F, taken?: (result: ResultOf<F>) => unknown) {
    this.#isBusy = true;
    try {
      const result = await this.#outlet.ask(frame);
      await taken?.(result);
    } catch (error) {
      this.#fail(error);
    }
    this.#isBusy = false;
    this.#pump();
  }

  #publish(message: { data: unknown; status?: "streaming"; headers?: Headers }): void {
    const frame = { type: "publish" as const, messages: [{ ...this.#head, ...message }] };
    void this.#control(frame, async ({ messages: [placed] }) => {
      this.serial = placed?.serial;
      if (placed?.duplicate) await this.#recover(placed.serial, message.data);
    });
  }

  /** The message was there: this is a repeat, or an earlier attempt has left it (P6.8). */
  async #recover(serial: string, data: unknown): Promise<void> {
    const { data: held, status, seq = 0 } = await this.#outlet.message(serial);
    if (!this.#isStreaming) {
      if (JSON.stringify(held) !== JSON.stringify(data)) this.#change = { data, ...this.#change };
    } else if (status !== "streaming") {
      this.#isStreaming = false;
      this.#isStale = true;
      if (this.#ending) this.#change = { data: this.#text.toWellFormed(), ...this.#change };
    } else {
      this.#seq = seq;
      if (typeof held === "string" && this.#text.startsWith(held)) this.#sent = held.length;
      else await this.#replace(serial, seq);
    }
  }

  /** Nobody can tell what the message holds: the whole text says it (P5.3). */
  async #replace(serial: string, seq: number): Promise<void> {
    this.#sent = this.#text.length;
    const data = this.#text.toWellFormed();
    await this.#outlet.ask({ type: "update", serial, data, seq });
  }

  #pump(): void {
    const { serial } = this;
    if (this.error || this.#isBusy || this.#isLost || serial === undefined) {
      // What is under way pumps again when it is answered.
    } else if (this.#isDropped) {
      this.#isDropped = false;
      this.#isStreaming = false;
      this.#change = undefined;
      void this.#control({ type: "delete", serial });
    } else if (this.#isStreaming) {
      this.#appendAll(serial);
    } else if (this.#change && this.#flights.length === 0) {
      const change = this.#change;
      this.#change = undefined;
      void this.#control({ type: "update", serial, ...change });
    }
    this.#settle();
  }

  #appendAll(serial: string): void {
    while (this.#isStreaming && this.#flights.length < WINDOW) {
      const from = this.#sent;
      const data = cut(this.#text, from, this.#ending !== undefined);
      const isLast = this.#ending !== undefined && from + data.length === this.#text.length;
      if (data === "" && !isLast) return;
      const wait = this.#pacedUntil - Date.now();
      if (wait > 0 && !isLast && data.length < MOST_LENGTH) {
        this.#later(wait);
        return;
      }
      this.#sent += data.length;
      this.#seq += 1;
      const status = isLast && this.#ending ? { status: this.#ending } : {};
      const frame: Flight["frame"] = { type: "append", serial, seq: this.#seq, ...status };
      if (data !== "") frame.data = data;
      if (isLast) this.#isStreaming = false;
      const flight = { frame, from };
      this.#flights.push(flight);
      this.#pacedUntil = Date.now() + PACE_MS;
      void this.#fly(flight);
    }
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, ms);
  }

  async #fly(flight: Flight): Promise<void> {
    flight.isEarly = false;
    try {
      await this.#outlet.once(flight.frame);
      this.#flights = this.#flights.filter((one) => one !== flight);
      const [next] = this.#flights;
      if (next?.isEarly) void this.#fly(next);
    } catch (error) {
      // Those after one that was refused are answered as well; it is the first that counts.
      if (!this.#flights.includes(flight)) return;
      if (!(error instanceof SessileError)) this.#fail(error);
      else if (error.code === "disconnected") return void this.#again();
      else this.#refused(error, flight);
    }
    this.#pump();
  }

  /** What was not acknowledged is sent again as it was: its `seq` makes that safe (P5.3). */
  async #again(): Promise<void> {
    if (this.#isLost) return;
    this.#isLost = true;
    try {
      await this.#outlet.connected();
    } catch (error) {
      this.#fail(error);
    }
    this.#isLost = false;
    if (!this.error) for (const flight of this.#flights) void this.#fly(flight);
    this.#pump();
  }

  #refused(error: SessileError, flight: Flight): void {
    const { expectedSeq, length, retryAfterMs } = error.info ?? {};
    const isLate = error.code === "rate-limited";
    if (!isLate && error.code !== "gap") {
      this.#fail(error);
      return;
    }
    // Only of the first is it known that nothing before it can still arrive.
    if (this.#flights[0] !== flight) {
      flight.isEarly = true;
      return;
    }
    this.#flights = [];
    this.#isStreaming = true;
    this.#seq = (isLate ? flight.frame.seq : (expectedSeq ?? 1)) - 1;
    this.#sent = isLate ? flight.from : (length ?? 0);
    if (this.#sent > this.#text.length) void this.#repair(flight.frame.serial);
    if (isLate) this.#pacedUntil = Date.now() + (retryAfterMs ?? 1000);
  }

  async #repair(serial: string): Promise<void> {
    this.#isBusy = true;
    await this.#replace(serial, this.#seq).catch((error) => this.#fail(error));
    this.#isBusy = false;
    this.#pump();
  }

  #fail(error: unknown): void {
    const known = error instanceof SessileError;
    this.abandon(known ? error : new SessileError("internal", String(error)));
  }
}
