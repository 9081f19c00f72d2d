// A session's messages as the AI SDK's: one for each message of a person, one for each turn.

import type { UIMessage } from "ai";
import type { Message } from "../protocol/index.ts";
import { chunksOf, fieldsOf, type Loose, outputOf, present, UI_ID } from "./output.ts";

/** A session, a snapshot of one, a page of its history the oldest first. */
export interface Held {
  readonly messages: readonly Message[];
}

/** The messages, to be shown or to be made into a prompt (`convertToModelMessages`). */
export function toUIMessages<M extends UIMessage = UIMessage>({ messages }: Held): M[] {
  const list = new Map<string, unknown>();
  for (const message of messages) {
    const { turn, deletedAt, name, serial } = message;
    if (deletedAt || list.has(turn ?? serial)) continue;
    if (turn) list.set(turn, fromTurn(outputOf(messages, turn), turn));
    else if (name === "message") list.set(serial, fromPerson(message));
  }
  return [...list.values()] as M[];
}

function fromPerson({ id, serial, role, data, headers }: Message): unknown {
  const { parts, metadata } = fieldsOf(data);
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return {
    id: headers?.[UI_ID] ?? id ?? serial,
    role,
    parts: Array.isArray(parts) ? parts : [{ type: "text", text }],
    ...(metadata ? { metadata } : {}),
  };
}

/** What `useChat` makes of the same chunks. */
function fromTurn(output: Message[], id: string): unknown {
  const parts: Loose[] = [];
  let metadata: unknown;
  for (const chunk of output.flatMap((message) => chunksOf(message))) {
    const { type, toolCallId } = chunk;
    const last = parts.at(-1) ?? chunk;
    const call = parts.find((part) => toolCallId && part.toolCallId === toolCallId) ?? chunk;
    const [, kind = "", what = ""] = /^(text|reasoning|tool-\w+)-(\w+)$/.exec(type) ?? [];
    if (what === "start" && !toolCallId) {
      const isText = kind === "text";
      parts.push({ type: kind, ...(!isText && { id: chunk.id }), text: "", state: "streaming" });
    } else if (what === "delta" && !toolCallId) last.text += String(chunk.delta);
    else if (what === "end") Object.assign(last, { state: "done" }, noted(chunk));
    else if (kind === "tool-input") {
      if (what !== "delta") parts.push(toolPart(chunk, what === "start"));
    } else if (kind === "tool-output") {
      const { output: found, errorText, preliminary } = chunk;
      const is = { available: { output: found, preliminary }, error: { errorText } }[what] ?? {};
      Object.assign(call, { state: `output-${what}` }, present(is));
    } else if (type === "start-step") parts.push({ type: "step-start" });
    else if (type === "message-metadata") metadata = chunk.messageMetadata;
    else if (type !== "finish-step") parts.push(chunk);
  }
  return { id, role: "assistant", parts, ...(metadata ? { metadata } : {}) };
}

function toolPart(chunk: Loose, isStreaming: boolean): Loose {
  const { toolName = "tool", toolCallId, title, dynamic, providerExecuted, input } = chunk;
  return present({
    type: dynamic ? "dynamic-tool" : `tool-${toolName}`,
    toolName: dynamic && toolName,
    toolCallId,
    state: isStreaming ? "input-streaming" : "input-available",
    input,
    title,
    providerExecuted,
    callProviderMetadata: chunk.providerMetadata,
  });
}

function noted({ providerMetadata, citations }: Loose): object {
  return present({ providerMetadata, citations });
}
