// Plain text: strings or bytes become one message.

import type { Codec, Headers } from "./operation.ts";

export interface TextOptions {
  /** The message's name; `message` unless told. */
  name?: string;
  headers?: Headers;
}

/** Pieces of text, or of UTF-8, in one message. */
export function text(options: TextOptions = {}): Codec<string | Uint8Array> {
  const decoder = new TextDecoder();
  let isOpen = false;
  return (part) => {
    const piece = typeof part === "string" ? part : decoder.decode(part, { stream: true });
    if (isOpen) return piece === "" ? [] : [{ op: "append", key: "text-0", text: piece }];
    isOpen = true;
    return [{ op: "open", key: "text-0", name: "message", text: piece, ...options }];
  };
}
