// A session's messages as the AI SDK's: one for each message of a person, and one for each answer.

import type { UIMessage } from "ai";
import { Answers, type Held } from "../answer/answers.ts";
import { fieldsOf, type Loose, present } from "../answer/fields.ts";
import type { Message } from "../protocol/index.ts";
import { Chunks } from "./chunks.ts";
import { UI_ID } from "./output.ts";

/** The messages, for display or for a prompt (`convertToModelMessages`). */
export function toUIMessages<M extends UIMessage = UIMessage>(held: Held): M[] {
  const list = new Map<string, unknown>();
  const answers = Answers.of(held);
  const ids = new Set(answers.messages.keys());
  for (const message of held.messages) {
    const answer = answers.of(message);
    const id = answer ?? message.serial;
    if (message.deletedAt || list.has(id)) continue;
    if (answer !== undefined) list.set(id, fromAnswer(held, id));
    else if (message.name === "message") list.set(id, fromPerson(message, ids));
  }
  return [...list.values()] as M[];
}

function fromPerson({ id, serial, role, data, headers }: Message, ids: Set<string>): unknown {
  const { parts, metadata } = fieldsOf(data);
  const text = typeof data === "string" ? data : JSON.stringify(data);
  const named = headers?.[UI_ID] ?? id ?? serial;
  // Another client, or an answer, has the id already.
  const own = ids.has(named) ? serial : named;
  ids.add(own);
  // Other roles need `edit`, or the lead of a turn (P4.1).
  const given = Array.isArray(parts) ? parts.filter((it) => role !== "user" || isOfPerson(it)) : [];
  return {
    id: own,
    role,
    parts: Array.isArray(parts) ? given : [{ type: "text", text }],
    ...(metadata ? { metadata } : {}),
  };
}

/** Whether a person may say it: no call, no outcome of one, no thoughts of a model. */
function isOfPerson(part: unknown): boolean {
  const { type, text, url } = fieldsOf(part);
  if (type === "text") return typeof text === "string";
  return type === "file" ? typeof url === "string" : String(type).startsWith("data-");
}

/** The message that `useChat` makes from the chunks of an answer. */
function fromAnswer(held: Held, id: string): unknown {
  const shown = new Shown();
  for (const chunk of new Chunks(id).next(held, [])) shown.take(chunk);
  const { metadata } = shown;
  const parts = shown.parts.map(present);
  return { id, role: "assistant", parts, ...present({ metadata }) };
}

/** A part that changes in place. */
type Part = Loose;

/** The parts of a message, chunk by chunk. */
class Shown {
  readonly parts: Part[] = [];
  metadata: object | undefined;
  readonly #open = new Map<unknown, Part>();
  /** The calls of this step, and the latest of all, by id. */
  readonly #here = new Map<unknown, Part>();
  readonly #calls = new Map<unknown, Part>();
  readonly #data = new Map<unknown, Part>();

  take(chunk: Loose): void {
    const { type, id, data } = chunk;
    const [, family, what = ""] = /^(text|reasoning|tool)-(.+)$/.exec(type) ?? [];
    if (family === "tool") this.#call(chunk, what);
    else if (family && what !== "file") this.#text(chunk, family, what);
    else if (type === "start-step") {
      this.#here.clear();
      this.parts.push({ type: "step-start" });
    } else if (type === "message-metadata") {
      this.metadata = merged(this.metadata, chunk.messageMetadata);
    } else if (type.startsWith("data-")) {
      const key = id === undefined ? chunk : `${type} ${id}`;
      const held = this.#data.get(key);
      if (held) held.data = data;
      else this.parts.push(chunk);
      this.#data.set(key, held ?? chunk);
    } else if (/^(source-|file$|reasoning-file$|custom$|steering-message$)/.test(type)) {
      this.parts.push(chunk);
    }
  }

  #text(chunk: Loose, type: string, what: string): void {
    const { id, delta, providerMetadata, citations } = chunk;
    const key = `${type} ${id}`;
    const isReasoning = type === "reasoning";
    const part = this.#open.get(key) ?? { type, ...(isReasoning && { id }), text: "" };
    if (what === "start") this.parts.push(part);
    const state = what === "end" ? "done" : "streaming";
    const text = `${part.text}${delta ?? ""}`;
    Object.assign(part, present({ text, state, providerMetadata, citations }));
    if (what === "end") this.#open.delete(key);
    else this.#open.set(key, part);
  }

  #call(chunk: Loose, what: string): void {
    const { toolCallId, approvalId } = chunk;
    if (what === "approval-response") {
      const { approved, reason, providerExecuted, providerMetadata } = chunk;
      const isIt = (it: Part) => approvalId && fieldsOf(it.approval).id === approvalId;
      const held = this.parts.find(isIt);
      const approval = { ...fieldsOf(held?.approval), ...present({ approved, reason }) };
      const more = { providerExecuted, [CALL_METADATA]: providerMetadata };
      if (held) Object.assign(held, { state: "approval-responded", approval }, present(more));
      return;
    }
    const here = this.#here.get(toolCallId);
    const held = here ?? this.#calls.get(toolCallId);
    if (what.startsWith("input-")) this.#input(chunk, what, here);
    else if (held) Object.assign(held, resultOf(chunk, what));
  }

  #input(chunk: Loose, what: string, held: Part | undefined): void {
    const { toolCallId, toolName, dynamic, title, providerExecuted, input, errorText } = chunk;
    const { toolMetadata, inputTextDelta, providerMetadata } = chunk;
    const part = held ?? { type: "", toolCallId };
    if (!held) this.parts.push(part);
    this.#here.set(toolCallId, part);
    this.#calls.set(toolCallId, part);
    if (what === "input-delta") {
      part.rawInput = `${part.rawInput ?? ""}${inputTextDelta}`;
      return;
    }
    const isError = what === "input-error";
    const states: Record<string, string> = { "input-start": "input-streaming" };
    const state = isError ? "output-error" : (states[what] ?? what);
    const name = { type: dynamic ? "dynamic-tool" : `tool-${toolName}` };
    const given = { title, toolMetadata, providerExecuted, errorText };
    const metadata = { [isError ? "resultProviderMetadata" : CALL_METADATA]: providerMetadata };
    part.rawInput = undefined;
    Object.assign(part, name, dynamic ? { toolName } : {}, { state, input });
    Object.assign(part, present({ ...given, ...metadata }));
  }
}

const CALL_METADATA = "callProviderMetadata";

/** The effect of a call's outcome on its part. */
function resultOf(chunk: Loose, what: string): object {
  const { output, errorText, preliminary, providerExecuted, toolMetadata, providerMetadata } =
    chunk;
  if (what === "output-denied") return { state: what };
  if (what === "approval-request") {
    const { approvalId, approvalDescriptor, inputSchemaInput, reason, signature } = chunk;
    const more = { descriptor: approvalDescriptor, inputSchemaInput, requestReason: reason };
    const isAutomatic = chunk.isAutomatic === true || undefined;
    const approval = present({ id: approvalId, ...more, isAutomatic, signature });
    return { state: "approval-requested", approval };
  }
  const more = { providerExecuted, toolMetadata, resultProviderMetadata: providerMetadata };
  const given = what === "output-error" ? { errorText } : { output };
  return { state: what, preliminary, ...given, ...present(more) };
}

/** Deeply, as the AI SDK merges a message's metadata from several chunks. */
function merged(was: object | undefined, is: unknown): object {
  const isFields = (value: unknown): value is object =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = Object.entries(fieldsOf(is)).map(([name, value]) => {
    const held = fieldsOf(was)[name];
    return [name, isFields(value) && isFields(held) ? merged(held, value) : value];
  });
  return { ...was, ...Object.fromEntries(entries) };
}
