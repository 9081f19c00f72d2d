// One message on its way into the session: text that grows, or a whole that may be replaced.

import type { AppendFrame, ClientFrame, NewMessage, Placed, ResultOf } from "../protocol/index.ts";
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
}

/** What a message is called, whoever it is from. */
export type Head = Omit<NewMessage, "data" | "headers" | "status">;

/** UTF-16 code units of one append: a sixth of a frame even if all of it is escaped. */
const MOST_LENGTH = 8192;
/** Appends under way; text that comes meanwhile goes out together. */
const WINDOW = 16;
/** The pause between two appends of a message: fewer frames, and nobody sees it (P5.4, P14). */
const PACE_MS = 5;
/** Text that may wait before its source is asked to. */
const MOST_WAITING = 65_536;

/** What an `update` says (P4.3). */
interface Change {
  data?: unknown;
  headers?: Headers;
  /** Of the whole text of a message that still streams: the appends that it stands for. */
  seq?: number;
}

/** What a text is cut into; half of a surrogate pair waits for the other half (P1.3). */
function cut(text: string, from: number, isWhole: boolean): string {
  let end = Math.min(text.length, from + MOST_LENGTH);
  const last = text.charCodeAt(end - 1) >> 10;
  if (last === 0xd800 >> 10 && !(isWhole && end === text.length)) end -= 1;
  return text.slice(from, Math.max(from, end)).toWellFormed();
}

export class Output {
  readonly #outlet: Outlet;
  readonly #head: Head;
  serial: string | undefined;
  error: unknown;
  #text = "";
  /** How much of the text is in appends, and in how many. */
  #sent = 0;
  #seq = 0;
  /** What is not acknowledged, in order, and how often all of it was sent. */
  #flights: AppendFrame[] = [];
  #wave = 0;
  /** Whether the session's message takes appends. */
  #isStreaming = false;
  /** An earlier attempt has closed the message: it gets the whole text in the end. */
  #isStale = false;
  #ending: Ending | undefined;
  #change: Change | undefined;
  #isDropped = false;
  /** A frame other than an append is under way. */
  #isBusy = false;
  /** Appends wait for a connection. */
  #isLost = false;
  #pacedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiters: (() => boolean)[] = [];

  constructor(outlet: Outlet, head: Head) {
    this.#outlet = outlet;
    this.#head = head;
  }

  /** Begins a text that grows. */
  open({ text, headers }: { text: string; headers?: Headers }): void {
    this.#text = text;
    this.#isStreaming = true;
    const data = cut(text, 0, false);
    this.#sent = data.length;
    this.#publish({ data, status: "streaming", ...(headers && { headers }) });
  }

  append({ text }: { text: string }): void {
    this.#text += text;
    this.#pump();
  }

  /** Ends the text; what it is to be in the end is said if it is not what was appended. */
  close({ status, data, headers }: Change & { status: Ending }): void {
    this.#ending ??= status;
    const whole = data ?? (this.#isStale && this.#text.toWellFormed());
    if (whole || data !== undefined) this.#change = { ...this.#change, data: whole };
    if (headers) this.#change = { ...this.#change, headers };
    this.#pump();
  }

  /** The whole message: published at first, replaced later. */
  put({ data, headers }: { data: unknown; headers?: Headers }): void {
    const message = { data, ...(headers && { headers }) };
    if (this.serial || this.#isBusy) this.close({ status: "complete", ...message });
    else this.#publish(message);
  }

  drop(): void {
    this.#isDropped = true;
    this.#pump();
  }

  get isOpen(): boolean {
    return (this.#isStreaming || this.#isStale) && !this.#ending;
  }

  /** Resolves when the session has all of it, and rejects if it refused. */
  async done(): Promise<void> {
    await this.#until(() => {
      if (this.#isBusy || this.#flights[0] || this.#isDropped || this.#change) return false;
      return !this.#isStreaming || !(this.#ending || cut(this.#text, this.#sent, false));
    });
    if (this.error) throw this.error;
  }

  /** Resolves when there is room for more. */
  room(): Promise<void> {
    return this.#until(() => this.#isStale || this.#text.length - this.#sent < MOST_WAITING);
  }

  /** Gives up: the turn is somebody else's, or over. */
  abandon(error: unknown): void {
    clearTimeout(this.#timer);
    this.error ??= error;
    this.#settle();
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise((done) => {
      this.#waiters.push(() => {
        const isOver = Boolean(this.error) || isSo();
        if (isOver) done();
        return isOver;
      });
      this.#settle();
    });
  }

  #settle(): void {
    this.#waiters = this.#waiters.filter((isOver) => !isOver());
  }

  /** Does something during which nothing else is sent. */
  async #alone(work: () => Promise<unknown>): Promise<void> {
    this.#isBusy = true;
    try {
      await work();
    } catch (error) {
      this.abandon(error);
    }
    this.#isBusy = false;
    this.#pump();
  }

  #publish(message: Pick<NewMessage, "data" | "headers" | "status">): void {
    void this.#alone(async () => {
      const messages = [{ ...this.#head, ...message }];
      const result = await this.#outlet.ask({ type: "publish", messages });
      const placed = result.messages[0];
      if (placed?.duplicate) await this.#recover(placed.serial, message.data);
      this.serial = placed?.serial;
    });
  }

  /**
   * The message was there: this is a repeat, or an earlier attempt has left it (P6.8). What it
   * holds is what an append says that cannot be next.
   */
  async #recover(serial: string, data: unknown): Promise<void> {
    if (!this.#isStreaming) {
      this.#change = { data, ...this.#change };
      return;
    }
    try {
      const seq = Number.MAX_SAFE_INTEGER;
      await this.#outlet.once({ type: "append", serial, seq, data: "" });
    } catch (error) {
      const { code, info } = error as SessileError;
      if (code === "gap") this.#replace((info?.expectedSeq ?? 1) - 1);
      else if (code === "closed") {
        this.#isStreaming = false;
        this.#isStale = true;
        if (this.#ending) this.close({ status: this.#ending });
      } else throw error;
    }
  }

  /** Nobody can tell what the message holds: the whole text says it (P5.3). */
  #replace(seq: number): void {
    this.#seq = seq;
    this.#sent = this.#text.length;
    this.#change = { data: this.#text.toWellFormed(), seq };
  }

  #pump(): void {
    const { serial } = this;
    const change = this.#change;
    if (serial && !this.error && !this.#isBusy && !this.#isLost) {
      if (this.#isDropped) {
        this.#isDropped = this.#isStreaming = false;
        this.#change = undefined;
        void this.#alone(() => this.#outlet.ask({ type: "delete", serial }));
      } else if (change && !this.#flights[0] && (!this.#isStreaming || "seq" in change)) {
        this.#change = undefined;
        void this.#alone(() => this.#outlet.ask({ type: "update", serial, ...change }));
      } else {
        this.#appendAll(serial);
      }
    }
    this.#settle();
  }

  #appendAll(serial: string): void {
    while (this.#isStreaming && this.#flights.length < WINDOW) {
      const from = this.#sent;
      const status = this.#ending;
      const data = cut(this.#text, from, Boolean(status));
      const isLast = status && from + data.length === this.#text.length;
      const wait = this.#pacedUntil - Date.now();
      if (!isLast && (!data || (wait > 0 && data.length < MOST_LENGTH))) {
        if (data) this.#later(wait);
        return;
      }
      this.#sent += data.length;
      this.#seq += 1;
      const more = { ...(data && { data }), ...(isLast && { status }) };
      const frame: AppendFrame = { type: "append", serial, seq: this.#seq, ...more };
      this.#isStreaming = !isLast;
      this.#pacedUntil = Date.now() + PACE_MS;
      this.#flights.push(frame);
      void this.#fly(frame);
    }
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), ms);
  }

  async #fly(frame: AppendFrame): Promise<void> {
    const wave = this.#wave;
    try {
      await this.#outlet.once(frame);
      this.#flights = this.#flights.filter((one) => one !== frame);
    } catch (error) {
      // Those after one that was refused are refused as well: all that counts is the first.
      if (wave === this.#wave) this.#refused(error);
    }
    this.#pump();
  }

  #refused(error: unknown): void {
    const { code, info } = error instanceof SessileError ? error : {};
    this.#wave += 1;
    if (code === "gap") {
      this.#flights = [];
      this.#isStreaming = true;
      this.#replace((info?.expectedSeq ?? 1) - 1);
    } else if (code === "disconnected" || code === "rate-limited") {
      this.#isLost = true;
      void this.#again(info?.retryAfterMs);
    } else {
      this.abandon(error);
    }
  }

  /** What was not acknowledged is sent again as it was: its `seq` makes that safe (P5.3). */
  async #again(ms?: number): Promise<void> {
    if (ms) await new Promise((done) => setTimeout(done, ms));
    await this.#outlet.connected();
    this.#isLost = false;
    for (const frame of this.#flights) void this.#fly(frame);
    this.#pump();
  }
}
