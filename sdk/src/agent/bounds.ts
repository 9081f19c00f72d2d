// The values that a message may hold, made of those that somebody wants it to hold: the one place
// in which values of providers and applications meet the session's limits (P1.3, P14). Nothing odd
// is refused later and takes the rest of an answer with it.

import {
  bytesOf,
  ENCODING,
  type Limits,
  type NewMessage,
  short,
  wellFormed,
} from "../protocol/index.ts";
import type { Headers } from "./codec/operation.ts";

/** Longer headers would crowd the others. */
const MOST_HEADER_LENGTH = 400;
/** Kept free in a frame for all that is not data: ids, headers, the frame itself. */
const FRAME_MARGIN_BYTES = 16_384;
/** Kept free among the headers for those that are added here. */
const SPARE_HEADER_BYTES = 256;
const SPARE_HEADER_KEYS = 2;

/** Says that something was too large to be kept, and how large it was. */
export const OMITTED = "omitted";

/** The head of a message, within the limits. */
export function boundedHead<H extends Omit<NewMessage, "data">>(head: H, limits: Limits): H {
  const { nameLength } = limits;
  const { id, name } = head;
  return {
    ...head,
    ...(id !== undefined && { id: short(id, nameLength) }),
    // A name says something; one of no length cannot be said.
    ...(name !== undefined && { name: short(name, nameLength) || "message" }),
  };
}

/** Headers that fit, and those that do not, which go into notes. */
export function splitHeaders(
  headers: Headers,
  { headerKeys, headerBytes }: Limits,
): { fit: Headers; long: Headers } {
  const fit: Headers = {};
  const long: Headers = {};
  let keys = headerKeys - SPARE_HEADER_KEYS;
  let bytes = headerBytes - SPARE_HEADER_BYTES;
  for (const [name, value] of Object.entries(wellFormed(headers))) {
    const size = bytesOf(name) + bytesOf(value);
    const isShort = name.length + value.length <= MOST_HEADER_LENGTH;
    if (isShort && keys > 0 && size <= bytes) {
      fit[name] = value;
      keys -= 1;
      bytes -= size;
    } else {
      long[name] = value;
    }
  }
  return { fit, long };
}

/** How a value is said: whole in one frame, as text in pieces, or not at all. */
export type Form =
  | { as: "whole"; data: unknown }
  | { as: "pieces"; text: string; headers: Headers }
  | { as: "nothing"; headers: Headers };

export function formOf(value: unknown, { frameBytes, dataBytes }: Limits): Form {
  const data = wellFormed(value ?? null);
  const json = JSON.stringify(data) ?? "null";
  if (bytesOf(json, frameBytes) <= frameBytes - FRAME_MARGIN_BYTES) return { as: "whole", data };
  const text = typeof data === "string" ? data : json;
  if (bytesOf(text, dataBytes) <= dataBytes) {
    return { as: "pieces", text, headers: typeof data === "string" ? {} : { [ENCODING]: "json" } };
  }
  return { as: "nothing", headers: { [OMITTED]: `${text.length} characters` } };
}

/** Whether text said so far is the JSON of a value, however it is spaced. */
export function isJsonOf(text: string, value: unknown): boolean {
  try {
    return JSON.stringify(wellFormed(JSON.parse(text))) === JSON.stringify(value);
  } catch {
    return false;
  }
}
