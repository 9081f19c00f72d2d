// Values that no message holds: each becomes a file of the session, which its message names
// (P11.7). So does a file that a stream has within its text, such as a generated image.

import { upload } from "../connection/files.ts";
import { type Limits, wellFormed } from "../protocol/index.ts";
import { formOf } from "./bounds.ts";
import type { Inside } from "./codec/operation.ts";
import type { Reader } from "./link.ts";

/** The session that a value is for. */
export interface Keeper extends Reader {
  readonly limits: Limits;
}

/**
 * The content of a message whose value, or the file `inside` it, is too large for it, once that is
 * a file; undefined for any other value, so that it keeps its place among those around it.
 */
export function kept(
  session: Keeper,
  data: unknown,
  id: string,
  inside?: Inside,
): Promise<unknown> | undefined {
  if (!inside && formOf(data, session.limits).as !== "nothing") return undefined;
  const { body, name, said } = inside ?? wholeOf(data);
  return upload(session.link, body, { name, id }).then(
    said,
    // Without a place for files it is left out, and its message says so.
    () => data,
  );
}

/** A value as a file. */
function wholeOf(data: unknown): Inside {
  const isText = typeof data === "string";
  const text = isText ? data : (JSON.stringify(wellFormed(data)) ?? "null");
  return {
    body: new Blob([text], { type: isText ? "text/plain" : "application/json" }),
    name: `output.${isText ? "txt" : "json"}`,
    // Its address expires: whoever reads the message asks for one by the id.
    said: ({ id, name, type, bytes }) => ({ file: { id, name, type, bytes } }),
  };
}
