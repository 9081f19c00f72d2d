// A voice in one turn. It keeps nothing: how far a text was said, it reads in the session, so that
// it may be killed at any moment, and the next process goes on in the middle of a word.

import { type AgentTurn, type Message, readMessages } from "sessile/agent";
import { isSentence, pieces } from "./pieces.ts";

/** How far back it looks for what was said in its turn. */
const LOOK_BACK = 100;
const PIECE_EVERY_MS = 25;
/** Pieces on their way: more wait for a connection, so that it is not flooded when it is back. */
const MOST_ON_THEIR_WAY = 64;

/** A text as far as the session has acknowledged it. */
export interface Acknowledged {
  type: "acknowledged";
  serial: string;
  text: string;
  /** The place in the log of its last part. */
  position: string;
  isWhole: boolean;
}

export type Report = (report: Acknowledged) => void;

export class Voice {
  readonly turn: AgentTurn;
  readonly #report: Report;
  readonly #held: ReadonlyMap<string | undefined, Message>;
  /** Instructions that came and were not obeyed yet. */
  #isTold = false;
  /** The pieces that this process has said. */
  #count = 0;
  #onTheirWay = 0;

  private constructor(turn: AgentTurn, held: readonly Message[], report: Report) {
    this.turn = turn;
    this.#report = report;
    this.#held = new Map(held.map((message) => [message.id, message]));
    turn.onSteer(() => {
      this.#isTold = true;
    });
  }

  /** The voice of a turn, with what earlier processes have said in it. */
  static async of(turn: AgentTurn, report: Report): Promise<Voice> {
    const { messages } = await readMessages(turn.host, { limit: LOOK_BACK });
    const held = messages.filter((message) => message.turn === turn.id);
    return new Voice(turn, held, report);
  }

  /** Whether nothing more is to be said: it was stopped, or another process speaks. */
  get isOver(): boolean {
    return this.turn.signal.aborted;
  }

  /** How much was said, in pieces. */
  get count(): number {
    return this.#count;
  }

  /** Says a text, or the rest of it; resolves to the serial of its message. */
  async say(name: string, text: string, headers?: Record<string, string>): Promise<string> {
    const id = `${this.turn.id}/${name}`;
    const held = this.#held.get(id);
    if (held && held.status !== "streaming" && held.status !== "failed") return held.serial;
    const goesOn = held?.status === "streaming";
    let said = goesOn ? String(held.data ?? "") : "";
    let seq = goesOn ? (held.seq ?? 0) : 0;
    const serial = goesOn ? held.serial : await this.#begin(id, headers);
    let last: Promise<unknown> | undefined;
    const rest = pieces(text, said.length);
    for (const [at, piece] of rest.entries()) {
      if (this.isOver) break;
      const isCut = this.#isTold && isSentence(said);
      const data = isCut ? "" : piece;
      const isWhole = isCut || at === rest.length - 1;
      said += data;
      seq += 1;
      last = this.#append(serial, seq, data, said, isWhole);
      if (isWhole) break;
      if (this.#onTheirWay > MOST_ON_THEIR_WAY) await last;
      await sleep(PIECE_EVERY_MS, this.turn.signal);
    }
    await last;
    return serial;
  }

  /** Keeps the result of a tool, unless an earlier process has: where it is long, as a file. */
  async keep(name: string, make: () => unknown): Promise<void> {
    if ([...this.#held.values()].some((held) => held.name === name)) return;
    await this.turn.message(make(), { id: name, name, role: "tool" });
  }

  /** Obeys what it was told meanwhile. */
  async obey(answer: (instruction: string) => string): Promise<void> {
    while (!this.isOver) {
      this.#isTold = false;
      const told = await this.turn.steered();
      if (told.length === 0) return;
      for (const { serial, data } of told) await this.say(serial, answer(String(data)));
    }
  }

  async #begin(id: string, headers?: Record<string, string>): Promise<string> {
    const { id: turn, host } = this.turn;
    const message = { id, turn, role: "assistant", status: "streaming", data: "" } as const;
    const messages = [{ ...message, ...(headers && { headers }) }];
    const placed = await host.ask({ type: "publish", messages });
    return placed.messages[0]?.serial ?? "";
  }

  /**
   * Appends a piece, again on each new connection until it is acknowledged. Only the last one is
   * waited for: an acknowledgement may take as long as the readers' window (P5.4).
   */
  async #append(serial: string, seq: number, data: string, text: string, isWhole: boolean) {
    const ended = isWhole ? { status: "complete" as const } : {};
    this.#onTheirWay += 1;
    try {
      const { version } = await this.turn.host.ask({ type: "append", serial, seq, data, ...ended });
      this.#count += 1;
      this.#report({ type: "acknowledged", serial, text, position: version, isWhole });
    } catch (error) {
      // A turn that was stopped takes nothing more, and the loop ends by its signal.
      if (!this.isOver && isWhole) throw error;
    } finally {
      this.#onTheirWay -= 1;
    }
  }
}

/** Waits, or until the signal. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
