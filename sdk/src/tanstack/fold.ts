// Folds events into messages as TanStack AI's client does, for snapshots.

import { fieldsOf, type Loose, present } from "../answer/fields.ts";

/** A message of the chat, in any version of TanStack AI. */
export interface ChatMessage {
  id: string;
  role: "user" | "assistant" | "system";
  parts: Loose[];
  createdAt?: Date | undefined;
  metadata?: unknown;
}

/** Applies events to a chat; results may belong to earlier calls. */
export function fold(chat: ChatMessage[], chunks: readonly Loose[], createdAt?: Date): void {
  let step: unknown;
  const at = (id: unknown): ChatMessage => {
    const known = chat.findLast((it) => it.id === id);
    if (known) return known;
    const role = "assistant" as const;
    const made = present({ id: String(id), role, parts: [] as Loose[], createdAt });
    chat.push(made);
    return made;
  };
  const last = () => chat.at(-1)?.parts ?? [];
  const call = (id: unknown): Loose | undefined =>
    chat.flatMap(({ parts }) => parts).findLast((it) => it.type === "tool-call" && it.id === id);
  const think = (id: unknown): Loose => {
    const isIt = (it: Loose) => it.type === "thinking" && it.stepId === (step ?? id);
    const known = last().find(isIt);
    if (known) return known;
    const made = { type: "thinking", content: "", stepId: step ?? id };
    last().push(made);
    return made;
  };
  for (const chunk of chunks) {
    const { type, messageId, delta, toolCallId } = chunk;
    switch (type) {
      case "TEXT_MESSAGE_START":
      case "TEXT_MESSAGE_END":
        note(at(messageId), chunk.metadata);
        break;
      case "TEXT_MESSAGE_CONTENT":
        grow(at(messageId).parts, String(delta));
        break;
      case "STEP_STARTED":
        step = chunk.stepName;
        break;
      case "REASONING_MESSAGE_CONTENT":
        think(messageId).content += String(delta);
        break;
      case "REASONING_ENCRYPTED_VALUE":
        seal(chunk.subtype === "tool-call" ? call(chunk.entityId) : think(chunk.entityId), chunk);
        break;
      case "TOOL_CALL_START":
        if (!call(toolCallId)) at(chunk.parentMessageId).parts.push(begun(chunk));
        break;
      case "TOOL_CALL_ARGS": {
        const part = call(toolCallId);
        if (part) Object.assign(part, { arguments: `${part.arguments}${delta}` });
        if (part && delta) part.state = "input-streaming";
        break;
      }
      case "TOOL_CALL_END":
        complete(call(toolCallId), chunk.input);
        break;
      case "TOOL_CALL_RESULT":
        settle(chat, chunk);
        break;
      case "CUSTOM":
        ask(chunk, call);
        break;
      case "RUN_FINISHED":
        finish(chat);
    }
  }
}

/** Merges metadata into a message or a part. */
function note(of: Loose | ChatMessage, metadata: unknown): void {
  if (metadata !== undefined) of.metadata = { ...fieldsOf(of.metadata), ...fieldsOf(metadata) };
}

/** Appends to the last text part, or begins one. */
function grow(parts: Loose[], text: string): void {
  const last = parts.at(-1);
  if (last?.type === "text") last.content = `${last.content}${text}`;
  else parts.push({ type: "text", content: text });
}

function seal(part: Loose | undefined, { subtype, encryptedValue }: Loose): void {
  if (subtype !== "tool-call") Object.assign(part ?? {}, { signature: encryptedValue });
  else if (part) note(part, { thoughtSignature: encryptedValue });
}

function begun({ toolCallId: id, toolCallName: name, metadata }: Loose): Loose {
  const part = { type: "tool-call", id, name, arguments: "", state: "awaiting-input" };
  return present({ ...part, metadata });
}

function complete(call: Loose | undefined, input: unknown = undefined): void {
  if (!call || call.state === "error") return;
  const isAsked = String(call.state).startsWith("approval-");
  if (!isAsked) call.state = "input-complete";
  if (input !== undefined) call.arguments ||= JSON.stringify(input);
  try {
    call.input = input ?? JSON.parse(String(call.arguments));
  } catch {
    // Incomplete arguments stay as they are.
  }
}

function settle(chat: ChatMessage[], { toolCallId, content, state, metadata }: Loose): void {
  const isCall = ({ type, id }: Loose) => type === "tool-call" && id === toolCallId;
  const parts = chat.findLast((it) => it.parts.some(isCall))?.parts;
  const call = parts?.find(isCall);
  if (!parts || !call) return;
  const isBad = (state ?? fieldsOf(fieldsOf(metadata).tanstack).state) === "output-error";
  let output: unknown = content;
  try {
    output = JSON.parse(String(content));
  } catch {
    // Not JSON: it stays text.
  }
  Object.assign(call, { output, state: isBad ? "error" : "complete" });
  const { error } = fieldsOf(output);
  const why = isBad ? { error: String(error ?? output) } : {};
  const said = isBad ? "error" : "complete";
  const isResult = (it: Loose) => it.type === "tool-result" && it.toolCallId === toolCallId;
  const known = parts.findIndex(isResult);
  const result = { type: "tool-result", toolCallId, content, state: said, ...why };
  parts.splice(known < 0 ? parts.length : known, 1, result);
}

function ask({ name, value }: Loose, call: (id: unknown) => Loose | undefined): void {
  const { toolCallId, approval } = fieldsOf(value);
  if (name !== "approval-requested") return;
  Object.assign(call(toolCallId) ?? {}, { state: "approval-requested", approval });
}

/** Ends a run: completes its calls, and drops messages of white space alone. */
function finish(chat: ChatMessage[]): void {
  for (const part of chat.flatMap(({ parts }) => parts)) {
    if (part.state === "awaiting-input" || part.state === "input-streaming") complete(part);
  }
  const last = chat.at(-1);
  if (!last) return;
  const isBlank = ({ type, content }: Loose) => type === "text" && !String(content).trim();
  if (last.parts.length > 0 && last.parts.every(isBlank)) chat.pop();
}
