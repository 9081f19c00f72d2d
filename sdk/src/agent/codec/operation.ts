// The operations on messages into which a codec turns a provider's stream, without ids or serials.

import type { SessionFile, StateOp, Usage } from "../../protocol/index.ts";

/** A message's headers: text by name (P4.1). */
export type Headers = Record<string, string>;

/** The role of a message: `tool` for the output of a tool. */
export type OutputRole = "assistant" | "tool";

/** How a message or a stream ended. */
export type Ending = "complete" | "failed" | "cancelled";

/** A file within a value (P11.7), and the value once the session has the file. */
export interface Inside {
  body: Blob;
  name: string;
  said(file: SessionFile): unknown;
}

/**
 * One step in the life of a message. `key` names the message within its stream. The same stream
 * always gives the same keys, so a later attempt writes the same messages again (P6.8).
 */
export type Operation =
  /** Begins a message whose text is still being produced. */
  | { op: "open"; key: string; name: string; text: string; headers?: Headers }
  | { op: "append"; key: string; text: string }
  /** Ends an open message; `data`, if given, is its final value. */
  | { op: "close"; key: string; status: Ending; data?: unknown; headers?: Headers }
  /**
   * A whole message, which a second one with the same key replaces; `of` is its owner's key, and
   * `file` what is in it that is too long for a message.
   */
  | {
      op: "put";
      key: string;
      name: string;
      data: unknown;
      headers?: Headers;
      role?: OutputRole;
      of?: string;
      file?: Inside;
    }
  /** Takes the message back. */
  | { op: "drop"; key: string }
  /** Changes the session's shared state (P9.1). */
  | { op: "state"; ops: StateOp[] }
  /** The provider reports that the stream has used so much more (P6.12). */
  | { op: "usage"; usage: Usage }
  /** Relays data without storing it (P4.5). */
  | { op: "signal"; name: string; data: unknown }
  /** The provider reports that the stream failed or was cancelled. */
  | { op: "fail"; status: "failed" | "cancelled"; error?: string; code?: string };

/**
 * Turns the parts of one stream, in order, into operations, and depends on nothing else: no clock,
 * no randomness, no I/O. Each stream needs a codec of its own.
 */
export type Codec<Part> = ((part: Part) => Operation[]) & {
  /** Called when the source has ended by itself. */
  end?: () => Operation[];
};

/** Options of codecs whose streams mark their own end. */
export interface CodecOptions {
  /**
   * Accepts a source that ends without that mark, such as chunks written by hand. By default such
   * a stream is `failed`, with the code `stream-cut`.
   */
  mayEndOpen?: boolean;
}

/** An object parsed from JSON. */
export type Json = { readonly [name: string]: unknown };

/** The value if it is an object, else an empty one. */
export function fields(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

/** The value if it is text, else empty text. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The named fields of an object, as far as they exist. */
export function pick(value: unknown, ...names: string[]): Record<string, unknown> {
  const from = fields(value);
  return Object.fromEntries(
    names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])),
  );
}

/** The value if it is a list, else an empty one. */
export function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as JSON, if it can be expressed as JSON. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** The reason given by an error of any shape. */
export function reasonOf(error: unknown, otherwise: string): string {
  const { message, error: inner, code } = fields(error);
  return (
    text(error) || text(message) || (inner ? reasonOf(inner, "") : "") || text(code) || otherwise
  );
}

/** The value of JSON text, or the text itself if it is not JSON. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
