// The messages that lead to an input: the branch on its sender's screen, by the page's own rule
// (P6.9), so that an agent is never told replaced messages, nor denied parallel ones.

import { Tree } from "../log/tree.ts";
import { type Message, type Page, SessileError, type Turn } from "../protocol/index.ts";
import type { Reader } from "./link.ts";
import { readMessages } from "./read.ts";

export interface ConversationOptions {
  /**
   * The number of messages to go back, and from there to the beginning of their answer: a prompt
   * never begins with the output of a call that it lacks. 200.
   */
  limit?: number;
  /** A turn that answers the input: with what it has said so far, for one that goes on. */
  turn?: string;
}

/** Messages, and their turns. */
export interface Conversation extends Array<Message> {
  readonly turns: readonly Turn[];
}

/** Messages in a page, at least and at most (P3.9): a few of them are of other branches. */
const PAGE = 50;
const PAGE_MOST = 1000;
/** The most messages that are read to be certain. */
const MOST = 10_000;

/**
 * The conversation that leads to an input, the oldest message first and the input last, without
 * abandoned branches: of edits and further answers it has those that the input follows, or the
 * newest at that time. For an answer that is to be given again it ends with the input, too. Ready
 * for `toUIMessages` of `sessile/ai-sdk`.
 */
export async function conversation(
  session: Reader,
  input: string,
  { limit = 200, turn }: ConversationOptions = {},
): Promise<Conversation> {
  const turns = new Map<string, Turn>();
  let held: Message[] = [];
  let size = Math.max(limit, PAGE);
  for (let before: string | undefined; ; size *= 2) {
    const query = { limit: Math.min(size, PAGE_MOST), ...(before && { before }) };
    const page: Page = await readMessages(session, query);
    held = [...page.messages.toReversed(), ...held];
    for (const turn of page.turns ?? []) turns.set(turn.id, turn);
    before = page.next;
    const isWhole = !page.hasMore || before === undefined;
    const { messages: said, since } = leadingTo(held, turns, { input, turn }, isWhole);
    const start = said.findLastIndex((it, at) => at <= said.length - limit && isBeginning(it));
    const first = said[start]?.serial ?? "";
    // Near the end of the messages read, their membership is uncertain.
    const isCertain = since < first && (held[PAGE]?.serial ?? first) < first;
    const from = (place: number): Conversation => withTurns(said.slice(place), turns);
    if (isCertain || (first && MOST < held.length)) return from(start);
    if (isWhole && said.length > 0) return from(Math.max(start, 0));
    if (isWhole)
      throw new SessileError("not-found", `unable to read; there is no message ${input}`);
  }
}

/** The list itself says no more than its messages. */
function withTurns(said: Message[], turns: ReadonlyMap<string, Turn>): Conversation {
  const named = new Set(said.map(({ turn }) => turn));
  const value = [...turns.values()].filter(({ id }) => named.has(id));
  return Object.defineProperty(said, "turns", { value }) as Conversation;
}

/** The log as of the input: everything begun by then, and the turn, in their present state. */
function leadingTo(
  messages: readonly Message[],
  turns: ReadonlyMap<string, Turn>,
  { input, turn }: { input: string; turn: string | undefined },
  isWhole: boolean,
): { messages: Message[]; since: string } {
  const nodeOf = ({ turn, serial }: Message) => turn ?? serial;
  const begun = new Set(messages.filter(({ serial }) => serial <= input).map(nodeOf));
  const isBegun = turn !== undefined && messages.some((message) => message.turn === turn);
  if (isBegun) begun.add(turn);
  const held = messages.filter((message) => begun.has(nodeOf(message)));
  return new Tree(held, turns, new Map()).leadingTo(isBegun ? turn : input, isWhole);
}

/**
 * Whether it is outside any answer: neither in a turn nor an output of a page's call between turns.
 */
function isBeginning({ turn, headers }: Message): boolean {
  return turn === undefined && headers?.answer === undefined;
}
