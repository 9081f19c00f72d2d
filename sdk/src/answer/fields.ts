// Values of unchecked shape: parts, chunks and data from elsewhere.

import type { Message } from "../protocol/index.ts";

/** A part or a chunk of any version of an SDK. */
export type Loose = { type: string } & Record<string, unknown>;

/** The fields of a value; a value that is no object has none of interest. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value);
}

/** The fields without those that are undefined. */
export function present<T extends Record<string, unknown>>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** The text of a message so far. */
export function textOf({ data }: Message): string {
  return typeof data === "string" ? data : "";
}
