// The request for a run to a page's server: AG-UI's `RunAgentInput`.

import type { RunAgentInputContext } from "@tanstack/ai-client";
import { type Loose, present } from "../answer/fields.ts";
import type { ChatMessage } from "./fold.ts";

/** The body of a request for a run, as `chatParamsFromRequest` reads it. */
export function runInput(
  messages: readonly ChatMessage[],
  context: RunAgentInputContext,
  data: Record<string, unknown>,
): Record<string, unknown> {
  const { threadId, runId, parentRunId, resume, clientTools, forwardedProps } = context;
  const props = { ...forwardedProps, ...data };
  return present({
    threadId,
    runId,
    parentRunId,
    resume,
    state: {},
    messages: messages.flatMap(toWire),
    tools: clientTools ?? [],
    context: [],
    forwardedProps: props,
    data: props,
  });
}

/** A message of the chat in AG-UI's form, where results of calls are messages of their own. */
function toWire(message: ChatMessage): Loose[] {
  // A model message, without parts, has AG-UI's form already.
  if (!Array.isArray(message.parts)) return [message as unknown as Loose];
  const { id, role, parts, metadata } = message;
  const isPlain = parts.every(({ type }) => type === "text");
  const text = parts.map((part) => (part.type === "text" ? part.content : "")).join("");
  if (role !== "assistant") {
    const content = role === "system" || isPlain ? text : parts;
    return [present({ id, role, content, metadata }) as unknown as Loose];
  }
  const calls = parts.filter(({ type }) => type === "tool-call");
  const toolCalls = calls.map(({ id: call, name, arguments: args }) => ({
    id: call,
    type: "function",
    function: { name, arguments: args },
  }));
  const results = calls.flatMap(({ id: call, output }) => {
    if (output === undefined) return [];
    const content = typeof output === "string" ? output : JSON.stringify(output);
    return [{ id: `${call}/result`, role: "tool", toolCallId: call, content }];
  });
  const said = { id, role, content: text, metadata };
  const whole = present({ ...said, toolCalls: calls.length > 0 ? toolCalls : undefined });
  return [whole, ...results] as unknown as Loose[];
}
