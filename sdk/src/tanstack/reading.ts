// Finds what the messages of a log say about each other: which headers are another's, which call an
// output is of, which answer a turn goes on with, and what a call is called in the chat.

import { fieldsOf } from "../ai-sdk/output.ts";
import {
  askedIn,
  fieldsIn,
  headersOf,
  type IsAsked,
  isOfTurn,
  type Notes,
  notesIn,
  valueIn,
} from "../protocol/answer.ts";
import type { Message, MessageStatus, Turn } from "../protocol/index.ts";

/** The name of a message that says what came of a call, also of one that the page made itself. */
export const TOOL_OUTPUT = "tool-output";
/** The name of a message that asks whether a call may be made, or that says so. */
export const TOOL_APPROVAL = "tool-approval";

/** One call of an answer. */
export interface Call {
  /** Its id in the chat: a provider's id may come again in each step. */
  id: string;
  toolCallId: string;
  /** The message that has its input. */
  input: Message;
}

/** Whether a message says what a page made of a call. */
export function isOfPage({ turn, role, name }: Message): boolean {
  return turn === undefined && role === "user" && (name === TOOL_OUTPUT || name === TOOL_APPROVAL);
}

/** Whether a text ended before it was whole. */
export function isCut(status: MessageStatus | undefined): boolean {
  return status === "failed" || status === "cancelled";
}

export class Reading {
  readonly #notes: Notes;
  readonly #isAsked: IsAsked;
  readonly #turns: ReadonlyMap<string, Turn>;
  /** Calls by the serials of their inputs, and of what was said about them. */
  readonly #calls = new Map<string, Call>();
  readonly #ofPages = new Map<string, Message>();
  readonly #settled = new Set<string>();

  constructor(log: readonly Message[], turns: readonly Turn[]) {
    this.#notes = notesIn(log);
    this.#isAsked = askedIn(log, turns);
    this.#turns = new Map(turns.map((turn) => [turn.id, turn]));
    const latest = new Map<string, Call>();
    /** Outputs of calls that are not there yet. */
    const early = new Map<string, Message>();
    for (const message of log) {
      const { name, serial, turn, deletedAt } = message;
      if (deletedAt !== undefined || !name.startsWith("tool-")) continue;
      if (!isOfTurn(message) && !isOfPage(message)) continue;
      const { toolCallId = serial } = this.headers(message);
      const own = `${turn} ${toolCallId}`;
      if (name !== "tool-input") {
        if (!this.#relate(message, latest)) early.set(own, message);
        continue;
      }
      const id = latest.has(toolCallId) ? `${toolCallId}_${serial}` : toolCallId;
      const made = { id, toolCallId, input: message };
      for (const key of [own, toolCallId]) latest.set(key, made);
      this.#calls.set(serial, made);
      const known = early.get(own);
      if (known) this.#calls.set(known.serial, made);
      early.delete(own);
    }
  }

  /** Finds the call that something is said about; says no if there is none. */
  #relate(message: Message, latest: ReadonlyMap<string, Call>): boolean {
    const { name, serial, turn, data } = message;
    const { toolCallId = fieldsOf(data).toolCallId, call = "" } = this.headers(message);
    const ofId = latest.get(String(toolCallId));
    const isOurs = turn === undefined || (ofId && this.answer(ofId.input) === this.answer(message));
    const known = latest.get(`${turn} ${toolCallId}`) ?? (isOurs ? ofId : undefined);
    const found = this.#calls.get(call) ?? known;
    if (isOfPage(message)) {
      if (!this.#isOfAsked(message, found)) return true;
      this.#ofPages.set(serial, message);
      // Of several devices the first one counts: it is what the agent went on with.
      const what = `${name} ${found?.input.serial}`;
      if (this.#settled.has(what)) return true;
      this.#settled.add(what);
    }
    if (found) this.#calls.set(serial, found);
    return found !== undefined;
  }

  /** Whether a message says what came of a call, of a page that was asked to make it. */
  isOfPage(message: Message): boolean {
    return isOfPage(message) && this.#isOfAsked(message, this.call(message));
  }

  #isOfAsked({ client, headers }: Message, call: Call | undefined): boolean {
    const turns = [call?.input.turn, headers?.answer].filter((turn) => turn !== undefined);
    return turns.every((turn) => this.#isAsked(client, turn));
  }

  headers(message: Message): Record<string, string> {
    return headersOf(message, this.#notes);
  }

  /** The fields that a message has beside its data. */
  fields(message: Message): Record<string, unknown> {
    return fieldsIn(this.headers(message));
  }

  value(message: Message): unknown {
    return valueIn(message, this.headers(message));
  }

  /** Whether an input came to an end in its middle; one that was refused is whole. */
  isBrokenOff(message: Message): boolean {
    const { status, data } = message;
    const isHalf = status === "streaming" || isCut(status);
    return isHalf && typeof data === "string" && this.headers(message).state !== "error";
  }

  /** The call that a message has the input of, or says something about. */
  call({ serial }: Message): Call | undefined {
    return this.#calls.get(serial);
  }

  /** The answer that a turn, or an output of a page, belongs to: the first of its turns. */
  answer(message: Pick<Message, "turn" | "serial"> & Partial<Message>): string | undefined {
    const { turn, headers } = message;
    if (turn !== undefined) {
      const asked = this.#ofPages.get(this.#turns.get(turn)?.input ?? "");
      return (asked ? this.answer(asked) : undefined) ?? turn;
    }
    const input = this.call(message as Message)?.input;
    return headers?.answer ?? (input && this.answer(input));
  }
}
