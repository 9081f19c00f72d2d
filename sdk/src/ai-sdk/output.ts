// The messages that the codec of `sessile/agent` made of an AI SDK stream, read back: one of a turn
// by its name (`message`, `reasoning`, `tool-input`, `tool-output`, `step`, ...) as chunks again.

import type { UIMessage } from "ai";
import { fieldsOf, type Loose, present, textOf } from "../answer/fields.ts";
import { callFieldsIn, fieldsIn, valueIn } from "../answer/reading.ts";
import type { Message } from "../protocol/index.ts";

/** The header that says which of its own messages the AI SDK means, where the id cannot. */
export const UI_ID = "ui-id";

/** A message of an answer, and how much of it was told before. */
export interface Said {
  message: Message;
  /** Its headers, those among them that were too long to be any. */
  headers: Record<string, string>;
  /** Its text as of when it was last told; nothing if it never was. */
  told?: string | undefined;
  /** Whether it does not grow any more, and whether its end was told. */
  isDone: boolean;
  wasDone?: boolean | undefined;
  /** Of what came of a call: the call. */
  call?: Said | undefined;
  /** Of a call: what came of it is known as well, so that nobody is to make it. */
  isSettled?: boolean;
}

/** The part of a told message that has to be known, so that only what is new will be told. */
export function toldOf(message: Message): string {
  const isAnswered = fieldsOf(message.data).approved !== undefined;
  return message.name === "tool-approval" && isAnswered ? ANSWERED : textOf(message);
}

/** Of a request that was told with its answer. */
const ANSWERED = "answered";

/** Whether it is text that a person reads. */
export function isText({ name }: Message): boolean {
  return name === "message" || name === "reasoning";
}

/** Of these no part is made; they change others, or none. */
const BESIDE = ["tool-output", "tool-approval", "response", "notes", "error"];

/** Whether a part is made of it, in the place where it stands. */
export function isPart(message: Message): boolean {
  const { name, headers = {} } = message;
  if (isText(message) || name === "tool-input" || name === "step") return true;
  return chunkOf(message, headers) !== undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Text of JSON that somebody cut short. */
const CUT = Symbol();

/** The input of a call that does not stream any more. */
function inputOf({ data, status }: Message, headers: Record<string, string>): unknown {
  const { encoding, inputEncoding, state } = headers;
  const input = valueIn({ data } as Message, headers);
  const isValue = typeof input !== "string" || !status || encoding === "json";
  if (isValue || inputEncoding === "text" || state === "error") return input;
  // Agents of the first release end the text, perhaps cut short, and then tell the value.
  const value = parsed(input);
  return value === undefined && /^\s*[[{"]|^$/.test(input) ? CUT : (value ?? input);
}

/** Whether nothing is to come of a message. */
export function isDone(message: Message, headers: Record<string, string>): boolean {
  const { name, status } = message;
  if (name !== "tool-input" || status !== "complete") return status !== "streaming";
  return inputOf(message, headers) !== CUT;
}

/**
 * A chunk that is passed on as it came: a source, a file, `data-…`, or one that nobody knew. It is
 * a copy, since the AI SDK makes a part of it that it changes in place.
 */
function chunkOf(message: Message, headers: Record<string, string>): Loose | undefined {
  const { name, serial } = message;
  if (BESIDE.includes(name)) return undefined;
  const said = fieldsOf(valueIn(message, headers));
  const isIt = name === "source" ? String(said.type).startsWith("source-") : said.type === name;
  if (isIt) return { ...said } as Loose;
  if (name !== "source") return undefined;
  // As providers cite.
  const { url, title } = said;
  return url ? { type: "source-url", ...present({ sourceId: serial, url, title }) } : undefined;
}

/** The chunks of what was not told of a message yet. */
export function chunksOf(said: Said): Loose[] {
  const { message, headers, told } = said;
  const { name, data } = message;
  if (isText(message)) return textChunks(said);
  if (name === "tool-input") return inputChunks(said);
  if (name === "tool-output") return said.call ? [outputChunk(said, said.call)] : [];
  if (name === "tool-approval") return approvalChunks(said);
  if (name === "step") return told === undefined ? [{ type: "start-step" }] : [];
  if (name === "response") {
    const { metadata } = fieldsOf(data);
    return metadata ? [{ type: "message-metadata", messageMetadata: metadata }] : [];
  }
  const chunk = chunkOf(message, headers);
  const isAgain = told !== undefined && !(name.startsWith("data-") && chunk?.id !== undefined);
  return chunk && !isAgain ? [chunk] : [];
}

/** The id of a text among those that are open; of reasoning it is shown as well. */
export function idOf({ message, headers }: Said): string {
  return (message.name === "reasoning" && headers.part) || message.serial;
}

function textChunks(said: Said): Loose[] {
  const { message, headers, told, isDone, wasDone } = said;
  const type = message.name === "message" ? "text" : "reasoning";
  const id = idOf(said);
  const noted = { ...fieldsIn(headers), id };
  const delta = textOf(message).slice(told?.length ?? 0);
  const chunks: Loose[] = [];
  if (told === undefined) chunks.push({ type: `${type}-start`, ...noted });
  if (delta) chunks.push({ type: `${type}-delta`, id, delta });
  if (isDone && !wasDone) chunks.push({ type: `${type}-end`, ...noted });
  return chunks;
}

function inputChunks({ message, headers, told, isDone, wasDone, isSettled }: Said): Loose[] {
  const { status } = message;
  if (wasDone) return [];
  const { inputEncoding, ...noted } = callFieldsIn(headers);
  const { toolCallId } = noted;
  const start = { type: "tool-input-start", ...noted };
  const typed = (text: string) => ({
    type: "tool-input-delta",
    toolCallId,
    inputTextDelta: text,
  });
  const isNew = told === undefined;
  // Its outcome says what was wrong with it; here is its place.
  if (headers.state === "error") return isNew ? [start] : [];
  const isBroken = !isDone || status === "failed" || status === "cancelled";
  const input = isBroken ? CUT : inputOf(message, headers);
  if (input !== CUT) {
    // Told in this way it is nobody's to make any more (`onToolCall`).
    if (isNew && isSettled) return [start, typed(JSON.stringify(input))];
    return [{ type: "tool-input-available", ...noted, input }];
  }
  const delta = textOf(message).slice(told?.length ?? 0);
  return [...(isNew ? [{ ...start, inputEncoding }] : []), ...(delta ? [typed(delta)] : [])];
}

/** The outcome of a call, as the end of that call. */
function outputChunk({ message, headers }: Said, call: Said): Loose {
  const { toolName, toolCallId, dynamic, title } = callFieldsIn(call.headers);
  const noted = { ...fieldsIn(headers), toolName, toolCallId, dynamic };
  const value = valueIn(message, headers);
  const errorText = typeof value === "string" ? value : JSON.stringify(value);
  switch (headers.state) {
    case "denied":
      return { type: "tool-output-denied", ...noted };
    case "error":
      return { type: "tool-output-error", ...noted, errorText };
    case "input-error": {
      const input = valueIn(call.message, call.headers);
      return { type: "tool-input-error", ...noted, title, input, errorText };
    }
    case "preliminary":
      return { type: "tool-output-available", ...noted, output: value, preliminary: true };
    default:
      return { type: "tool-output-available", ...noted, output: value };
  }
}

/** A request, and what became of it, which may have come into the same message. */
function approvalChunks({ message, headers, told, call }: Said): Loose[] {
  const { reason, requestReason, ...noted } = fieldsOf(valueIn(message, headers));
  const isAnswered = noted.approved !== undefined;
  const chunks: Loose[] = [];
  if (told === undefined && message.turn) {
    const { toolCallId } = call?.headers ?? {};
    const asked = { ...noted, toolCallId, reason: isAnswered ? requestReason : reason };
    chunks.push({ ...asked, type: "tool-approval-request" });
  }
  if (isAnswered && told !== ANSWERED) {
    chunks.push({ ...noted, reason, type: "tool-approval-response" });
  }
  return chunks;
}

/** The data that a page publishes for one of its messages: text where it is nothing else. */
export function toData({ parts, metadata }: UIMessage): unknown {
  const [only] = parts;
  if (parts.length === 1 && only?.type === "text" && !metadata) return only.text;
  return { parts, ...(metadata ? { metadata } : {}) };
}
