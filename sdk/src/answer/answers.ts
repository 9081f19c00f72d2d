// The answers in a log: which messages are one answer, which call an output is of, and whose word
// counts for what. An answer is the messages of a turn, the outputs that a page gave to the calls
// that the turn left to it, and the turns that go on from there. All of that is decided here. The
// result is kept as the log grows: a text that streams, and a message at the end, cost their own
// time.

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

/** A session, a snapshot of one, a page of its history the oldest first. */
export interface Held {
  readonly messages: readonly Message[] & { readonly turns?: readonly Turn[] };
  /**
   * The turns that are known, if the messages do not have them, as `conversation` gives them;
   * without them an answer that goes on, and whom it is for, is told by its order.
   */
  readonly turns?: readonly Turn[] | undefined;
}

/** One call of an answer. */
export interface Call {
  /** Its id among all calls: a provider's id may come again in each step. */
  id: string;
  toolCallId: string;
  /** The message that has its input. */
  input: Message;
}

const NONE: readonly Turn[] = [];

export class Answers {
  /** The answer to which a turn belongs, by the turn's id: the id of the answer's first turn. */
  readonly ofTurn = new Map<string, string>();
  /** The messages of an answer in their order, tombstones among them, by the answer's id. */
  readonly messages = new Map<string, Message[]>();
  #list: readonly Message[] = [];
  #turns: readonly Turn[] = NONE;
  /** The input of each turn. */
  readonly #inputs = new Map<string, string | undefined>();
  readonly #notes = new Map<string, Record<string, string>>();
  readonly #asked = new Asked(this.#inputs);
  /** The answers that messages of pages belong to, by their serials. */
  readonly #ofPages = new Map<string, string>();
  /** The outcomes of calls that are known: the first one counts. */
  readonly #settled = new Set<string>();
  /** Calls by the serials of their inputs, and of what was said about them. */
  readonly #calls = new Map<string, Call>();
  /** The latest call of each id, and of each id in its turn. */
  readonly #latest = new Map<string, Call>();
  /** Outputs of calls that are not there yet. */
  readonly #early = new Map<string, Message>();
  /** The turns and headers that a decision has read: news of them come too late for it. */
  readonly #mentioned = new Set<string>();
  readonly #begun = new Set<string>();
  /** The answer of the next turn, where nobody says what that answers. */
  #next: string | undefined;

  static readonly #known = new WeakMap<readonly Message[], Answers>();
  static readonly #following = new WeakMap<object, Answers>();

  /** The answers of what is held; whoever asks again for the same gets the same. */
  static of({ messages, turns = messages.turns ?? NONE }: Held): Answers {
    const known = Answers.#known.get(messages);
    if (known && known.#list === messages && known.#turns === turns) return known;
    const answers = new Answers();
    answers.#begin(messages, turns);
    Answers.#known.set(messages, answers);
    return answers;
  }

  /** The same for who looks at a session again and again: it takes the time of what changed. */
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

  /** The answer to which a message belongs, if it belongs to one. */
  of({ turn, serial }: Pick<Message, "turn" | "serial">): string | undefined {
    return turn === undefined ? this.#ofPages.get(serial) : this.ofTurn.get(turn);
  }

  /** Whether a message says what came of a call, of a page that was asked to make it. */
  isOfPage({ serial }: Message): boolean {
    return this.#ofPages.has(serial);
  }

  /** The call that a message has the input of, or says something about. */
  call({ serial }: Message): Call | undefined {
    return this.#calls.get(serial);
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

  #begin(messages: readonly Message[], turns: readonly Turn[]): void {
    for (const { id, input } of turns) this.#inputs.set(id, input);
    for (const message of messages) addNote(this.#notes, message);
    for (const message of messages) this.#join(message);
    this.#end(messages, turns);
  }

  /** Takes what is different since; says no where that changes what was decided before. */
  #follow(messages: readonly Message[], turns: readonly Turn[]): boolean {
    const was = this.#list;
    if (messages === was && turns === this.#turns) return true;
    if (messages.length < was.length) return false;
    // That most of them are the same objects is seen at once.
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

  /** Takes turns that are new, if nothing was asked of them before. */
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

  /** The answer that a turn is part of, now that something of the turn is there. */
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

  /** Takes what a page says of a call, and gives the answer that it is part of, if it counts. */
  #hearPage(message: Message): string | undefined {
    const { role, name, client, serial, deletedAt } = message;
    if (role !== "user" || (name !== TOOL_OUTPUT && name !== TOOL_APPROVAL)) return undefined;
    const { toolCallId = fieldsOf(message.data).toolCallId, ...headers } = this.#headersOf(message);
    const call = this.#calls.get(headers[CALL] ?? "") ?? this.#latest.get(String(toolCallId));
    const turns = [call?.input.turn, headers[ANSWER]].filter((turn) => turn !== undefined);
    for (const turn of turns) this.#mentioned.add(turn);
    const [turn] = turns.toReversed();
    // An answer that nobody can name is none.
    if (turn === undefined || !turns.every((it) => this.#asked.is(client, it))) return undefined;
    // A turn may have said nothing yet.
    const goesOn = this.#ofPages.get(this.#inputs.get(turn) ?? "");
    const answer = this.ofTurn.get(turn) ?? goesOn ?? turn;
    const of = call?.input.serial ?? headers[CALL] ?? toolCallId;
    const what = `${answer} ${name} ${of}`;
    // Of several devices the first one counts: it is what the agent went on with.
    if (!this.#settled.has(what)) {
      this.#add(answer, message);
      if (call && deletedAt === undefined) this.#calls.set(serial, call);
    }
    if (deletedAt === undefined) this.#settled.add(what);
    return answer;
  }

  /** Finds out which call a turn's message begins, or tells of. */
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

  /** A message holds something else; all that was decided of it stands. */
  #replace(was: Message, is: Message): void {
    const own = this.messages.get(this.of(is) ?? "");
    const at = own?.lastIndexOf(was) ?? -1;
    if (own && at >= 0) own[at] = is;
    const call = this.#calls.get(is.serial);
    if (call?.input === was) call.input = is;
  }
}

/** Whether a text ended before it was whole. */
export function isCut(status: MessageStatus | undefined): boolean {
  return status === "failed" || status === "cancelled";
}

/** Headers on which something is decided. */
const DECIDING = ["toolCallId", CALL, ANSWER, MORE];

/** Whether nothing is decided in another way for a message than it was. */
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
  // Notes, and a call that only the data names, are what they hold.
  if ((headers.of !== undefined || (isAbout && !headers.toolCallId)) && was.data !== data) {
    return false;
  }
  if (!name.startsWith("tool-") && headers.of === was.headers?.of) return true;
  return [...DECIDING, "of"].every((key) => headers[key] === was.headers?.[key]);
}
