// What a message of a turn says of itself, beyond its text.

import { present } from "../ai-sdk/output.ts";
import type { Message } from "../protocol/index.ts";

/** Whether a message has come to its end. */
export function isDone({ status }: Message): boolean {
  return status !== "streaming";
}

/** A header that holds JSON. */
function json(value: string | undefined): unknown {
  try {
    return value && JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** What a message says about the call that it belongs to, as chunks of a tool have it. */
export function callOf({ headers: h = {} }: Message): Record<string, unknown> {
  return present({
    toolCallId: h.toolCallId,
    toolName: h.toolName ?? "tool",
    title: h.title,
    inputEncoding: h.inputEncoding,
    dynamic: h.dynamic === "true" || undefined,
    providerExecuted: h.providerExecuted === "true" || undefined,
    providerMetadata: json(h.providerMetadata),
    toolMetadata: json(h.toolMetadata),
  });
}
