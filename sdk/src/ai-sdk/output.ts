// What the codec of `sessile/agent` made of an AI SDK stream, read back: the messages of a turn
// by their names (`message`, `reasoning`, `tool-input`, `tool-output`, `step`, ...).

import type { Message } from "../protocol/index.ts";

/** A part or a chunk, of whatever version of the AI SDK. */
export type Loose = { type: string } & Record<string, unknown>;

/** What a text has come to. */
export function textOf({ data }: Message): string {
  return typeof data === "string" ? data : "";
}

/** Whether a message has come to its end. */
export function isDone({ status }: Message): boolean {
  return status !== "streaming";
}

/** What a turn's agent said, in order: no tombstones, and no instructions to it (P6.7). */
export function outputOf(messages: readonly Message[], turn: string): Message[] {
  return messages.filter(
    (it) => it.turn === turn && it.deletedAt === undefined && it.name !== "steer",
  );
}

/** A header that holds JSON. */
function json(value: string | undefined): unknown {
  try {
    return value && JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Fields that are there. */
export function present<T extends Record<string, unknown>>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** What a message says about the call that it belongs to, as chunks of a tool have it. */
export function callOf({ headers: h = {} }: Message): Record<string, unknown> {
  return present({
    toolCallId: h.toolCallId,
    toolName: h.toolName ?? "tool",
    title: h.title,
    inputEncoding: h.inputEncoding,
    dynamic: h.dynamic === "true" || undefined,
    providerExecuted: h.providerExecuted === "true" || undefined,
    providerMetadata: json(h.providerMetadata),
    toolMetadata: json(h.toolMetadata),
  });
}

/** What is said beside a text. */
export function notesOf({ headers: h = {} }: Message): Record<string, unknown> {
  return present({ providerMetadata: json(h.providerMetadata), citations: json(h.citations) });
}

/** A value where it is an object. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** A chunk that was passed on as it came: sources, files, `data-…`, what nobody knew. */
export function passedOf({ name, data }: Message): Loose | undefined {
  const { type } = fieldsOf(data);
  return name !== "error" && typeof type === "string" ? (data as Loose) : undefined;
}
