// A turn as the stream of chunks that `useChat` reads: from its beginning, then as it grows.

import { isOpen, type Message, type Turn } from "../protocol/index.ts";
import {
  callOf,
  fieldsOf,
  isDone,
  type Loose,
  notesOf,
  outputOf,
  passedOf,
  textOf,
} from "./output.ts";

/** The chunks of one turn, each once. What it is shown is the whole turn, again and again. */
export class Chunks {
  readonly #turn: string;
  /** Of each message, the version that was told, and the text. */
  readonly #told = new Map<string, { version: string; text: string }>();
  #hasBegun = false;
  #finishReason: unknown;
  /** Whether the last chunk was given. */
  isEnded = false;

  constructor(turn: string) {
    this.#turn = turn;
  }

  /** What is new. */
  next(messages: readonly Message[], turn: Turn | undefined): Loose[] {
    const chunks: Loose[] = [];
    if (this.isEnded) return chunks;
    const output = outputOf(messages, this.#turn);
    if (!this.#hasBegun) chunks.push({ type: "start", messageId: this.#turn });
    this.#hasBegun = true;
    if (this.#isRewritten(output)) {
      this.#told.clear();
      chunks.push({ type: "reset-step" });
    }
    for (const message of output) {
      const told = this.#told.get(message.serial);
      if (told?.version === message.version) continue;
      chunks.push(...this.#say(message, told?.text));
      this.#told.set(message.serial, { version: message.version, text: textOf(message) });
    }
    if (turn && !isOpen(turn)) {
      this.isEnded = true;
      chunks.push(this.#end(turn));
    }
    return chunks;
  }

  /** Whether another attempt said it anew (P6.8), or a text was replaced. */
  #isRewritten(output: Message[]): boolean {
    const held = new Map(output.map((message) => [message.serial, message]));
    return [...this.#told].some(([serial, told]) => {
      const message = held.get(serial);
      return !message || (isText(message) && !textOf(message).startsWith(told.text));
    });
  }

  #say(message: Message, before: string | undefined): Loose[] {
    const { name, serial: id, data } = message;
    const isNew = before === undefined;
    const delta = textOf(message).slice(before?.length ?? 0);
    if (isText(message)) {
      const type = name === "message" ? "text" : name;
      return [
        ...(isNew ? [{ type: `${type}-start`, id }] : []),
        ...(delta ? [{ type: `${type}-delta`, id, delta }] : []),
        ...(isDone(message) ? [{ type: `${type}-end`, id, ...notesOf(message) }] : []),
      ];
    }
    switch (name) {
      case "tool-input": {
        const call = callOf(message);
        if (isDone(message)) return [{ type: "tool-input-available", ...call, input: data }];
        const { toolCallId } = call;
        return [
          ...(isNew ? [{ type: "tool-input-start", ...call }] : []),
          ...(delta ? [{ type: "tool-input-delta", toolCallId, inputTextDelta: delta }] : []),
        ];
      }
      case "tool-output":
        return [outputChunk(message)];
      case "tool-approval": {
        const isOver = message.headers?.state === "responded";
        return [{ ...fieldsOf(data), type: `tool-approval-${isOver ? "response" : "request"}` }];
      }
      case "step":
        return [
          ...(isNew ? [{ type: "start-step" }] : []),
          ...(fieldsOf(data).state === "finished" ? [{ type: "finish-step" }] : []),
        ];
      case "response": {
        const { finishReason, metadata: messageMetadata } = fieldsOf(data);
        this.#finishReason = finishReason ?? this.#finishReason;
        return messageMetadata === undefined ? [] : [{ type: "message-metadata", messageMetadata }];
      }
      default: {
        const passed = passedOf(message);
        return passed ? [passed] : [];
      }
    }
  }

  #end({ status, reason, error }: Turn): Loose {
    if (status === "failed") {
      const said = fieldsOf(error).message ?? reason ?? "the answer failed";
      return { type: "error", errorText: String(said) };
    }
    const finishReason = status === "cancelled" ? "interrupted" : (this.#finishReason ?? "stop");
    return { type: "finish", finishReason };
  }
}

function isText({ name }: Message): boolean {
  return name === "message" || name === "reasoning";
}

function outputChunk(message: Message): Loose {
  const { toolName: _, title: __, inputEncoding: ___, ...call } = callOf(message);
  const state = message.headers?.state;
  if (state === "denied") return { type: "tool-output-denied", toolCallId: call.toolCallId };
  if (state === "error" || state === "input-error") {
    return { type: "tool-output-error", ...call, errorText: String(message.data) };
  }
  const preliminary = state === "preliminary" ? { preliminary: true } : {};
  return { type: "tool-output-available", ...call, output: message.data, ...preliminary };
}
