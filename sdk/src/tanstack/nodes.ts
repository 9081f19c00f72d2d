// The nodes of a transcript: a person's message, a turn, or a page's output of a call. They are
// updated as the log grows, so that a streaming text or a new message costs no pass over the log.

import type { Answers } from "../answer/answers.ts";
import { type Message, STEER } from "../protocol/index.ts";

export interface Node {
  /** The id of the chat's message, of the turn, or of the page's message. */
  key: string;
  /** The first turn of its answer; absent for a person's message. */
  answer: string | undefined;
  isTurn: boolean;
  /** The serial of its first message. */
  serial: string;
  messages: Message[];
}

/** The lists of messages with one set of answers: the log, and the branch on screen. */
const MOST_LISTS = 2;

const known = new WeakMap<Answers, Nodes[]>();

/** The nodes of a log or a branch, in order; valid until the next call. */
export function nodesOf(messages: readonly Message[], answers: Answers): readonly Node[] {
  const lists = known.get(answers) ?? [];
  known.set(answers, lists);
  const nodes = lists.find((it) => it.follow(messages)) ?? new Nodes(messages, answers);
  if (!lists.includes(nodes)) lists.push(nodes);
  if (lists.length > MOST_LISTS) lists.shift();
  return nodes.list;
}

class Nodes {
  readonly list: Node[] = [];
  readonly #answers: Answers;
  #messages: readonly Message[];
  readonly #byKey = new Map<string, Node>();
  /** The nodes of messages, by their serials. */
  readonly #ofSerial = new Map<string, Node>();
  readonly #turns: Set<string | undefined>;

  constructor(messages: readonly Message[], answers: Answers) {
    this.#answers = answers;
    this.#messages = messages;
    this.#turns = new Set(messages.map(({ turn }) => turn));
    for (const message of messages) this.#join(message);
  }

  /** Applies changes; returns `false` where nodes may have to be formed anew. */
  follow(messages: readonly Message[]): boolean {
    const was = this.#messages;
    if (messages === was) return true;
    if (messages.length < was.length) return false;
    const isSame = was.every(({ serial }, at) => {
      const is = messages[at];
      // The answers are the same, so a changed message is still part of its node.
      return is === was[at] || is?.serial === serial;
    });
    const added = messages.slice(was.length);
    // A person's message may have the same id as a turn.
    const isTaken = ({ turn }: Message) =>
      turn !== undefined && !this.#turns.has(turn) && this.#byKey.has(turn);
    if (!isSame || added.some(isTaken)) return false;
    for (const [at, held] of was.entries()) {
      const is = messages[at];
      if (is && is !== held) this.#replace(held, is);
    }
    for (const { turn } of added) this.#turns.add(turn);
    for (const message of added) this.#join(message);
    this.#messages = messages;
    return true;
  }

  #join(message: Message): void {
    const { turn, deletedAt, name, role, serial } = message;
    if (deletedAt !== undefined || name === STEER) return;
    const isOutput = this.#answers.isOfPage(message);
    if (turn === undefined && name !== "message" && !isOutput) return;
    // A person's message in a turn, such as an instruction, is not part of the turn's answer.
    if (turn !== undefined && role === "user") return;
    const { id = serial } = message;
    // Clients choose ids: another message or a turn may have the same one.
    const key = turn ?? (this.#byKey.has(id) || this.#turns.has(id) ? serial : id);
    let node = this.#byKey.get(key);
    if (node) node.messages.push(message);
    else {
      const isTurn = turn !== undefined;
      const answer = isTurn || isOutput ? this.#answers.of(message) : undefined;
      node = { key, answer, isTurn, serial, messages: [message] };
      this.#byKey.set(key, node);
      this.list.push(node);
    }
    this.#ofSerial.set(serial, node);
  }

  #replace(was: Message, is: Message): void {
    const node = this.#ofSerial.get(is.serial);
    const at = node?.messages.lastIndexOf(was) ?? -1;
    if (node && at >= 0) node.messages[at] = is;
  }
}
