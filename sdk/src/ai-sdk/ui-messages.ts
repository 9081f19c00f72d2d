// A session's messages as the AI SDK's: one for each message of a person, one for each turn.

import type { UIMessage } from "ai";
import type { Message } from "../protocol/index.ts";
import {
  callOf,
  fieldsOf,
  isDone,
  type Loose,
  notesOf,
  outputOf,
  passedOf,
  present,
  textOf,
} from "./output.ts";

/** A session, a snapshot of one, a page of its history the oldest first. */
export interface Held {
  readonly messages: readonly Message[];
}

/** The header that says which of its own messages the AI SDK means, where the id cannot. */
export const UI_ID = "ui-id";

/** The messages, to be shown or to be made into a prompt (`convertToModelMessages`). */
export function toUIMessages<M extends UIMessage = UIMessage>({ messages }: Held): M[] {
  const list: unknown[] = [];
  const turns = new Set<string>();
  for (const message of messages) {
    const { turn, deletedAt, name } = message;
    if (deletedAt !== undefined) continue;
    if (turn === undefined) {
      if (name === "message") list.push(fromPerson(message));
    } else if (!turns.has(turn)) {
      turns.add(turn);
      list.push(fromTurn(outputOf(messages, turn), turn));
    }
  }
  return list as M[];
}

/** What a page publishes of one of its messages: text where that is all there is. */
export function toData({ parts, metadata }: UIMessage): unknown {
  const [only] = parts;
  if (parts.length === 1 && only?.type === "text" && metadata === undefined) return only.text;
  return present({ parts, metadata });
}

function fromPerson({ id, serial, role, data, headers }: Message): unknown {
  const { parts, metadata } = fieldsOf(data);
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return present({
    id: headers?.[UI_ID] ?? id ?? serial,
    role,
    parts: Array.isArray(parts) ? parts : [{ type: "text", text }],
    metadata,
  });
}

function fromTurn(output: Message[], id: string): unknown {
  const parts: Loose[] = [];
  let metadata: unknown;
  for (const message of output) {
    const { name, data, headers } = message;
    const call = parts.find(({ toolCallId }) => toolCallId && toolCallId === headers?.toolCallId);
    if (name === "message" || name === "reasoning") {
      const type = name === "message" ? "text" : name;
      const state = isDone(message) ? "done" : "streaming";
      parts.push({ type, text: textOf(message), state, ...notesOf(message) });
    } else if (name === "tool-input") {
      parts.push(toolPart(message));
    } else if (name === "tool-output") {
      Object.assign(call ?? {}, outputPart(data, headers?.state));
    } else if (name === "tool-approval") {
      const { approvalId, toolCallId: _, ...approval } = fieldsOf(data);
      const state = `approval-${headers?.state}`;
      Object.assign(call ?? {}, { state, approval: { id: approvalId, ...approval } });
    } else if (name === "step") {
      parts.push({ type: "step-start" });
    } else if (name === "response") {
      metadata = fieldsOf(data).metadata ?? metadata;
    } else {
      const passed = passedOf(message);
      if (passed) parts.push(passed);
    }
  }
  return present({ id, role: "assistant", parts, metadata });
}

function toolPart(message: Message): Loose {
  const call = callOf(message);
  const { toolName, toolCallId, title, dynamic, providerExecuted } = call;
  const isWhole = isDone(message);
  return present({
    type: dynamic ? "dynamic-tool" : `tool-${toolName}`,
    toolName: dynamic && toolName,
    toolCallId,
    state: isWhole ? "input-available" : "input-streaming",
    input: isWhole ? message.data : undefined,
    title,
    providerExecuted,
    callProviderMetadata: call.providerMetadata,
  });
}

function outputPart(data: unknown, state: string | undefined): Record<string, unknown> {
  if (state === "denied") return { state: "output-denied" };
  if (state === "error" || state === "input-error") {
    return { state: "output-error", errorText: String(data) };
  }
  const preliminary = state === "preliminary" || undefined;
  return present({ state: "output-available", output: data, preliminary });
}
