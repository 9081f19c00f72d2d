// A run read back from its session: what is stored, and then what becomes of it.

import { fieldsOf, type Loose } from "../ai-sdk/output.ts";
import { Log } from "../client/log.ts";
import {
  isOpen,
  type Message,
  type Page,
  SessileError,
  type Snapshot,
  type Turn,
} from "../protocol/index.ts";
import { type SessionApi, sleep } from "./api.ts";
import { RunChunks } from "./chunks.ts";
import { Reading } from "./reading.ts";
import { isTerminal, type Line, Lines, STORED } from "./stored.ts";

/** A chunk and what to resume after. */
export interface Entry {
  offset: string;
  chunk: Loose;
}

/** The offset after the end that the session itself has put to a run. */
const OVER = "over";
/** From the beginning, and from the end as of now. */
const START = "-1";
const NOW = "now";
const AGAIN_MS = 500;
const PAGE = 1000;

/** Where a line ends, as text. */
export function offsetOf({ serial, end }: Pick<Line, "serial" | "end">): string {
  return `${serial}:${end}`;
}

export class RunReader {
  readonly runId: string;
  readonly #api: SessionApi;
  readonly #firstChunkMs: number;

  constructor(api: SessionApi, runId: string, firstChunkMs: number) {
    this.#api = api;
    this.runId = runId;
    this.#firstChunkMs = firstChunkMs;
  }

  /** Everything that is stored now. */
  async snapshot(): Promise<Entry[]> {
    const turn = await this.#turn();
    const messages = turn ? await this.messages(turn) : [];
    return new Lines()
      .next(messages)
      .map((line) => ({ offset: offsetOf(line), chunk: line.chunk }));
  }

  /** The chunks after an offset, until the run is over or the signal fires. */
  async *read(offset: string, signal: AbortSignal): AsyncGenerator<Entry> {
    if (offset === OVER) return;
    const after = await this.#placeOf(offset);
    const lines = new Lines();
    let last: Loose | undefined;
    let isFirst = true;
    for await (const { messages, turn } of this.#states(after?.serial, signal)) {
      const isSkipped = isFirst && offset === NOW;
      isFirst = false;
      for (const line of lines.next(messages)) {
        if (line.chunk.type.startsWith("RUN_")) last = line.chunk;
        const isBefore = after && line.serial === after.serial && line.end <= after.end;
        if (!isSkipped && !isBefore) yield { offset: offsetOf(line), chunk: line.chunk };
      }
      if (isOpen(turn)) continue;
      const end = last && isTerminal(last) ? undefined : endOf(turn, last);
      if (end) yield { offset: OVER, chunk: end };
      return;
    }
  }

  /** The messages that hold a run, from its first or another on. */
  async messages(turn: Turn, from?: string): Promise<Message[]> {
    const isOurs = (it: Message) => it.turn === turn.id && it.name === STORED;
    const found: Message[] = [];
    const first = from && (await this.#message(from));
    if (first) found.push(first);
    for (let next = from; ; ) {
      const place = next && { [from ? "after" : "before"]: next };
      const query = new URLSearchParams({ limit: String(PAGE), ...(place || {}) });
      const page = await this.#api.read<Page>(`messages?${query}`);
      found.push(...page.messages.filter(isOurs));
      next = page.next;
      const oldest = page.messages.at(-1);
      const isWhole = !from && (hasFirst(found) || (oldest?.createdAt ?? 0) < turn.createdAt);
      if (!page.hasMore || !next || isWhole) break;
    }
    return found.sort((a, b) => (a.serial < b.serial ? -1 : 1));
  }

  async #turn(): Promise<Turn | undefined> {
    try {
      const path = `turns/${encodeURIComponent(this.runId)}`;
      return (await this.#api.read<{ turn: Turn }>(path)).turn;
    } catch (error) {
      if (error instanceof SessileError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  async #message(serial: string): Promise<Message> {
    const path = `messages/${encodeURIComponent(serial)}`;
    return (await this.#api.read<{ message: Message }>(path)).message;
  }

  async #placeOf(offset: string): Promise<{ serial: string; end: number } | undefined> {
    if (offset === START || offset === NOW) return undefined;
    const [, serial, end] = /^([^:]+):(\d+)$/.exec(offset) ?? [];
    if (!serial) throw new SessileError("invalid-frame", `${offset} is no offset of a run`);
    const { name, turn } = await this.#message(serial);
    if (name !== STORED || turn !== this.runId) {
      throw new SessileError("not-found", `${offset} is not an offset of run ${this.runId}`);
    }
    return { serial, end: Number(end) };
  }

  /** The run as it stands, again after each change. */
  async *#states(from: string | undefined, signal: AbortSignal) {
    const deadline = Date.now() + this.#firstChunkMs;
    while (!signal.aborted) {
      // A read after the position is known is at least as new.
      const snapshot = await this.#api.read<Snapshot>("?rewind=0");
      const turn = await this.#turn();
      if (!turn) {
        if (Date.now() > deadline) throw unknown(this.runId);
        await sleep(Math.min(AGAIN_MS, this.#firstChunkMs / 5), signal);
        continue;
      }
      const messages = await this.messages(turn, from);
      yield { messages, turn };
      if (!isOpen(turn)) return;
      yield* this.#live({ ...snapshot, messages, turns: [turn], hasOlder: false }, turn, signal);
    }
  }

  /** The run after each change, as long as its log can be resumed. */
  async *#live(snapshot: Snapshot, begun: Turn, signal: AbortSignal) {
    const log = Log.from(snapshot);
    const control = new AbortController();
    const stop = () => control.abort();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted) {
        const since = log.position === undefined ? {} : { since: log.position };
        const query = { names: STORED, rewind: "0", ...since };
        let isAlive = false;
        for await (const frames of this.#api.events(query, control.signal)) {
          for (const frame of frames) {
            // A stream that breaks off before it told anything would do so again.
            isAlive ||= frame.type !== "attached";
            if (frame.type === "attached" && !frame.resumed && log.position) return;
            log.take(frame);
          }
          for (const serial of log.gaps) log.mend(await this.#message(serial));
          // Until all was replayed, what a turn ended with may still be missing.
          const turn = (!log.isReplaying && log.turns.get(begun.id)) || begun;
          const isOurs = (it: Message) => it.turn === begun.id && it.name === STORED;
          yield { messages: log.messages.filter(isOurs), turn };
        }
        await sleep(AGAIN_MS, signal);
        if (!isAlive) return;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      control.abort();
    }
  }
}

function hasFirst(messages: readonly Message[]): boolean {
  return messages.some(({ headers }) => headers?.n === "0");
}

/** The end that the session puts to a run whose producer did not: it died, or was cancelled. */
function endOf(turn: Turn, last: Loose | undefined): Loose | undefined {
  const { threadId } = fieldsOf(last);
  const chunks = new RunChunks({ thread: String(threadId ?? ""), run: turn.id });
  return chunks.next([], turn, new Reading([], [turn])).at(-1);
}

function unknown(runId: string): SessileError {
  return new SessileError("not-found", `unable to read; there is no run ${runId}`);
}
