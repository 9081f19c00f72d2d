// What a message of a turn says of itself, beyond its text.

import { notesOf, present } from "../ai-sdk/output.ts";
import type { Message } from "../protocol/index.ts";

/** Whether a message has come to its end. */
export function isDone({ status }: Message): boolean {
  return status !== "streaming";
}

/** What a message says about the call that it belongs to, as chunks of a tool have it. */
export function callOf(message: Message): Record<string, unknown> {
  const notes = notesOf(message);
  const { toolCallId, toolName = "tool", title, inputEncoding } = notes;
  const { dynamic, providerExecuted, providerMetadata, toolMetadata } = notes;
  return present({
    toolCallId,
    toolName,
    title,
    inputEncoding,
    dynamic,
    providerExecuted,
    providerMetadata,
    toolMetadata,
  });
}
