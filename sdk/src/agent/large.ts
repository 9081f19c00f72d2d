// Values that no message holds: each becomes a file of the session, which its message names
// (P11.7).

import { upload } from "../connection/files.ts";
import { type Limits, wellFormed } from "../protocol/index.ts";
import { formOf } from "./bounds.ts";
import type { Reader } from "./link.ts";

/** The session that a value is for. */
export interface Keeper extends Reader {
  readonly limits: Limits;
}

/**
 * The content of a message whose value is too large for it, once that is a file; undefined for any
 * other value, so that it keeps its place among those around it.
 */
export function kept(session: Keeper, data: unknown, id: string): Promise<unknown> | undefined {
  if (formOf(data, session.limits).as !== "nothing") return undefined;
  const isText = typeof data === "string";
  const text = isText ? data : (JSON.stringify(wellFormed(data)) ?? "null");
  const blob = new Blob([text], { type: isText ? "text/plain" : "application/json" });
  const name = isText ? "output.txt" : "output.json";
  return upload(session.link, blob, { name, id }).then(
    // Its address expires: whoever reads the message asks for one by the id.
    ({ id, name, type, bytes }) => ({ file: { id, name, type, bytes } }),
    // Without a place for files it is left out, and its message says so.
    () => data,
  );
}
