// AG-UI events for a tool's result, a question and reasoning.

import { type Answers, isCut } from "../answer/answers.ts";
import { fieldsOf, type Loose } from "../answer/fields.ts";
import { callFieldsIn } from "../answer/reading.ts";
import type { Message } from "../protocol/index.ts";
import { inputOf } from "./json.ts";

const BAD = ["error", "input-error", "denied"];

/** The finish reason of an answer. A call for the page does not keep the client waiting. */
export function reasonOf(reason: unknown): string {
  if (reason === "length") return reason;
  return reason === "content-filter" ? "content_filter" : "stop";
}

/** The result of a call, if the call is known. */
export function resultOf(message: Message, answers: Answers): Loose[] {
  const { serial: messageId, status } = message;
  const { state = "", toolCallId: given } = answers.headers(message);
  const toolCallId = answers.call(message)?.id ?? (message.turn === undefined ? given : undefined);
  if (toolCallId === undefined || state === "preliminary") return [];
  const isBad = BAD.includes(state) || isCut(status);
  const data = answers.value(message);
  const value = isBad ? { error: data === null ? "denied" : String(data) } : data;
  const content = typeof value === "string" ? value : JSON.stringify(value ?? null);
  const chunk = { messageId, toolCallId, content };
  return [isBad ? errorOf(chunk) : { type: "TOOL_CALL_RESULT", role: "tool", ...chunk }];
}

export function errorOf(fields: Record<string, unknown>): Loose {
  // Plain AG-UI has no state of a result.
  const state = "output-error";
  return { type: "TOOL_CALL_RESULT", role: "tool", state, ...fields };
}

/** A question to the page, in the form of TanStack AI's own agents. */
export function requestOf(message: Message, answers: Answers): Loose[] {
  const { approvalId } = { ...answers.headers(message), ...fieldsOf(message.data) };
  const input = answers.call(message)?.input;
  if (!input) return [];
  const approval = { id: approvalId, needsApproval: true };
  return [asked("approval-requested", input, answers, { approval })];
}

export function asked(name: string, call: Message, answers: Answers, more?: object): Loose {
  const { toolName } = callFieldsIn(answers.headers(call));
  const input = inputOf(answers.value(call));
  const value = { toolCallId: answers.call(call)?.id, toolName, input, ...more };
  return { type: "CUSTOM", name, value };
}

export function begunThinking(messageId: string): Loose[] {
  return [
    // Without a step of its own the client would append it to the one before.
    { type: "STEP_STARTED", stepName: messageId },
    { type: "REASONING_START", messageId },
    { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" },
  ];
}

export function endedThinking(messageId: string, seal: unknown, metadata: object): Loose[] {
  const more = Object.keys(metadata).length > 0 && { metadata };
  return [
    ...(seal === undefined ? [] : [sealed("message", messageId, seal)]),
    { type: "REASONING_MESSAGE_END", messageId, ...more },
    { type: "REASONING_END", messageId },
    { type: "STEP_FINISHED", stepName: messageId },
  ];
}

export function sealed(subtype: string, entityId: string, encryptedValue: unknown): Loose {
  return { type: "REASONING_ENCRYPTED_VALUE", subtype, entityId, encryptedValue };
}

/** The signature that a provider requires with its reasoning. */
export function sealOf(providerMetadata: unknown): unknown {
  const { anthropic } = fieldsOf(providerMetadata);
  return fieldsOf(anthropic).signature;
}
