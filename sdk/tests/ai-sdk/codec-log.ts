// The log of a turn in which the agent's codec said something, after each of its operations.

import { type AiSdkChunk, aiSdk } from "../../src/agent/codec/ai-sdk.ts";
import type { Operation } from "../../src/agent/codec/operation.ts";
import type { Message, Turn } from "../../src/protocol/index.ts";

export class CodecLog {
  messages: readonly Message[] = [];
  turn: Turn = { id: "t1", status: "active", attempt: 1, createdAt: 0 };
  readonly states: { messages: readonly Message[]; turn: Turn }[] = [];
  readonly #byKey = new Map<string, string>();
  readonly #codec = aiSdk();
  #version = 0;

  take(chunk: AiSdkChunk): void {
    for (const operation of this.#codec(chunk)) this.#apply(operation);
  }

  /** Messages that the stream left open do not stay so. */
  end(status: "complete" | "failed"): void {
    for (const operation of this.#codec.end?.() ?? []) this.#apply(operation);
    for (const { serial, name, status: is } of this.messages) {
      if (is !== "streaming") continue;
      this.#change(serial, { status: name === "tool-input" ? "failed" : status });
    }
    this.turn = { ...this.turn, status };
    this.#note();
  }

  #apply(operation: Operation): void {
    if (!("key" in operation)) return;
    const { op, key } = operation;
    const serial = this.#byKey.get(key) ?? "";
    const held = this.messages.find((message) => message.serial === serial);
    const headers = "headers" in operation && operation.headers && { headers: operation.headers };
    const data = "data" in operation && operation.data !== undefined && { data: operation.data };
    if (op === "append") this.#change(serial, { data: `${held?.data}${operation.text}` });
    else if (op === "drop") this.#change(serial, { deletedAt: 1 });
    else if (op === "close") {
      this.#change(serial, { status: operation.status, ...data, ...headers });
    } else if (held) this.#change(serial, { ...data, ...headers });
    else this.#create(operation, key);
  }

  #create(operation: Extract<Operation, { op: "open" | "put" }>, key: string): void {
    const { op, name, headers } = operation;
    const serial = this.#next();
    this.#byKey.set(key, serial);
    const message: Message = {
      serial,
      version: serial,
      id: `t1/1/${key}`,
      name,
      client: "agent",
      role: (op === "put" && operation.role) || "assistant",
      turn: "t1",
      data: op === "open" ? operation.text : operation.data,
      ...(headers && { headers }),
      ...(op === "open" && { status: "streaming" as const }),
      createdAt: 0,
      updatedAt: 0,
    };
    this.messages = [...this.messages, message];
    this.#note();
  }

  #change(serial: string, change: Partial<Message>): void {
    const version = this.#next();
    this.messages = this.messages.map((message) =>
      message.serial === serial ? { ...message, ...change, version } : message,
    );
    this.#note();
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version).padStart(12, "0");
  }

  #note(): void {
    this.states.push({ messages: this.messages, turn: this.turn });
  }
}
