// A run on its way into a session: a turn of the run's id, and its chunks as lines of text that
// grows. Acknowledged chunks are durable, and only those are delivered (P3.2).

import { short } from "../agent/bounds.ts";
import { fieldsOf, type Loose } from "../ai-sdk/output.ts";
import {
  type AppendFrame,
  DEFAULT_LIMITS,
  type Ending,
  isOpen,
  type Message,
  type Placed,
  SessileError,
  type StartTurnFrame,
  type Turn,
  type TurnResult,
} from "../protocol/index.ts";
import type { SessionApi } from "./api.ts";
import { offsetOf, type RunReader } from "./run-reader.ts";
import { Lines, STORED } from "./stored.ts";

export type RunStart = Omit<StartTurnFrame, "type" | "id" | "again"> & {
  /** Whether chunks that end without `RUN_FINISHED` are all of a run; it has failed otherwise. */
  mayEndOpen?: boolean;
};

/** UTF-8 bytes of one message's text; 1 MiB is allowed (P14). */
const MOST_BYTES = 900_000;
/** UTF-16 code units of one append: at most three bytes each, in a frame of 256 KiB (P14). */
const MOST_LENGTH = 65_536;
/** Characters of an error's message: 4 KiB are allowed for the error (P14). */
const MOST_ERROR_LENGTH = 1_000;
/** How often a turn is asked about in silence, where somebody wants to know of a cancel. */
const WATCH_MS = 1_000;
const LEASE_MS = 30_000;

/** TanStack AI takes this reason for a cancel, not for a reader who left (`RUN_CANCEL_REASON`). */
const CANCELLED = "tanstack-ai:cancel-requested";

/** Codes that say that there is nothing left to end. */
const OVER = ["turn-closed", "not-leader", "gone"];

export class RunWriter {
  readonly #api: SessionApi;
  readonly #reader: RunReader;
  readonly #start: Omit<RunStart, "mayEndOpen">;
  readonly #mayEndOpen: boolean;
  readonly #control = new AbortController();
  #turn: Turn | undefined;
  #serial: string | undefined;
  /** How much the message holds. */
  #length = 0;
  #bytes = 0;
  #seq = 0;
  #count = 0;
  #thread: unknown;
  /** The last chunk that began or ended a round of the run. */
  #end: Loose | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isWatched = false;
  /** One thing after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(api: SessionApi, reader: RunReader, { mayEndOpen = false, ...start }: RunStart) {
    this.#api = api;
    this.#reader = reader;
    this.#start = start;
    this.#mayEndOpen = mayEndOpen;
  }

  /** Fires when somebody cancels the run, or another process leads it. */
  get control(): AbortController {
    this.#isWatched = true;
    this.#watch();
    return this.#control;
  }

  append(chunks: readonly Loose[]): Promise<string[]> {
    return this.#after(() => this.#append(chunks));
  }

  close(): Promise<void> {
    return this.#after(() => this.#close());
  }

  #after<T>(act: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const done = this.#queue.then(act);
    this.#queue = done
      .catch(() => {})
      .then(() => {
        this.#waiting -= 1;
      });
    return done;
  }

  async #append(chunks: readonly Loose[]): Promise<string[]> {
    const turn = this.#turn ?? (await this.#open());
    const offsets: string[] = [];
    let text = "";
    const flush = async () => {
      if (text !== "") await this.#write(turn, text);
      text = "";
    };
    for (const chunk of chunks) {
      const line = `${JSON.stringify(this.#asItIs(chunk))}\n`;
      if (this.#length > 0 && this.#bytes + bytesOf(text + line) > MOST_BYTES) {
        await flush();
        // Unless it would not fit into any message, a line is not cut.
        if (this.#bytes + bytesOf(line) > MOST_BYTES) await this.#leave();
      }
      for (const piece of cut(line)) {
        if (text.length + piece.length > MOST_LENGTH) await flush();
        if (this.#bytes + bytesOf(text + piece) > MOST_BYTES) {
          await flush();
          await this.#leave();
        }
        text += piece;
      }
      offsets.push("");
      this.#ends.push([offsets, offsets.length - 1, text.length]);
    }
    await flush();
    return offsets;
  }

  /** Lines whose text waits: where their offsets go, and where they end in it. */
  #ends: [offsets: string[], index: number, end: number][] = [];

  async #write(turn: Turn, text: string): Promise<void> {
    const { id, attempt } = turn;
    const before = this.#length;
    if (this.#serial === undefined) {
      const head = { id: nameOf(`${id}/${STORED}/${this.#count}`), name: STORED, turn: id };
      const headers = { n: String(this.#count) };
      const kind = { role: "assistant", status: "streaming" } as const;
      const messages = [{ ...head, ...kind, headers, data: text }];
      const [placed] = await this.#send([{ type: "publish", messages, attempt }]);
      this.#serial = (placed as { messages: Placed[] }).messages[0]?.serial;
    } else {
      const append = { type: "append", serial: this.#serial, data: text } as const;
      await this.#send([{ ...append, seq: this.#seq + 1, attempt } satisfies AppendFrame]);
      this.#seq += 1;
    }
    this.#length += text.length;
    this.#bytes += bytesOf(text);
    const serial = this.#serial ?? "";
    for (const [offsets, index, end] of this.#ends) {
      offsets[index] = offsetOf({ serial, end: before + end });
    }
    this.#ends = [];
  }

  /** The next chunk belongs to another message; this one is whole. */
  async #leave(): Promise<void> {
    const { attempt } = this.#turn ?? {};
    if (this.#serial === undefined || attempt === undefined) return;
    const append = { type: "append", serial: this.#serial, status: "complete" } as const;
    await this.#send([{ ...append, seq: this.#seq + 1, attempt }]);
    this.#begin(this.#count + 1);
  }

  #begin(count: number, message?: Message): void {
    const text = String(message?.data ?? "");
    this.#serial = message?.serial;
    this.#length = text.length;
    this.#bytes = bytesOf(text);
    this.#seq = message?.seq ?? 0;
    this.#count = count;
  }

  /** Every answer that tells of the turn is looked at: for a cancel, above all. */
  async #send(...[frames, tries]: Parameters<SessionApi["send"]>): Promise<unknown[]> {
    const turn = this.#turn;
    const beat = turn && { type: "turn.heartbeat" as const, turn: turn.id, attempt: turn.attempt };
    try {
      const results = await this.#api.send(beat ? [...frames, beat] : frames, tries);
      const told = (results.at(-1) as Partial<TurnResult> | undefined)?.turn;
      if (told) this.#take(told);
      return results;
    } catch (error) {
      if (error instanceof SessileError && OVER.includes(error.code)) this.#lose(error);
      throw error;
    }
  }

  async #open(): Promise<Turn> {
    const { runId } = this.#reader;
    const frame = { ...this.#start, type: "turn.start", id: runId } as const;
    let { turn, duplicate } = await this.#drive(frame);
    // The input has an answer already: this is another one.
    if (duplicate && turn.id !== runId) {
      ({ turn, duplicate } = await this.#drive({ ...frame, again: true }));
    }
    if (!isOpen(turn)) {
      const message = `unable to append; run ${runId} is ${turn.status}`;
      throw new SessileError("turn-closed", message);
    }
    if (duplicate) turn = await this.#adopt(turn);
    this.#turn = turn;
    this.#take(turn);
    this.#watch();
    return turn;
  }

  /** Goes on after what another process stored, or this one before its request was lost. */
  async #adopt({ id: turn }: Turn): Promise<Turn> {
    const id = crypto.randomUUID();
    const adopted = await this.#drive({ type: "turn.adopt", turn, keep: true, id });
    const held = await this.#reader.messages(adopted.turn);
    for (const { chunk } of new Lines().next(held)) this.#pass(chunk);
    const last = held.at(-1);
    const isOver = last?.status !== "streaming";
    this.#begin(isOver ? held.length : held.length - 1, isOver ? undefined : last);
    return adopted.turn;
  }

  async #drive(frame: Parameters<SessionApi["send"]>[0][number]): Promise<TurnResult> {
    const [result] = await this.#api.send([frame]);
    return result as TurnResult;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    const turn = this.#turn;
    if (!turn || this.#control.signal.reason instanceof SessileError) return;
    const { id, attempt } = turn;
    const end = { type: "turn.end", turn: id, attempt, ...this.#ending(turn) } as const;
    try {
      await this.#api.send([{ ...end, id: nameOf(`${id}/end/${attempt}`) }]);
    } catch (error) {
      if (!(error instanceof SessileError) || !OVER.includes(error.code)) throw error;
    }
  }

  /** How the run has ended; chunks that stop without an end are not all of it. */
  #ending({ cancel }: Turn): { status: Ending; error?: { code?: string; message: string } } {
    const { type, message } = fieldsOf(this.#end);
    if (type === "RUN_ERROR") {
      const said = short(String(message ?? "it failed"), MOST_ERROR_LENGTH);
      return { status: "failed", error: { message: said } };
    }
    if (type === "RUN_FINISHED" || this.#mayEndOpen) return { status: "complete" };
    if (cancel) return { status: "cancelled" };
    const cut = "the run's chunks ended without RUN_FINISHED";
    return { status: "failed", error: { code: "stream-cut", message: cut } };
  }

  /** A run that was cancelled did not fail, though its producer stops with an error. */
  #asItIs(chunk: Loose): Loose {
    const isCancel = chunk.type === "RUN_ERROR" && this.#turn?.cancel !== undefined;
    const threadId = this.#thread ?? "";
    const { timestamp } = chunk;
    const end = { type: "RUN_FINISHED", threadId, runId: this.#reader.runId, timestamp };
    const said: Loose = isCancel ? { ...end, outcome: { type: "cancelled" } } : chunk;
    this.#pass(said);
    return said;
  }

  /** Keeps in mind how far the run is. */
  #pass(chunk: Loose): void {
    if (chunk.type === "RUN_STARTED") this.#thread = chunk.threadId;
    if (chunk.type.startsWith("RUN_")) this.#end = chunk;
  }

  #take(turn: Turn): void {
    if (this.#turn) this.#turn = { ...turn, attempt: this.#turn.attempt };
    if (turn.cancel) this.#control.abort(CANCELLED);
  }

  #lose(error: SessileError): void {
    clearInterval(this.#timer);
    this.#control.abort(error);
  }

  /** Keeps the lease while the model is silent, and hears of a cancel (P6.8). */
  #watch(): void {
    if (!this.#turn || this.#control.signal.aborted) return;
    clearInterval(this.#timer);
    const { leaseMs = LEASE_MS } = this.#turn;
    const ms = this.#isWatched ? Math.min(WATCH_MS, leaseMs / 3) : leaseMs / 3;
    this.#timer = setInterval(() => {
      // A frame under way is as good as a heartbeat, and one that is lost is followed by more.
      if (this.#waiting === 0) this.#after(() => this.#send([], 1)).catch(() => {});
    }, ms);
    // A process that has nothing else to do may end.
    (this.#timer as { unref?: () => void }).unref?.();
  }
}

/** A frame's or message's `id`, in which a run's own may leave no room for more (P14). */
function nameOf(text: string): string {
  return short(text, DEFAULT_LIMITS.nameLength);
}

const encoder = new TextEncoder();

function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/** A line in pieces that one append takes; a pair of surrogates stays together (P1.3). */
function* cut(line: string): Generator<string> {
  for (let from = 0; from < line.length; ) {
    let end = Math.min(line.length, from + MOST_LENGTH);
    const last = line.charCodeAt(end - 1);
    if (end < line.length && last >= 0xd800 && last < 0xdc00) end -= 1;
    yield line.slice(from, end);
    from = end;
  }
}
