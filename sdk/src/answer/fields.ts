// Values of which nobody has checked the shape: parts, chunks and data, as others made them.

import type { Message } from "../protocol/index.ts";

/** A part or a chunk, of whatever version of an SDK. */
export type Loose = { type: string } & Record<string, unknown>;

/** The fields of a value; one that is no object has none that anybody asks for. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value);
}

/** Fields that are there. */
export function present<T extends Record<string, unknown>>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** The text of a message, as far as it has come. */
export function textOf({ data }: Message): string {
  return typeof data === "string" ? data : "";
}
