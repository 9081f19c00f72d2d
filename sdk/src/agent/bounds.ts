// Values within the session's bounds, made from an application's or provider's: the one place where
// these meet the limits (P1.3, P14). So no odd value is refused later and loses the rest of an
// answer.

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
/** Reserved in a frame for everything but data: ids, headers, the frame itself. */
const FRAME_MARGIN_BYTES = 16_384;
/** Reserved among the headers for those added here. */
const SPARE_HEADER_BYTES = 256;
const SPARE_HEADER_KEYS = 2;

/** Marks a value that was too large to keep, with its size. */
export const OMITTED = "omitted";

/** The head of a message, within the limits. */
export function boundedHead<H extends Omit<NewMessage, "data">>(head: H, limits: Limits): H {
  const { nameLength } = limits;
  const { id, name } = head;
  return {
    ...head,
    ...(id !== undefined && { id: short(id, nameLength) }),
    // A name must have characters.
    ...(name !== undefined && { name: short(name, nameLength) || "message" }),
  };
}

/** Headers that fit, and the rest, which goes into notes. */
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

/** The form of a value: whole in one frame, as text in pieces, or omitted. */
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

/** Whether the text so far is the JSON of a value, apart from spaces. */
export function isJsonOf(text: string, value: unknown): boolean {
  try {
    return JSON.stringify(wellFormed(JSON.parse(text))) === JSON.stringify(value);
  } catch {
    return false;
  }
}
