// A session's messages as TanStack AI's: one for each message of a person, and what a client
// would make of its chunks for each turn.

import { fieldsOf, type Loose, present } from "../ai-sdk/output.ts";
import type { SessionSnapshot } from "../client/types.ts";
import type { Message, Turn } from "../protocol/index.ts";
import { RunChunks, resultOf } from "./chunks.ts";

/** The name of the message that says what came of a call which the page made itself. */
export const TOOL_OUTPUT = "tool-output";

/** A message of the chat, of whatever version of TanStack AI. */
export interface ChatMessage {
  id: string;
  role: "user" | "assistant" | "system";
  parts: Loose[];
  createdAt?: Date | undefined;
  metadata?: unknown;
}

type Shown = Pick<SessionSnapshot, "messages" | "hasOlder">;

/** What a transcript consists of: a message of a person, or a turn with all its messages. */
export interface Node {
  /** The id of the chat's message, or of the turn. */
  key: string;
  isTurn: boolean;
  /** Where it begins. */
  serial: string;
  messages: Message[];
}

/** The nodes of a log or of a branch of it, in order. */
export function nodesOf(messages: readonly Message[]): Node[] {
  const nodes = new Map<string, Node>();
  for (const message of messages) {
    const { turn, deletedAt, name, serial } = message;
    if (deletedAt !== undefined || name === "steer") continue;
    if (turn === undefined && name !== "message" && name !== TOOL_OUTPUT) continue;
    const key = turn ?? message.id ?? serial;
    const known = nodes.get(key);
    if (known) known.messages.push(message);
    else nodes.set(key, { key, isTurn: turn !== undefined, serial, messages: [message] });
  }
  return [...nodes.values()];
}

/** The nodes that are shown; half of a turn, of which the rest is older, is no message. */
export function wholeNodes({ messages, hasOlder }: Shown): Node[] {
  const nodes = nodesOf(messages);
  return hasOlder && nodes[0]?.isTurn && nodes.length > 1 ? nodes.slice(1) : nodes;
}

/** What nodes look like in a chat. */
export function chatOf(nodes: readonly Node[], turns: readonly Turn[]): ChatMessage[] {
  const known = new Map(turns.map((turn) => [turn.id, turn]));
  const chat: ChatMessage[] = [];
  for (const node of nodes) {
    const [first] = node.messages;
    if (!first) continue;
    if (node.isTurn) fold(chat, chunksOf(node, known.get(node.key)), dateOf(first));
    else if (first.name === TOOL_OUTPUT) fold(chat, resultOf(first));
    else chat.push(fromPerson(first, node.key));
  }
  return chat;
}

/** All that is to be said of a turn. */
export function chunksOf({ key, messages }: Node, turn: Turn | undefined): Loose[] {
  return new RunChunks("", key).next(messages, turn) ?? [];
}

/** What a page publishes of one of its messages: text where that is all there is. */
export function toData({ parts, metadata }: Pick<ChatMessage, "parts" | "metadata">): unknown {
  const [only] = parts;
  const isPlain = parts.length === 1 && only?.type === "text" && metadata === undefined;
  return isPlain && typeof only.content === "string" ? only.content : present({ parts, metadata });
}

function dateOf({ createdAt }: Message): Date {
  return new Date(createdAt);
}

function fromPerson(message: Message, id: string): ChatMessage {
  const { role, data } = message;
  const { parts, metadata } = fieldsOf(data);
  const text = typeof data === "string" ? data : JSON.stringify(data);
  const own: Loose[] = Array.isArray(parts) ? parts : [{ type: "text", content: text }];
  return present({
    id,
    role: role === "tool" ? "assistant" : role,
    // A page of another SDK calls a text's content `text`.
    parts: own.map((it) => (it.type === "text" ? { content: it.text, ...it } : it)),
    metadata,
    createdAt: dateOf(message),
  });
}

/** Adds what a client makes of the chunks of one run; results may be those of earlier calls. */
function fold(chat: ChatMessage[], chunks: readonly Loose[], createdAt?: Date): void {
  const start = chat.length;
  let step: unknown;
  const at = (id: unknown): Loose[] => {
    const own = chat.slice(start);
    const known = id === undefined ? own.at(-1) : own.find((message) => message.id === id);
    if (known) return known.parts;
    const parts: Loose[] = [];
    const message = { id: String(id ?? crypto.randomUUID()), role: "assistant", parts } as const;
    chat.push(present({ ...message, createdAt }));
    return parts;
  };
  const call = (id: unknown): Loose | undefined =>
    chat.flatMap(({ parts }) => parts).findLast((it) => it.type === "tool-call" && it.id === id);
  for (const chunk of chunks) {
    const { type, messageId, delta, toolCallId } = chunk;
    if (type === "TEXT_MESSAGE_START") {
      at(messageId);
    } else if (type === "TEXT_MESSAGE_CONTENT") {
      grow(at(messageId), { type: "text", content: delta });
    } else if (type === "STEP_STARTED") {
      step = chunk.stepName;
    } else if (type === "REASONING_MESSAGE_CONTENT") {
      grow(at(undefined), { type: "thinking", content: delta, stepId: step ?? messageId });
    } else if (type === "TOOL_CALL_START" && !call(toolCallId)) {
      const { toolCallName: name, metadata } = chunk;
      const part = { type: "tool-call", id: toolCallId, name, arguments: "", metadata };
      at(chunk.parentMessageId).push(present({ ...part, state: "awaiting-input" }));
    } else if (type === "TOOL_CALL_ARGS") {
      const part = call(toolCallId);
      if (part) Object.assign(part, { arguments: `${part.arguments}${delta}` });
      if (part && delta) part.state = "input-streaming";
    } else if (type === "TOOL_CALL_END") {
      complete(call(toolCallId), chunk.input);
    } else if (type === "TOOL_CALL_RESULT") {
      settle(chat, chunk);
    } else if (type === "RUN_FINISHED") {
      for (const part of chat.slice(start).flatMap(({ parts }) => parts)) {
        if (part.state === "awaiting-input" || part.state === "input-streaming") complete(part);
      }
    }
  }
}

/** Adds to the part at the end where it is of the same kind and step, else begins one. */
function grow(parts: Loose[], more: Loose): void {
  const last = parts.at(-1);
  const isSame = last?.type === more.type && last.stepId === more.stepId;
  if (last && isSame) last.content = `${last.content}${more.content}`;
  else parts.push(more);
}

function complete(call: Loose | undefined, input: unknown = undefined): void {
  if (!call) return;
  call.state = "input-complete";
  if (input !== undefined) {
    call.input = input;
    call.arguments ||= JSON.stringify(input);
    return;
  }
  try {
    call.input = JSON.parse(String(call.arguments));
  } catch {
    // Arguments that broke off stay as they are.
  }
}

function settle(chat: ChatMessage[], { toolCallId, content, state, metadata }: Loose): void {
  const parts = chat.findLast((it) => it.parts.some(({ id }) => id === toolCallId))?.parts;
  const call = parts?.find(({ id }) => id === toolCallId);
  if (!parts || !call) return;
  const isBad = (state ?? fieldsOf(fieldsOf(metadata).tanstack).state) === "output-error";
  let output: unknown = content;
  try {
    output = JSON.parse(String(content));
  } catch {
    // Text stays text.
  }
  Object.assign(call, { output, state: isBad ? "error" : "complete" });
  const { error } = fieldsOf(output);
  const why = isBad ? { error: String(error ?? output) } : {};
  const said = isBad ? "error" : "complete";
  const isResult = (it: Loose) => it.type === "tool-result" && it.toolCallId === toolCallId;
  const known = parts.findIndex(isResult);
  const result = { type: "tool-result", toolCallId, content, state: said, ...why };
  parts.splice(known < 0 ? parts.length : known, 1, result);
}
