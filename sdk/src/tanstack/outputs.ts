// The outputs of a page's own calls, as messages; the last one is the input for the agent.

import type { Answers } from "../answer/answers.ts";
import { fieldsOf, type Loose } from "../answer/fields.ts";
import {
  DECIDED,
  type Message,
  type NewMessage,
  short,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
  wellFormed,
} from "../protocol/index.ts";
import type { ChatMessage } from "./fold.ts";
import type { Node } from "./nodes.ts";

/** Longer ids do not fit a header; `call` names the call, too. */
const MOST_ID_LENGTH = 400;
/** Characters of a message's `id` (P14). */
const MOST_NAME_LENGTH = 128;

export interface News {
  message: NewMessage & { id: string };
  /** The message that asks for it, in a turn. */
  asks: Message | undefined;
  /** The message that it follows. */
  parent: string | undefined;
}

/**
 * The outputs in a chat's last answer that the session does not have yet; `undefined` if it does
 * not know the answer.
 */
export function newsOf(
  chat: readonly ChatMessage[],
  nodes: readonly Node[],
  answers: Answers,
): News[] | undefined {
  const last = chat.at(-1);
  const answer = last && answerOf(last, nodes);
  if (answer === undefined) return undefined;
  const own = nodes.filter((node) => node.answer === answer);
  const said = own.flatMap(({ messages }) => messages);
  const parts = chat
    .filter((it) => it === last || it.id === answer || it.id.startsWith(`${answer}/`))
    .flatMap((message) => message.parts);
  const known = new Set(
    said.filter((it) => it.name !== "tool-input").map((it) => `${it.name} ${answers.call(it)?.id}`),
  );
  const inputs = new Map<unknown, Message | undefined>(
    said
      .filter((it) => it.name === "tool-input" && !answers.isBrokenOff(it))
      .map((message) => [answers.call(message)?.id, message]),
  );
  const found = parts.flatMap((part) => {
    const input = inputs.get(part.id);
    const is = part.type === "tool-call" && inputs.has(part.id) ? outcomeOf(part) : undefined;
    // The agent's message is the question: for an approval, only the page's own message counts.
    const isKnown = is?.name === TOOL_OUTPUT && known.has(`${is.name} ${part.id}`);
    const id = short(`${is?.name}:${input?.serial ?? `${answer}:${part.id}`}`, MOST_NAME_LENGTH);
    if (!is || isKnown || said.some((it) => it.id === id)) return [];
    const { toolCallId = "" } = input ? answers.headers(input) : { toolCallId: String(part.id) };
    const isShort = toolCallId !== "" && toolCallId.length <= MOST_ID_LENGTH;
    const named = isShort && { toolCallId };
    const of = input ? { call: input.serial } : {};
    const headers = { state: is.state, ...of, answer, ...named };
    const isRequest = (it: Message) =>
      it.name === TOOL_APPROVAL && it.turn !== undefined && answers.call(it)?.input === input;
    const asks = is.name === TOOL_APPROVAL ? said.findLast(isRequest) : input;
    // Somebody has decided.
    if (asks?.headers?.[DECIDED]) return [];
    return [{ id, name: is.name, role: "user" as const, data: is.data, headers, asks }];
  });
  const parent = said.at(-1)?.serial;
  return found.map(({ asks, ...message }) => ({ asks, message: wellFormed(message), parent }));
}

/** The messages to publish, in one step; the last one is an input. */
export function inOne(news: readonly News[]): NewMessage[] {
  return news.map(({ message, parent }, index) => {
    const isLast = index === news.length - 1;
    const headers = { ...message.headers, ...(!isLast && { more: "true" }) };
    // Without a parent, each follows the one before.
    return { ...message, headers, ...(index === 0 && parent && { parent }), wake: isLast };
  });
}

/** The answer that a message of the chat belongs to. */
function answerOf({ id }: ChatMessage, nodes: readonly Node[]): string | undefined {
  // A long answer may be several messages of the chat.
  const [, whole = id] = /^(.+)\/\d+$/.exec(id) ?? [];
  return (nodes.find(({ key }) => key === id) ?? nodes.find(({ key }) => key === whole))?.answer;
}

/** The output of a page's own call; `undefined` until there is one. */
function outcomeOf({ state, output, approval }: Loose) {
  const { id: approvalId, approved, reason } = fieldsOf(approval);
  if (state === "approval-responded" && typeof approved === "boolean") {
    const data = { approvalId, approved, ...(reason !== undefined && { reason }) };
    return { name: TOOL_APPROVAL, state: "responded", data };
  }
  if (output === undefined) return undefined;
  const { error } = fieldsOf(output);
  if (state === "error") return { name: TOOL_OUTPUT, state, data: String(error ?? output) };
  return state === "complete" ? { name: TOOL_OUTPUT, state: "available", data: output } : undefined;
}
