// The operations on messages that a codec makes of a provider's stream, without ids or serials.

/** Text by name, as a message has it (P4.1). */
export type Headers = Record<string, string>;

/** The role of a message; the output of a tool is the tool's. */
export type OutputRole = "assistant" | "tool";

/** How a message or a stream ended. */
export type Ending = "complete" | "failed" | "cancelled";

/**
 * One step of a message's life. `key` names the message within its stream: the same stream
 * gives the same keys, so that a later attempt writes the messages of the one before (P6.8).
 */
export type Operation =
  /** A message whose text is still being produced. */
  | { op: "open"; key: string; name: string; text: string; headers?: Headers }
  | { op: "append"; key: string; text: string }
  /** The end of an open message; `data`, if given, is what it holds in the end. */
  | { op: "close"; key: string; status: Ending; data?: unknown; headers?: Headers }
  /** A whole message; a second one of the same key replaces the first. It may be `of` another. */
  | {
      op: "put";
      key: string;
      name: string;
      data: unknown;
      headers?: Headers;
      role?: OutputRole;
      of?: string;
    }
  /** The message is taken back. */
  | { op: "drop"; key: string }
  /** Passed on and not kept (P4.5). */
  | { op: "signal"; name: string; data: unknown }
  /** The provider says that the stream did not end well. */
  | { op: "fail"; status: "failed" | "cancelled"; error?: string; code?: string };

/**
 * Turns the parts of one stream, in order, into operations. It depends on nothing else: no
 * clock, no chance, no input or output. One is made for each stream.
 */
export type Codec<Part> = ((part: Part) => Operation[]) & {
  /** Called once the source has ended by itself. */
  end?: () => Operation[];
};

/** For codecs of streams that say themselves when they have ended. */
export interface CodecOptions {
  /**
   * A source that ends without that has not lost anything, such as chunks that are written by
   * hand; otherwise such a stream is `failed`, with the code `stream-cut`.
   */
  mayEndOpen?: boolean;
}

/** An object that came as JSON. */
export type Json = { readonly [name: string]: unknown };

/** The value as an object; what is none has no fields. */
export function fields(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

/** The value as text; what is none is empty. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The named fields of an object, those that are there. */
export function pick(value: unknown, ...names: string[]): Record<string, unknown> {
  const from = fields(value);
  return Object.fromEntries(
    names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])),
  );
}

/** The value as a list; what is none has nothing in it. */
export function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as JSON; nothing where it has none. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** The reason that an error gives, in whichever shape it came. */
export function reasonOf(error: unknown, otherwise: string): string {
  const { message, error: inner, code } = fields(error);
  return (
    text(error) || text(message) || (inner ? reasonOf(inner, "") : "") || text(code) || otherwise
  );
}

/** The value that a text of JSON stands for, or the text where it is none. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
