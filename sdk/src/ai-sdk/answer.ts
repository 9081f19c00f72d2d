// Which messages are one answer: those of a turn, what the page says came of the calls that the
// turn left to it, and the turns that go on from there. A page shows all of it as one message,
// which has the id of the first turn.

import { askedIn, type IsAsked, isOfTurn } from "../protocol/answer.ts";
import type { Message, Turn } from "../protocol/index.ts";

/** The name of the message that says what came of a call which the page made itself. */
export const TOOL_OUTPUT = "tool-output";
/** The name of the message that says whether a call may be made. */
export const TOOL_APPROVAL = "tool-approval";
/** Of what a page says of a call: the serial of the call's message. */
export const CALL = "call";
/** The same: the answer to which the call belongs. */
export const ANSWER = "answer";
/** The same: there is more in the same publish, and it is no input. */
export const MORE = "more";

/** A session, a snapshot of one, a page of its history the oldest first. */
export interface Held {
  readonly messages: readonly Message[] & { readonly turns?: readonly Turn[] };
  /**
   * The turns that are known, if the messages do not have them, as `conversation` gives them;
   * without them an answer that goes on, and whom it is for, is told by its order.
   */
  readonly turns?: readonly Turn[] | undefined;
}

/**
 * Whether a message is part of an answer, and by whom: its turn says it, or a page that says of
 * which call and answer, if that page was asked. This is the one place where it is decided what
 * counts.
 */
function saidBy(message: Message, isAsked: IsAsked): "turn" | "page" | undefined {
  const { turn, role, name, client, headers = {} } = message;
  if (turn) return isOfTurn(message) ? "turn" : undefined;
  const isOfCall = CALL in headers && ANSWER in headers && role === "user";
  if (!isOfCall || (name !== TOOL_OUTPUT && name !== TOOL_APPROVAL)) return undefined;
  return isAsked(client, headers[ANSWER]) ? "page" : undefined;
}

/** The answers of a session. */
export class Answers {
  /** The answer to which a turn belongs, by the turn's id. */
  readonly ofTurn = new Map<string, string>();
  /** The messages of an answer in their order, tombstones among them, by the answer's id. */
  readonly messages = new Map<string, Message[]>();
  readonly #held: Held;
  readonly #isAsked: IsAsked;

  private constructor(held: Held) {
    this.#held = held;
    const { messages } = held;
    const { turns = messages.turns ?? [] } = held;
    this.#isAsked = askedIn(messages, turns);
    const inputs = new Map(turns.map(({ id, input }) => [id, input]));
    const results = new Map<string, string>();
    const settled = new Set<string>();
    /** The answer of the next turn, where nobody says what that answers. */
    let next: string | undefined;
    for (const message of messages) {
      const { turn, serial, name, headers = {} } = message;
      if (turn) {
        if (!this.ofTurn.has(turn)) {
          const input = inputs.has(turn) ? results.get(inputs.get(turn) ?? "") : next;
          this.ofTurn.set(turn, input ?? turn);
          next = undefined;
        }
        if (this.#saidBy(message)) this.#add(this.ofTurn.get(turn) as string, message);
      } else if (this.#saidBy(message)) {
        const answer = this.ofTurn.get(headers[ANSWER] ?? "") ?? (headers[ANSWER] as string);
        const what = `${answer} ${name} ${headers[CALL]}`;
        results.set(serial, answer);
        if (!headers[MORE]) next = answer;
        // The first one counts: it is what the agent went on with.
        if (!settled.has(what)) this.#add(answer, message);
        settled.add(what);
      } else next = undefined;
    }
    for (const { id, input = "" } of turns) {
      if (!this.ofTurn.has(id)) this.ofTurn.set(id, results.get(input) ?? id);
    }
  }

  static readonly #known = new WeakMap<readonly Message[], Answers>();

  /** The answers of what is held; whoever asks again for the same gets the same. */
  static of(held: Held): Answers {
    const known = Answers.#known.get(held.messages);
    if (known && known.#held.turns === held.turns) return known;
    const answers = new Answers(held);
    Answers.#known.set(held.messages, answers);
    return answers;
  }

  /** The answer to which a message belongs, if it belongs to one. */
  of(message: Message): string | undefined {
    const { turn, headers } = message;
    if (turn) return this.ofTurn.get(turn);
    const answer = headers?.[ANSWER] ?? "";
    return this.#saidBy(message) ? (this.ofTurn.get(answer) ?? answer) : undefined;
  }

  #saidBy(message: Message): "turn" | "page" | undefined {
    return saidBy(message, this.#isAsked);
  }

  #add(answer: string, message: Message): void {
    const held = this.messages.get(answer);
    if (held) held.push(message);
    else this.messages.set(answer, [message]);
  }
}
