// Plain text: strings or bytes become one message.

import type { Codec, Headers, Operation } from "./operation.ts";

export interface TextOptions {
  /** The message's name; `message` by default. */
  name?: string;
  headers?: Headers;
}

/** Pieces of text, or of UTF-8, as one message, which is complete when they end. */
export function text({ name = "message", headers }: TextOptions = {}): Codec<string | Uint8Array> {
  const decoder = new TextDecoder();
  const key = "text-0";
  let isOpen = false;
  const say = (piece: string): Operation[] => {
    if (isOpen) return piece === "" ? [] : [{ op: "append", key, text: piece }];
    isOpen = true;
    return [{ op: "open", key, name, text: piece, ...(headers && { headers }) }];
  };
  // An incomplete character becomes U+FFFD.
  const flush = () => decoder.decode();
  const read = (part: string | Uint8Array) =>
    say(typeof part === "string" ? flush() + part : decoder.decode(part, { stream: true }));
  const end = (): Operation[] => {
    const rest = flush();
    const said = rest === "" ? [] : say(rest);
    if (!isOpen) return said;
    isOpen = false;
    return [...said, { op: "close", key, status: "complete" }];
  };
  return Object.assign(read, { end });
}
