// What the codec of `sessile/agent` made of an AI SDK stream, read back: the messages of a turn by
// their names (`message`, `reasoning`, `tool-input`, `tool-output`, `step`, ...) as chunks again.

import type { UIMessage } from "ai";
import type { Message } from "../protocol/index.ts";

/** The header that says which of its own messages the AI SDK means, where the id cannot. */
export const UI_ID = "ui-id";

/** A part or a chunk, of whatever version of the AI SDK. */
export type Loose = { type: string } & Record<string, unknown>;

/** What a text has come to. */
export function textOf({ data }: Message): string {
  return typeof data === "string" ? data : "";
}

/** Whether it is text that a person reads. */
export function isText({ name }: Message): boolean {
  return name === "message" || name === "reasoning";
}

/** What a turn's agent said, in order: no tombstones, and no instructions to it (P6.7). */
export function outputOf(messages: readonly Message[], turn: string): Message[] {
  return messages.filter((it) => it.turn === turn && !it.deletedAt && it.name !== "steer");
}

/** The fields of a value; what is no object has none that anybody asks for. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value);
}

/** Fields that are there. */
export function present<T extends Record<string, unknown>>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** What is said beside a message; a header that holds JSON is what it holds. */
export function notesOf({ headers = {} }: Message): Record<string, unknown> {
  const read = (text: string) => {
    try {
      return /^[t[{]/.test(text) ? JSON.parse(text) : text;
    } catch {
      return text;
    }
  };
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, read(text)]));
}

/** The chunks of a message, of which so much text was told before, if any was. */
export function chunksOf(message: Message, before?: string): Loose[] {
  const { name, serial, data, status } = message;
  const chunks: Loose[] = [];
  const add = (type: string, fields?: object) => void chunks.push({ type, ...fields });
  const isNew = before === undefined;
  const isDone = status !== "streaming";
  const delta = textOf(message).slice(before?.length ?? 0);
  const notes = notesOf(message);
  const { state, toolCallId, part: id = serial } = notes;
  const said = fieldsOf(data);
  if (isText(message)) {
    const type = name === "message" ? "text" : name;
    if (isNew) add(`${type}-start`, { id });
    if (delta) add(`${type}-delta`, { id, delta });
    if (isDone) add(`${type}-end`, { ...notes, id });
  } else if (name === "tool-input") {
    if (isDone) add("tool-input-available", { ...notes, input: data });
    else if (isNew) add("tool-input-start", notes);
    if (!isDone && delta) add("tool-input-delta", { toolCallId, inputTextDelta: delta });
  } else if (name === "tool-output") {
    const how = { denied: state, error: state, "input-error": "error" }[state as "error"];
    const isFirst = state === "preliminary" && { preliminary: true };
    const what = how ? { errorText: String(data) } : { output: data, ...isFirst };
    add(`tool-output-${how ?? "available"}`, { ...notes, ...what });
  } else if (name === "step") {
    if (isNew) add("start-step");
    if (said.state === "finished") add("finish-step");
  } else if (name === "response") {
    if (said.metadata) add("message-metadata", { messageMetadata: said.metadata });
  } else if (said.type) {
    // Passed on as it came: sources, files, `data-…`, what nobody knew.
    add(String(said.type), said);
  }
  return chunks;
}

/** What a page publishes of one of its messages: text where that is all there is. */
export function toData({ parts, metadata }: UIMessage): unknown {
  const [only] = parts;
  if (parts.length === 1 && only?.type === "text" && !metadata) return only.text;
  return { parts, ...(metadata ? { metadata } : {}) };
}
