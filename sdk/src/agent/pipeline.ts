// Everything that an agent says in one turn, in one order: creations, appends and ends of all its
// messages reach the log as they were said, however far away the session is and whatever is
// refused or sent again in between. Frames fly many at a time; a `chain` (P13.8) makes the session
// refuse those after one that it refused, so that no frame overtakes another.

import type {
  AppendFrame,
  ClientFrame,
  Limits,
  NewMessage,
  Placed,
  PublishFrame,
  SessileError,
  UpdateFrame,
} from "../protocol/index.ts";
import { formOf, isJsonOf, OMITTED } from "./bounds.ts";
import type { Headers } from "./codec/operation.ts";
import { type Change, MOST_LENGTH, type Output } from "./output.ts";

/** What a pipeline needs of its turn. */
export interface Outlet {
  readonly limits: Limits;
  /** Which process this is of those that led the turn: a later one may find what was said before. */
  readonly attempt: number;
  /** Sent on this connection alone; `disconnected` leaves open whether it was taken. */
  once(frame: ClientFrame): Promise<unknown>;
  /** Resolves when there is a connection again. */
  connected(): Promise<void>;
}

/** One thing to be said, in its place. */
type Task = { output: Output } & (
  /** A text, as far as it was said until something else was. */
  | { kind: "begin"; until: number; headers: Headers | undefined }
  | { kind: "append"; until: number }
  | ({ kind: "whole" } & Change)
  | ({ kind: "end" } & Change)
  | { kind: "drop" }
);

/** A frame under way. */
interface Flight {
  frame: ClientFrame;
  outputs: Output[];
  error?: SessileError;
  /** How often the session failed at it. */
  failures?: number;
}

/** Frames under way, and their text. */
const MOST_FLIGHTS = 64;
const MOST_FLYING = 128 * 1024;
/** Text of the messages in one publish. */
const MOST_BATCH = 64 * 1024;
/** The pause between two appends when nothing follows: fewer frames, and nobody sees it (P5.4). */
const PACE_MS = 5;
/** Text and tasks that may wait before their source is asked to. */
const MOST_WAITING = 64 * 1024;
const MOST_TASKS = 1024;
/** How often a frame is sent at which the session fails. */
const MOST_FAILURES = 5;
const PAUSE_MS = 1_000;
/** How much of the session's rate is used: clocks and networks are never even. */
const RATE_SHARE = 0.8;

/** Of all turns of this process: frames of several go over one connection. */
let chains = 0;

function nextChain(): number {
  chains += 1;
  return chains;
}

/** The text of a frame; half of a surrogate pair waits for the other half (P1.3). */
function cut({ text, sent, isOpen }: Output, until = text.length): string {
  let end = Math.min(until, sent + MOST_LENGTH);
  const isHalf = text.charCodeAt(end - 1) >> 10 === 0xd800 >> 10;
  if (isHalf && (isOpen || end < text.length)) end -= 1;
  return text.slice(sent, Math.max(sent, end));
}

export class Pipeline {
  readonly #outlet: Outlet;
  readonly #tasks: Task[] = [];
  /** Where the tasks that are still to be done begin. */
  #head = 0;
  #flights: Flight[] = [];
  /** Frames that are to be sent again, ahead of all tasks. */
  #again: Flight[] = [];
  #chain = nextChain();
  /** A frame was refused: nothing is sent until all that flew after it is answered. */
  #isDraining = false;
  /** Something is found out during which nothing else is sent. */
  #isAsking = false;
  #isDue = false;
  #isOver = false;
  /** Text that waits, more or less. */
  #waiting = 0;
  #names = 0;
  #pacedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiters: (() => boolean)[] = [];
  #budget: { left: number; at: number } | undefined;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  get limits(): Limits {
    return this.#outlet.limits;
  }

  readonly isJson = isJsonOf;

  /** A number that no other message of the turn has. */
  next(): number {
    this.#names += 1;
    return this.#names;
  }

  /** Something is said, after all that was said before; so much text comes with it. */
  add(task: Task, length = 0): void {
    const { output } = task;
    if (this.#isOver || output.error) return;
    this.#waiting += length;
    if (!this.#joins(task)) {
      output.pending += 1;
      this.#tasks.push(task);
    }
    this.#wake();
  }

  /** Resolves when something is so, or when nothing is said any more. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((done) => {
      this.#waiters.push(() => {
        const isEnd = this.#isOver || isSo();
        if (isEnd) done();
        return isEnd;
      });
      this.tell();
    });
  }

  /** Resolves when there is room for more. */
  room(): Promise<void> | undefined {
    return this.#isFull() ? this.until(() => !this.#isFull()) : undefined;
  }

  /** Resolves when all that was said is in the session, or refused. */
  flush(): Promise<void> {
    return this.until(() => this.#isIdle());
  }

  /** Gives up: the turn is somebody else's, or over. */
  abandon(error: unknown): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    const left = [...this.#tasks.slice(this.#head), ...this.#again, ...this.#flights];
    for (const one of left) {
      for (const output of "outputs" in one ? one.outputs : [one.output]) output.fail(error);
    }
    this.tell();
  }

  /** Looks again at what is waited for. */
  tell(): void {
    if (this.#waiters[0]) this.#waiters = this.#waiters.filter((isEnd) => !isEnd());
  }

  #isIdle(): boolean {
    return this.#head === this.#tasks.length && !this.#flights[0] && !this.#again[0];
  }

  #isFull(): boolean {
    return this.#waiting >= MOST_WAITING || this.#tasks.length - this.#head >= MOST_TASKS;
  }

  /** Whether a task is part of the one before it, which is about the same message. */
  #joins(task: Task): boolean {
    const last = this.#head < this.#tasks.length ? this.#tasks.at(-1) : undefined;
    if (last?.output !== task.output) return false;
    if (task.kind === "append") {
      const isText = last.kind === "append" || last.kind === "begin";
      if (isText) last.until = task.until;
      return isText;
    }
    if (task.kind === "drop") {
      if (last.kind !== "begin" && last.kind !== "whole") return false;
      this.#tasks.pop();
      task.output.pending -= 1;
      return true;
    }
    if (task.kind !== "end") return false;
    const { kind: _kind, output, ...change } = task;
    if (last.kind === "append") {
      Object.assign(last, { ...task });
      return true;
    }
    if (last.kind === "whole" || last.kind === "end") {
      Object.assign(last, change);
      return true;
    }
    // All of it is there: it needs not grow.
    if (last.kind !== "begin" || output.text.length > MOST_LENGTH) return false;
    const data = change.data === undefined ? output.text.toWellFormed() : change.data;
    Object.assign(last, { kind: "whole", ...change, data });
    return true;
  }

  #wake(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    // What is said in one go goes out together (P13.6).
    queueMicrotask(() => {
      this.#isDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#isOver && !this.#isDraining && !this.#isAsking && this.#hasRoom()) {
      const wait = this.#wait();
      if (wait > 0) {
        this.#later(wait);
        break;
      }
      const flight = this.#again.shift() ?? this.#nextFlight();
      if (!flight) break;
      this.#spend(flight);
      this.#flights.push(flight);
      void this.#fly(flight);
    }
    this.tell();
  }

  #hasRoom(): boolean {
    if (this.#flights.length >= MOST_FLIGHTS) return false;
    const length = ({ frame }: Flight) => (frame.type === "append" ? (frame.data ?? "").length : 0);
    return this.#flights.reduce((sum, flight) => sum + length(flight), 0) < MOST_FLYING;
  }

  /** How long nothing may be sent: by the session's rate, or since more text is on its way. */
  #wait(): number {
    const { framesPerSecond, framesBurst } = this.limits;
    const now = Date.now();
    const { left, at } = this.#budget ?? { left: framesBurst * RATE_SHARE, at: now };
    const more = ((now - at) / 1000) * framesPerSecond * RATE_SHARE;
    this.#budget = { left: Math.min(framesBurst * RATE_SHARE, left + more), at: now };
    const task = this.#tasks[this.#head];
    const isAppend = !this.#again[0] && task?.kind === "append";
    if (!isAppend) {
      const lack = 1 - this.#budget.left;
      return lack > 0 ? (lack * 1000) / (framesPerSecond * RATE_SHARE) : 0;
    }
    const { output } = task;
    const isLast = this.#head === this.#tasks.length - 1;
    const isShort = task.until - output.sent < MOST_LENGTH;
    return isLast && isShort ? this.#pacedUntil - now : 0;
  }

  #spend({ frame }: Flight): void {
    if (frame.type === "append") this.#pacedUntil = Date.now() + PACE_MS;
    else if (this.#budget) this.#budget.left -= 1;
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), ms);
  }

  /** The next frame; nothing if there is none, or if it needs what is not known yet. */
  #nextFlight(): Flight | undefined {
    for (;;) {
      const task = this.#tasks[this.#head];
      if (!task) return undefined;
      const { output, kind } = task;
      const isNew = kind === "begin" || kind === "whole";
      if (output.error || output.isGone) this.#finish(task);
      else if (isNew) return this.#publish();
      else if (output.serial === undefined || output.isChanging) return undefined;
      else {
        const frame = this.#frameOf(task, output.serial);
        if (frame) {
          this.#waiting -= "data" in frame ? String(frame.data).length : 0;
          output.pending += 1;
          return { frame, outputs: [output] };
        }
      }
    }
  }

  /** A task is done with. */
  #finish({ output }: Task): void {
    output.pending -= 1;
    this.#head += 1;
    // What was done is forgotten now and then, and all together.
    if (this.#head > MOST_TASKS || this.#head === this.#tasks.length) {
      this.#tasks.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#tasks.length === 0) this.#waiting = 0;
    if (output.pending === 0) output.forget();
  }

  /** Creations that stand together are one frame. */
  #publish(): Flight {
    const messages: NewMessage[] = [];
    const outputs: Output[] = [];
    let room = MOST_BATCH;
    while (messages.length < this.limits.publishMessages) {
      const task = this.#tasks[this.#head];
      if (task?.kind !== "begin" && task?.kind !== "whole") break;
      const { output, headers } = task;
      const message: NewMessage = { ...output.head, data: null, ...(headers && { headers }) };
      if (task.kind === "whole") {
        message.data = task.data;
        if (task.status) message.status = task.status;
      } else {
        const data = cut(output, task.until);
        output.sent = data.length;
        output.isStreaming = true;
        message.data = data.toWellFormed();
        message.status = "streaming";
      }
      const { length } = JSON.stringify(message);
      room -= length;
      if (room < 0 && messages.length > 0) break;
      this.#waiting -= length;
      messages.push(message);
      outputs.push(output);
      output.pending += 1;
      if (task.kind === "begin" && cut(output, task.until)) {
        // The rest is the next to be said.
        this.#tasks[this.#head] = { kind: "append", output, until: task.until };
        break;
      }
      this.#finish(task);
    }
    return { frame: { type: "publish", messages }, outputs };
  }

  #frameOf(task: Task, serial: string): ClientFrame | undefined {
    const { output } = task;
    if (task.kind === "append") {
      const data = output.isStreaming && !output.isFull ? cut(output, task.until) : "";
      output.sent += data.length;
      if (!data || !cut(output, task.until)) this.#finish(task);
      return data ? append(output, serial, { data: data.toWellFormed() }) : undefined;
    }
    if (task.kind === "drop") {
      this.#finish(task);
      return { type: "delete", serial };
    }
    if (task.kind !== "end") return undefined;
    return output.isStreaming ? this.#end(task, serial) : this.#change(task, serial);
  }

  /** The end of a text, told once: with the rest of the text, or with what it is in the end. */
  #end(task: Task & { kind: "end" }, serial: string): ClientFrame {
    const { output, status = "complete", headers } = task;
    if (output.isFull) {
      // What it would be in the end is known to be too large as well.
      const isText = task.data === undefined;
      if (isText) output.fail(output.isFull);
      const said = { [OMITTED]: `${output.text.length} characters` };
      this.#close(task);
      if (isText) return append(output, serial, { status: "failed" });
      const more = { data: null, headers: { ...headers, ...said } };
      return { ...update(output, serial, more), status };
    }
    if (task.data !== undefined) {
      this.#close(task);
      const more = { data: task.data, ...(headers && { headers }) };
    return { ...update(output, serial, more), status };
    }
    const data = cut(output);
    output.sent += data.length;
    const more = data && { data: data.toWellFormed() };
    if (output.sent < output.text.length) return append(output, serial, { ...more });
    this.#close(task);
    return append(output, serial, { ...more, status, ...(headers && { headers }) });
  }

  #close(task: Task): void {
    task.output.isStreaming = false;
    this.#finish(task);
  }

  /** Replaces what is closed; an attempt before may have closed what this one streams. */
  #change({ kind: _kind, ...task }: Task & { kind: "end" }, serial: string): ClientFrame | undefined {
    const { output, headers } = task;
    const text = output.isStale ? output.text : undefined;
    this.#finish({ kind: "end", ...task });
    const form = task.data === undefined && text !== undefined ? formOf(text, this.limits) : task;
    const data = "as" in form && form.as !== "whole" ? null : form.data;
    if (data === undefined && !headers) return undefined;
    output.isChanging = true;
    return {
      type: "update",
      serial,
      ...(data !== undefined && { data }),
      ...(headers && { headers }),
    };
  }

  async #fly(flight: Flight): Promise<void> {
    try {
      const result = await this.#outlet.once({ ...flight.frame, chain: this.#chain });
      this.#flights = this.#flights.filter((one) => one !== flight);
      this.#land(flight, result);
    } catch (error) {
      flight.error = error as SessileError;
      this.#isDraining = true;
    }
    if (this.#isDraining && this.#flights.every(({ error }) => error)) void this.#recover();
    this.#wake();
  }

  #land({ frame, outputs }: Flight, result: unknown): void {
    for (const output of outputs) {
      output.pending -= 1;
      output.isChanging = false;
    }
    if (frame.type === "publish") {
      const { messages } = result as { messages: Placed[] };
      outputs.forEach((output, at) => {
        const placed = messages[at];
        output.serial = placed?.serial;
        const message = frame.messages[at];
        // In a first attempt it is this very frame that was taken before.
        if (placed?.duplicate && message && this.#outlet.attempt > 1) {
          this.#takeOver(output, placed.serial, message);
        }
      });
    }
    for (const output of outputs) if (output.pending === 0) output.forget();
  }

  /** An earlier attempt has said it (P6.8): what is said now stands in its place. */
  #takeOver(output: Output, serial: string, { data, headers, status }: NewMessage): void {
    output.pending += 1;
    if (status === "streaming") {
      void this.#look(output, serial);
      return;
    }
    const more = { data, ...(headers && { headers }) };
    this.#again.push({ frame: { type: "update", serial, ...more }, outputs: [output] });
  }

  /** Asks what a streaming message holds, by an append that cannot be next. */
  async #look(output: Output, serial: string): Promise<void> {
    this.#isAsking = true;
    const seq = Number.MAX_SAFE_INTEGER;
    try {
      await this.#outlet.once({ type: "append", serial, seq, data: "" });
    } catch (problem) {
      const error = problem as SessileError;
      if (error.code === "disconnected") {
        await this.#outlet.connected();
        return this.#look(output, serial);
      }
      if (error.code === "gap") this.#replace(output, serial, error);
      else if (error.code === "closed") this.#settleFor(output);
      else output.fail(error);
    }
    output.pending -= 1;
    this.#isAsking = false;
    this.#wake();
  }

  /** It was closed by others, or by an attempt before: the end will say all of it. */
  #settleFor(output: Output): void {
    output.isStreaming = false;
    output.isStale = true;
  }

  /** Nobody can tell what the message holds: the whole text says it (P5.3). */
  #replace(output: Output, serial: string, { info }: SessileError): void {
    output.seq = (info?.expectedSeq ?? 1) - 1;
    const data = output.text.slice(0, output.sent).toWellFormed();
    output.pending += 1;
    const frame: UpdateFrame = { type: "update", serial, data, seq: output.seq };
    this.#again.unshift({ frame, outputs: [output] });
  }

  /** All that flew is answered: what was not taken is sent again, in its order. */
  async #recover(): Promise<void> {
    const failed = this.#flights;
    this.#flights = [];
    /** Texts that are said anew, with all that was in appends. */
    const anew = new Set<Output>();
    this.#again.unshift(...failed.flatMap((flight) => this.#retry(flight, anew)));
    this.#chain = nextChain();
    const codes = failed.map(({ error }) => error?.code);
    if (codes.includes("disconnected")) await this.#outlet.connected();
    const waits = failed.map(({ error }) => pauseAfter(error));
    const pause = Math.max(...waits, 0);
    if (pause > 0) await new Promise((done) => setTimeout(done, pause));
    this.#isDraining = false;
    this.#wake();
  }

  /** What is to be sent in the place of a frame that was not taken. */
  #retry(flight: Flight, anew: Set<Output>): Flight[] {
    const { error, failures = 0 } = flight;
    const [output] = flight.outputs;
    if (!output || !error) return [];
    const { code } = error;
    const isOver = failures >= MOST_FAILURES;
    const { frame } = flight;
    if (frame.type === "publish" && flight.outputs.length > 1 && !AGAIN.includes(code)) {
      return split(frame, flight.outputs);
    }
    let instead: ClientFrame | undefined;
    if (frame.type === "append" && (anew.has(output) || output.isFull)) {
      // Its text is said otherwise; its end is still to be told.
      const { serial, status, headers } = frame;
      const isFull = Boolean(output.isFull);
      const end = { status: isFull ? "failed" : status, ...(headers && { headers }) } as const;
      if (status) instead = append(output, serial, end as Partial<AppendFrame>);
      if (status && isFull) output.fail(output.isFull);
    } else if (AGAIN.includes(code) && !(code === "internal" && isOver)) {
      instead = frame;
    } else if (frame.type === "append" && code === "gap") {
      anew.add(output);
      instead = sayAnew(output, frame, error);
    } else {
      instead = this.#insteadOf(frame, output, error);
    }
    const isWanted = flight.outputs.some((it) => (!it.error || it.isFull) && !it.isGone);
    if (instead && isWanted) {
      const more = code === "internal" ? 1 : 0;
      return [{ frame: instead, outputs: flight.outputs, failures: failures + more }];
    }
    for (const it of flight.outputs) {
      it.pending -= 1;
      it.isChanging = false;
    }
    return [];
  }

  /** A message is refused, and the rest of the answer goes on without it. */
  #insteadOf(frame: ClientFrame, output: Output, error: SessileError): ClientFrame | undefined {
    const { code } = error;
    // Somebody else deleted it, or closed it in their own way.
    if (code === "deleted" || code === "closed") output.isGone = true;
    else if (frame.type === "append" && code === "too-large") {
      output.isFull = error;
      output.seq = (frame.seq ?? 1) - 1;
      if (!frame.status) return undefined;
      output.fail(error);
      return append(output, frame.serial, { status: "failed" });
    } else if (frame.type === "update" && code === "too-large" && frame.data !== null) {
      const headers = { ...frame.headers, [OMITTED]: "more than the session takes" };
      return { ...frame, data: null, headers };
    } else output.fail(error);
    return undefined;
  }
}

/** Refusals after which a frame is sent again as it was. */
const AGAIN: string[] = ["skipped", "disconnected", "rate-limited", "internal"];

function pauseAfter(error: SessileError | undefined): number {
  if (error?.code === "rate-limited") return error.info?.retryAfterMs ?? PAUSE_MS;
  return error?.code === "internal" ? PAUSE_MS : 0;
}

/** The session lacks what came before, or holds what somebody else wrote (P5.3). */
function sayAnew(output: Output, frame: AppendFrame, { info }: SessileError): UpdateFrame {
  const { serial, status, headers } = frame;
  output.seq = (info?.expectedSeq ?? 1) - 1;
  const data = output.text.slice(0, output.sent).toWellFormed();
  if (!status) return { type: "update", serial, data, seq: output.seq };
  return { ...update(output, serial, { data, ...(headers && { headers }) }), status };
}

function append(output: Output, serial: string, more: Partial<AppendFrame>): AppendFrame {
  output.seq += 1;
  return { type: "append", serial, seq: output.seq, ...more };
}

/** An update that closes counts as an append, so that a repeat of it changes nothing (P5.3). */
function update(output: Output, serial: string, more: Change): UpdateFrame {
  output.seq += 1;
  const { data, headers } = more;
  return {
    type: "update",
    serial,
    seq: output.seq,
    ...(data !== undefined && { data }),
    ...(headers && { headers }),
  };
}

/** One of them is refused: each is said by itself. */
function split({ messages, ...frame }: PublishFrame, outputs: Output[]): Flight[] {
  return outputs.flatMap((output, at) => {
    const message = messages[at];
    return message ? [{ frame: { ...frame, messages: [message] }, outputs: [output] }] : [];
  });
}
