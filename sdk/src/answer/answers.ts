// The answers in a log: which messages form one answer, to which call an output belongs, and which
// client's outputs count. An answer consists of a turn's messages, the outputs of the calls that
// the turn left to a page, and the turns that continue from these outputs. The result is kept as
// the log grows, so a streaming text or a new message costs no more than itself.

import {
  ANSWER,
  CALL,
  type Message,
  type MessageStatus,
  MORE,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
  type Turn,
} from "../protocol/index.ts";
import { Asked } from "./asked.ts";
import { fieldsOf } from "./fields.ts";
import { addNote, fieldsIn, headersOf, isOfTurn, ownId, valueIn } from "./reading.ts";

/** A session, its snapshot, or a page of its history, oldest message first. */
export interface Held {
  readonly messages: readonly Message[] & { readonly turns?: readonly Turn[] };
  /**
   * The known turns, unless the messages have them, as those of `conversation` do. Without turns,
   * the order of the messages decides which answers continue, and for whom they are.
   */
  readonly turns?: readonly Turn[] | undefined;
}

/** A call in an answer. */
export interface Call {
  /** Its id among all calls: a provider may use the same id in each step. */
  id: string;
  toolCallId: string;
  /** The message with its input. */
  input: Message;
}

const NONE: readonly Turn[] = [];

export class Answers {
  /** The answer of each turn, by the turn's id. An answer's id is that of its first turn. */
  readonly ofTurn = new Map<string, string>();
  /** The messages of each answer in order, including tombstones, by the answer's id. */
  readonly messages = new Map<string, Message[]>();
  #list: readonly Message[] = [];
  #turns: readonly Turn[] = NONE;
  /** The input of each turn. */
  readonly #inputs = new Map<string, string | undefined>();
  readonly #notes = new Map<string, Record<string, string>>();
  readonly #asked = new Asked(this.#inputs);
  /** The answers to which messages of pages belong, by the messages' serials. */
  readonly #ofPages = new Map<string, string>();
  /** The calls whose outcome is known: the first one counts. */
  readonly #settled = new Set<string>();
  /** Calls by the serials of their inputs, and of all messages about them. */
  readonly #calls = new Map<string, Call>();
  /** The latest call with each id, and with each id within a turn. */
  readonly #latest = new Map<string, Call>();
  /** Outputs that arrived before their calls. */
  readonly #early = new Map<string, Message>();
  /** The turns and headers that earlier decisions depend on: if they change, all is done anew. */
  readonly #mentioned = new Set<string>();
  readonly #begun = new Set<string>();
  /** The answer that the next turn continues, if its input is unknown. */
  #next: string | undefined;

  static readonly #known = new WeakMap<readonly Message[], Answers>();
  static readonly #following = new WeakMap<object, Answers>();

  /** The answers in these messages; the same list gives the same object again. */
  static of({ messages, turns = messages.turns ?? NONE }: Held): Answers {
    const known = Answers.#known.get(messages);
    if (known && known.#list === messages && known.#turns === turns) return known;
    const answers = new Answers();
    answers.#begin(messages, turns);
    Answers.#known.set(messages, answers);
    return answers;
  }

  /** The same for a session that is read again and again: only changes take time. */
  static following(session: object, { messages, turns = NONE }: Held): Answers {
    let answers = Answers.#following.get(session);
    const isKept = answers ? answers.#follow(messages, turns) : false;
    if (!answers || !isKept) {
      answers = new Answers();
      answers.#begin(messages, turns);
    }
    Answers.#following.set(session, answers);
    Answers.#known.set(messages, answers);
    return answers;
  }

  /** The answer to which a message belongs, if any. */
  of({ turn, serial }: Pick<Message, "turn" | "serial">): string | undefined {
    return turn === undefined ? this.#ofPages.get(serial) : this.ofTurn.get(turn);
  }

  /** Whether a message is the outcome of a call from the page that was asked for it. */
  isOfPage({ serial }: Message): boolean {
    return this.#ofPages.has(serial);
  }

  /** The call of which a message is the input, or anything else. */
  call({ serial }: Message): Call | undefined {
    return this.#calls.get(serial);
  }

  headers(message: Message): Record<string, string> {
    return headersOf(message, this.#notes);
  }

  /** The fields of a message other than its data. */
  fields(message: Message): Record<string, unknown> {
    return fieldsIn(this.headers(message));
  }

  value(message: Message): unknown {
    return valueIn(message, this.headers(message));
  }

  /** Whether an input was cut off; a refused one is whole. */
  isBrokenOff(message: Message): boolean {
    const { status, data } = message;
    const isHalf = status === "streaming" || isCut(status);
    return isHalf && typeof data === "string" && this.headers(message).state !== "error";
  }

  #begin(messages: readonly Message[], turns: readonly Turn[]): void {
    for (const { id, input } of turns) this.#inputs.set(id, input);
    for (const message of messages) addNote(this.#notes, message);
    for (const message of messages) this.#join(message);
    this.#end(messages, turns);
  }

  /** Applies the changes; returns false if they affect earlier decisions. */
  #follow(messages: readonly Message[], turns: readonly Turn[]): boolean {
    const was = this.#list;
    if (messages === was && turns === this.#turns) return true;
    if (messages.length < was.length) return false;
    // Most messages are the same objects as before, which is quick to see.
    const changed: [was: Message, is: Message][] = [];
    for (let at = 0; at < was.length; at += 1) {
      const [held, is] = [was[at] as Message, messages[at] as Message];
      if (held === is) continue;
      if (!isAlike(held, is)) return false;
      changed.push([held, is]);
    }
    if (turns !== this.#turns && !this.#learn(turns)) return false;
    const added = messages.slice(was.length);
    for (const message of added) {
      const of = addNote(this.#notes, message);
      if (of !== undefined && this.#mentioned.has(of)) return false;
    }
    for (const [held, is] of changed) this.#replace(held, is);
    for (const message of added) this.#join(message);
    this.#end(messages, turns);
    return true;
  }

  /** Adds new turns; returns false if an earlier decision depends on them. */
  #learn(turns: readonly Turn[]): boolean {
    let count = 0;
    for (const { id, input } of turns) {
      if (this.#inputs.has(id)) {
        if (this.#inputs.get(id) !== input) return false;
        count += 1;
      } else if (this.#mentioned.has(id)) return false;
    }
    if (count < this.#inputs.size) return false;
    for (const { id, input } of turns) this.#inputs.set(id, input);
    return true;
  }

  #end(messages: readonly Message[], turns: readonly Turn[]): void {
    this.#list = messages;
    if (turns !== this.#turns) {
      for (const { id, input = "" } of turns) {
        if (!this.ofTurn.has(id)) this.ofTurn.set(id, this.#ofPages.get(input) ?? id);
      }
    }
    this.#turns = turns;
  }

  #join(message: Message): void {
    const { turn, serial } = message;
    this.#asked.hear(message);
    if (turn !== undefined) {
      const answer = this.#answerOf(turn);
      if (!isOfTurn(message)) return;
      this.#add(answer, message);
      this.#relate(message, turn);
      return;
    }
    const answer = this.#hearPage(message);
    if (answer === undefined) this.#next = undefined;
    else {
      this.#ofPages.set(serial, answer);
      if (!message.headers?.[MORE]) this.#next = answer;
    }
  }

  /** The answer to which a turn belongs, decided at the first of its messages. */
  #answerOf(turn: string): string {
    this.#mentioned.add(turn);
    if (!this.#begun.has(turn)) {
      const input = this.#inputs.get(turn) ?? "";
      const goesOn = this.#inputs.has(turn) ? this.#ofPages.get(input) : this.#next;
      this.ofTurn.set(turn, goesOn ?? turn);
      this.#next = undefined;
    }
    this.#begun.add(turn);
    return this.ofTurn.get(turn) ?? turn;
  }

  /** Takes a page's message about a call; returns the answer to which it belongs, if it counts. */
  #hearPage(message: Message): string | undefined {
    const { role, name, client, serial, deletedAt } = message;
    if (role !== "user" || (name !== TOOL_OUTPUT && name !== TOOL_APPROVAL)) return undefined;
    const { toolCallId = fieldsOf(message.data).toolCallId, ...headers } = this.#headersOf(message);
    const call = this.#calls.get(headers[CALL] ?? "") ?? this.#latest.get(String(toolCallId));
    const turns = [call?.input.turn, headers[ANSWER]].filter((turn) => turn !== undefined);
    for (const turn of turns) this.#mentioned.add(turn);
    const [turn] = turns.toReversed();
    // Without a turn, or from a client that was not asked, it counts for nothing.
    if (turn === undefined || !turns.every((it) => this.#asked.is(client, it))) return undefined;
    // The turn may have no messages yet.
    const goesOn = this.#ofPages.get(this.#inputs.get(turn) ?? "");
    const answer = this.ofTurn.get(turn) ?? goesOn ?? turn;
    const of = call?.input.serial ?? headers[CALL] ?? toolCallId;
    const what = `${answer} ${name} ${of}`;
    // If several devices answer, the first one counts: the agent continued with that.
    if (!this.#settled.has(what)) {
      this.#add(answer, message);
      if (call && deletedAt === undefined) this.#calls.set(serial, call);
    }
    if (deletedAt === undefined) this.#settled.add(what);
    return answer;
  }

  /** Finds the call that a turn's message begins, or belongs to. */
  #relate(message: Message, turn: string): void {
    const { name, serial, deletedAt } = message;
    if (deletedAt !== undefined || !name.startsWith("tool-")) return;
    const headers = this.#headersOf(message);
    if (name === "tool-input") {
      const { toolCallId = serial } = headers;
      const own = `${turn} ${toolCallId}`;
      const id = this.#latest.has(toolCallId) ? `${toolCallId}_${serial}` : toolCallId;
      const call = { id, toolCallId, input: message };
      for (const key of [own, toolCallId]) this.#latest.set(key, call);
      this.#calls.set(serial, call);
      const early = this.#early.get(own);
      if (early) this.#calls.set(early.serial, call);
      this.#early.delete(own);
      return;
    }
    const toolCallId = String(headers.toolCallId ?? fieldsOf(message.data).toolCallId ?? serial);
    const ofId = this.#latest.get(toolCallId);
    const isOurs = ofId && this.of(ofId.input) === this.of(message);
    const own = this.#latest.get(`${turn} ${toolCallId}`) ?? (isOurs ? ofId : undefined);
    const call = this.#calls.get(headers[CALL] ?? "") ?? own;
    if (call) this.#calls.set(serial, call);
    else this.#early.set(`${turn} ${toolCallId}`, message);
  }

  #headersOf(message: Message): Record<string, string> {
    const { id, client } = message;
    if (id !== undefined) this.#mentioned.add(ownId(id, client));
    return this.headers(message);
  }

  #add(answer: string, message: Message): void {
    const held = this.messages.get(answer);
    if (held) held.push(message);
    else this.messages.set(answer, [message]);
  }

  /** Replaces a message whose change affects no decision. */
  #replace(was: Message, is: Message): void {
    const own = this.messages.get(this.of(is) ?? "");
    const at = own?.lastIndexOf(was) ?? -1;
    if (own && at >= 0) own[at] = is;
    const call = this.#calls.get(is.serial);
    if (call?.input === was) call.input = is;
  }
}

/** Whether a text was cut off. */
export function isCut(status: MessageStatus | undefined): boolean {
  return status === "failed" || status === "cancelled";
}

/** Headers on which decisions depend. */
const DECIDING = ["toolCallId", CALL, ANSWER, MORE];

/** Whether a change of a message affects no decision. */
function isAlike(was: Message, is: Message): boolean {
  const { serial, name, turn, role, client, id, headers = {}, deletedAt, data } = is;
  const isSame =
    was.serial === serial &&
    was.name === name &&
    was.turn === turn &&
    was.role === role &&
    was.client === client &&
    was.id === id &&
    was.deletedAt === deletedAt;
  if (!isSame) return false;
  const isAbout = name.startsWith("tool-") && name !== "tool-input";
  // Decisions depend on the data of notes, and of messages that name their call only there.
  if ((headers.of !== undefined || (isAbout && !headers.toolCallId)) && was.data !== data) {
    return false;
  }
  if (!name.startsWith("tool-") && headers.of === was.headers?.of) return true;
  return [...DECIDING, "of"].every((key) => headers[key] === was.headers?.[key]);
}
