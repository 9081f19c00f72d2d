// An agent's whole output in one turn, in one order: creations, appends and ends of all its
// messages reach the log in the order of the calls, however far away the session is and whatever is
// refused or resent in between. Many frames are in flight at a time; a `chain` (P13.8) makes the
// session refuse the frames after a refused one, so that no frame overtakes another.

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

/** The pipeline's view of a turn. */
export interface Outlet {
  readonly limits: Limits;
  /** The number of this process among the turn's leaders: a later one may find earlier output. */
  readonly attempt: number;
  /** Sent on this connection only; `disconnected` leaves open whether it was taken. */
  once(frame: ClientFrame): Promise<unknown>;
  /** Resolves when there is a connection again. */
  connected(): Promise<void>;
}

/** A frame in flight. */
interface Flight extends Framed {
  error?: SessileError;
  /** How often the session failed on it. */
  failures?: number;
}

/** Frames in flight, and their text. */
const MOST_FLIGHTS = 64;
const MOST_FLYING = 128 * 1024;
/** Refusals after which a frame is resent unchanged. */
const AGAIN: string[] = ["skipped", "disconnected", "rate-limited", "internal"];
/** How often a frame is sent on which the session fails, and the pause before that. */
const MOST_FAILURES = 5;
const PAUSE_MS = 1_000;

/** Of all turns of this process: their frames share one connection. */
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
  /** Frames to be resent, ahead of all that wait. */
  #again: Flight[] = [];
  #chain = nextChain();
  /** A frame was refused: nothing is sent until all frames in flight after it are answered. */
  #isDraining = false;
  /** A question is in flight, during which nothing else is sent. */
  #isAsking = false;
  #isDue = false;
  #isOver = false;
  #names = 0;
  /** Texts that were begun; those that are over are dropped now and then. */
  #texts: Output[] = [];
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
    if (task.kind === "begin") this.#texts = [...this.#texts.filter(isOpen), task.output];
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

  /** Resolves when everything is in the session, or refused. */
  flush(): Promise<void> {
    return this.until(() => this.#isFlushed);
  }

  /** Whether nothing is on its way, and no text may grow. */
  get isQuiet(): boolean {
    return this.#isFlushed && !this.#texts.some(isOpen);
  }

  get #isFlushed(): boolean {
    return this.#queue.isEmpty && !this.#flights[0] && !this.#again[0];
  }

  /** Gives up: the turn is another process's, or over. */
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
    // Operations of one tick are sent together (P13.6).
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

  /** How long nothing may be sent: for the session's rate, or since more text is on its way. */
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
      // In a first attempt, this very frame was taken before.
      const isEarlier = messages[at]?.duplicate && this.#outlet.attempt > 1;
      if (message && isEarlier) this.#takeOver(output, message);
      output.settle();
    });
  }

  /** An earlier attempt has said it (P6.8): the new value replaces it. */
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

  /** Asks for a streaming message's text, with an append that cannot be the next. */
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

  /** All frames in flight are answered: those not taken are resent, in order. */
  async #recover(): Promise<void> {
    const failed = this.#flights;
    this.#flights = [];
    /** Texts sent anew, with all the text of their appends. */
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

  /** The frames that replace one that was not taken. */
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

function isOpen(output: Output): boolean {
  return output.isOpen;
}

function pauseAfter(error: SessileError | undefined): number {
  if (error?.code === "rate-limited") return error.info?.retryAfterMs ?? PAUSE_MS;
  return error?.code === "internal" ? PAUSE_MS : 0;
}

/** Its text is sent in another way, or not at all; its end is still to be sent. */
function onlyEnd(output: Output, frame: AppendFrame): AppendFrame | undefined {
  const { serial, status, headers } = frame;
  if (!status) return undefined;
  if (output.isFull) output.fail(output.isFull);
  const is = output.isFull ? "failed" : status;
  return append(output, serial, { status: is, ...(headers && { headers }) });
}

/** A message is refused, and the rest of the answer continues without it. */
function refused(frame: ClientFrame, output: Output, error: SessileError): ClientFrame | undefined {
  const { code } = error;
  if (code === "deleted" || code === "closed") {
    // Another client deleted it, or closed it in its own way.
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
