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
  SessileError,
} from "../protocol/index.ts";
import { OMITTED } from "./bounds.ts";
import { append, type Framed, nextFrame, sayAnew, split } from "./framing.ts";
import { type Line, MOST_LENGTH, type Output, type Task } from "./output.ts";
import { Pace } from "./pace.ts";
import { Queue } from "./queue.ts";

/** The part of a turn that its pipeline needs. */
export interface Outlet {
  readonly limits: Limits;
  /** Which process this is of those that led the turn: a later one may find what was said. */
  readonly attempt: number;
  /** Sent on this connection alone; `disconnected` leaves open whether it was taken. */
  once(frame: ClientFrame): Promise<unknown>;
  /** Resolves when there is a connection again. */
  connected(): Promise<void>;
}

/** A frame under way. */
interface Flight extends Framed {
  error?: SessileError;
  /** How often the session failed at it. */
  failures?: number;
}

/** Frames under way, and their text. */
const MOST_FLIGHTS = 64;
const MOST_FLYING = 128 * 1024;
/** Refusals after which a frame is sent again as it was. */
const AGAIN: string[] = ["skipped", "disconnected", "rate-limited", "internal"];
/** How often a frame is sent at which the session fails, and how long that is waited for. */
const MOST_FAILURES = 5;
const PAUSE_MS = 1_000;

/** Of all turns of this process: frames of several go over one connection. */
let chains = 0;

function nextChain(): number {
  chains += 1;
  return chains;
}

export class Pipeline implements Line {
  readonly #outlet: Outlet;
  readonly #queue = new Queue();
  readonly #pace = new Pace();
  #flights: Flight[] = [];
  /** Frames that are to be sent again, ahead of all that waits. */
  #again: Flight[] = [];
  #chain = nextChain();
  /** A frame was refused: nothing is sent until all that flew after it is answered. */
  #isDraining = false;
  /** Something is found out during which nothing else is sent. */
  #isAsking = false;
  #isDue = false;
  #isOver = false;
  #names = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiters: (() => boolean)[] = [];

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  get limits(): Limits {
    return this.#outlet.limits;
  }

  next(): number {
    this.#names += 1;
    return this.#names;
  }

  add(task: Task, length = 0): void {
    if (this.#isOver || task.output.error) return;
    this.#queue.add(task, length);
    this.#wake();
  }

  until(isSo: () => boolean): Promise<void> {
    return new Promise((done) => {
      this.#waiters.push(() => {
        const isEnd = this.#isOver || isSo();
        if (isEnd) done();
        return isEnd;
      });
      this.#tell();
    });
  }

  /** Resolves when there is room for more. */
  room(): Promise<void> | undefined {
    return this.#queue.isFull ? this.until(() => !this.#queue.isFull) : undefined;
  }

  /** Resolves when all that was said is in the session, or refused. */
  flush(): Promise<void> {
    return this.until(() => this.#queue.isEmpty && !this.#flights[0] && !this.#again[0]);
  }

  /** Gives up: the turn is somebody else's, or over. */
  abandon(error: unknown): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const { output } of this.#queue.all) output.fail(error);
    for (const { outputs } of [...this.#again, ...this.#flights]) {
      for (const output of outputs) output.fail(error);
    }
    this.#tell();
  }

  #tell(): void {
    if (this.#waiters[0]) this.#waiters = this.#waiters.filter((isEnd) => !isEnd());
  }

  #wake(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    // Operations said in one go are sent together (P13.6).
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
      const flight = this.#again.shift() ?? nextFrame(this.#queue, this.limits);
      if (!flight) break;
      this.#pace.spend(flight.frame);
      this.#flights.push(flight);
      void this.#fly(flight);
    }
    this.#tell();
  }

  #hasRoom(): boolean {
    if (this.#flights.length >= MOST_FLIGHTS) return false;
    const length = ({ frame }: Flight) => (frame.type === "append" ? (frame.data ?? "").length : 0);
    return this.#flights.reduce((sum, flight) => sum + length(flight), 0) < MOST_FLYING;
  }

  /** How long nothing may be sent: by the session's rate, or since more text is on its way. */
  #wait(): number {
    const task = this.#again[0] ? undefined : this.#queue.first;
    if (task?.kind !== "append") return this.#pace.frame(this.limits);
    const isShort = task.until - task.output.sent < MOST_LENGTH;
    return isShort && this.#queue.isAlone ? this.#pace.append() : 0;
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), ms);
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
    const { messages = [] } = result as { messages?: Placed[] };
    outputs.forEach((output, at) => {
      output.isChanging = false;
      const message = frame.type === "publish" ? frame.messages[at] : undefined;
      if (message) output.serial = messages[at]?.serial;
      // In a first attempt it is this very frame that was taken before.
      const isEarlier = messages[at]?.duplicate && this.#outlet.attempt > 1;
      if (message && isEarlier) this.#takeOver(output, message);
      output.settle();
    });
  }

  /** An earlier attempt has said it (P6.8): what is said now stands in its place. */
  #takeOver(output: Output, { data, headers, status }: NewMessage): void {
    const { serial = "" } = output;
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
    try {
      const seq = Number.MAX_SAFE_INTEGER;
      await this.#outlet.once({ type: "append", serial, seq, data: "" });
    } catch (problem) {
      const error = problem as SessileError;
      if (error.code === "disconnected") {
        await this.#outlet.connected();
        return this.#look(output, serial);
      }
      if (error.code === "gap") {
        const frame = sayAnew(output, { serial }, error);
        output.pending += 1;
        this.#again.unshift({ frame, outputs: [output] });
      } else if (error.code === "closed") {
        // The end will say all of it.
        output.isStreaming = false;
        output.isStale = true;
      } else output.fail(error);
    }
    output.settle();
    this.#isAsking = false;
    this.#wake();
  }

  /** All that flew is answered: what was not taken is sent again, in its order. */
  async #recover(): Promise<void> {
    const failed = this.#flights;
    this.#flights = [];
    /** Texts that are said anew, with all that was in appends. */
    const anew = new Set<Output>();
    this.#again.unshift(...failed.flatMap((flight) => this.#retry(flight, anew)));
    this.#chain = nextChain();
    const isLost = failed.some(({ error }) => error?.code === "disconnected");
    if (isLost) await this.#outlet.connected();
    const pause = Math.max(...failed.map(({ error }) => pauseAfter(error)));
    if (pause > 0) await new Promise((done) => setTimeout(done, pause));
    this.#isDraining = false;
    this.#wake();
  }

  /** Frames to be sent in the place of one that was not taken. */
  #retry(flight: Flight, anew: Set<Output>): Flight[] {
    const { frame, outputs, error, failures = 0 } = flight;
    const [output] = outputs;
    if (!output || !error) return [];
    const { code } = error;
    const isAgain = AGAIN.includes(code) && failures < MOST_FAILURES;
    if (frame.type === "publish" && outputs.length > 1 && !isAgain) return split(frame, outputs);
    const isSaidElsewhere = frame.type === "append" && (anew.has(output) || output.isFull);
    let instead: ClientFrame | undefined;
    if (isSaidElsewhere) instead = onlyEnd(output, frame);
    else if (isAgain) instead = frame;
    else if (frame.type === "append" && code === "gap") {
      anew.add(output);
      instead = sayAnew(output, frame, error);
    } else instead = refused(frame, output, error);
    const isWanted = outputs.some((it) => (!it.error || it.isFull) && !it.isGone);
    if (instead && isWanted) {
      const more = code === "internal" ? 1 : 0;
      return [{ frame: instead, outputs, failures: failures + more }];
    }
    for (const it of outputs) {
      it.isChanging = false;
      it.settle();
    }
    return [];
  }
}

function pauseAfter(error: SessileError | undefined): number {
  if (error?.code === "rate-limited") return error.info?.retryAfterMs ?? PAUSE_MS;
  return error?.code === "internal" ? PAUSE_MS : 0;
}

/** Its text is said otherwise, or not at all; its end is still to be told. */
function onlyEnd(output: Output, frame: AppendFrame): AppendFrame | undefined {
  const { serial, status, headers } = frame;
  if (!status) return undefined;
  if (output.isFull) output.fail(output.isFull);
  const is = output.isFull ? "failed" : status;
  return append(output, serial, { status: is, ...(headers && { headers }) });
}

/** A message is refused, and the rest of the answer goes on without it. */
function refused(frame: ClientFrame, output: Output, error: SessileError): ClientFrame | undefined {
  const { code } = error;
  if (code === "deleted" || code === "closed") {
    // Somebody else deleted it, or closed it in their own way.
    output.isGone = true;
  } else if (frame.type === "append" && code === "too-large") {
    output.isFull = error;
    output.seq = (frame.seq ?? 1) - 1;
    return onlyEnd(output, frame);
  } else if (frame.type === "update" && code === "too-large" && frame.data !== null) {
    const headers = { ...frame.headers, [OMITTED]: "more than the session takes" };
    return { ...frame, data: null, headers };
  } else {
    output.fail(error);
  }
  return undefined;
}
