// What came of the calls that a page made itself, as messages: the last of them is what the agent
// goes on with.

import { fieldsOf, type Loose } from "../ai-sdk/output.ts";
import type { Message, NewMessage } from "../protocol/index.ts";
import type { ChatMessage } from "./fold.ts";
import { wellFormed } from "./json.ts";
import { type Reading, TOOL_APPROVAL, TOOL_OUTPUT } from "./reading.ts";
import { Lines, STORED } from "./stored.ts";
import type { Node } from "./transcript.ts";

/** Longer ids have no place in a header; `call` says which call is meant. */
const MOST_ID_LENGTH = 400;

type News = NewMessage & { id: string };

/** What a chat knows of the calls of its last answer, and the session does not. */
export function newsOf(
  chat: readonly ChatMessage[],
  nodes: readonly Node[],
  reading: Reading,
): News[] {
  const shown = chat.at(-1)?.id ?? "";
  // A long answer is several messages in a chat.
  const [, whole = shown] = /^(.+)\/\d+$/.exec(shown) ?? [];
  const first = nodes.find(({ key }) => key === shown) ?? nodes.find(({ key }) => key === whole);
  const answer = first?.answer ?? shown;
  const own = nodes.filter((node) => node.answer === answer);
  const said = own.flatMap(({ messages }) => messages);
  const parts = chat
    .filter(({ id }) => id === answer || id.startsWith(`${answer}/`))
    .flatMap((message) => message.parts);
  const known = new Set(
    said.filter((it) => it.name !== "tool-input").map((it) => `${it.name} ${reading.call(it)?.id}`),
  );
  const inputs = new Map<unknown, Message | undefined>(
    said
      .filter((it) => it.name === "tool-input" && !reading.isBrokenOff(it))
      .map((message) => [reading.call(message)?.id, message]),
  );
  // A run that was stored as it came has its calls and their results among its chunks.
  for (const { chunk } of new Lines().next(said.filter(({ name }) => name === STORED))) {
    if (chunk.type === "TOOL_CALL_START") inputs.set(chunk.toolCallId, undefined);
    if (chunk.type === "TOOL_CALL_RESULT") known.add(`${TOOL_OUTPUT} ${chunk.toolCallId}`);
  }
  const found = parts.flatMap((part) => {
    const input = inputs.get(part.id);
    const is = part.type === "tool-call" && inputs.has(part.id) ? outcomeOf(part) : undefined;
    // An agent asks before it is answered: of an approval, the page's own message counts.
    const isKnown = is?.name === TOOL_OUTPUT && known.has(`${is.name} ${part.id}`);
    const id = `${is?.name}:${input?.serial ?? `${answer}:${part.id}`}`;
    if (!is || isKnown || said.some((it) => it.id === id)) return [];
    const { toolCallId = "" } = input ? reading.headers(input) : { toolCallId: String(part.id) };
    const isShort = toolCallId !== "" && toolCallId.length <= MOST_ID_LENGTH;
    const named = isShort && { toolCallId: toolCallId.toWellFormed() };
    const of = input ? { call: input.serial } : {};
    const headers = { state: is.state, ...of, answer, ...named };
    return [{ id, name: is.name, role: "user" as const, data: wellFormed(is.data), headers }];
  });
  return found.map((message, index) => {
    const isLast = index === found.length - 1;
    const more = isLast ? {} : { more: "true" };
    // Those after the first follow it, as what names no parent does.
    const parent = index === 0 ? said.at(-1)?.serial : undefined;
    const headers = { ...message.headers, ...more };
    return { ...message, headers, ...(parent && { parent }), wake: isLast };
  });
}

/** What a page made of a call; nothing while it has not. */
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
