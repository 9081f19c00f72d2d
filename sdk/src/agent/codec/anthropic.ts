// The events of an Anthropic Messages stream.

import { Draft } from "./draft.ts";
import { type Codec, fields, type Json, parsed, pick, text } from "./operation.ts";

/** Any event: those that are not known pass through. */
export interface AnthropicEvent {
  readonly type: string;
}

/** What readers are told of a message beside its blocks. */
const TOLD = ["id", "model", "usage", "stop_reason", "stop_sequence"];

class Anthropic extends Draft {
  #response: { key: string; data: Record<string, unknown> } = { key: "", data: {} };
  /** By index: what kind of block it is, and the tool call that it belongs to. */
  #blocks: { call?: string; input?: unknown; signature: string }[] = [];

  #respond(data: Record<string, unknown>) {
    const usage = { ...fields(this.#response.data.usage), ...fields(data.usage) };
    this.#response.data = { ...this.#response.data, ...data, usage };
    if (this.#response.key === "") this.#response.key = this.next("response");
    this.put(this.#response.key, "response", this.#response.data);
  }

  #begin(at: number, id: string, block: Json) {
    const type = text(block.type);
    this.#blocks[at] = { signature: text(block.signature) };
    if (type === "text") {
      this.open(id, this.next("text"), "message", text(block.text));
      for (const one of Array.isArray(block.citations) ? block.citations : []) this.#cite(id, one);
    } else if (type === "thinking") {
      this.open(id, this.next("reasoning"), "reasoning", text(block.thinking));
    } else if (type.endsWith("tool_use")) {
      const call = text(block.id);
      const isOwn = type === "tool_use";
      const toolName = text(block.name);
      this.#blocks[at] = { call, input: block.input, signature: "" };
      this.tool(call, { toolName, ...(!isOwn && { providerExecuted: "true" }) });
      this.stream(call, "");
    } else if (type.endsWith("tool_result")) {
      const isBad = block.is_error === true || /_error$/.test(text(fields(block.content).type));
      this.output(text(block.tool_use_id), block.content, isBad ? "error" : "available");
    } else {
      this.pass(type, block);
    }
  }

  #cite(id: string, citation: unknown) {
    const of = this.key(id);
    this.put(this.next("source"), "source", citation, of === undefined ? {} : { of });
  }

  #grow(event: Json, at: number, id: string) {
    const delta = fields(event.delta);
    const block = this.#blocks[at];
    switch (delta.type) {
      case "text_delta":
        return this.append(id, text(delta.text));
      case "thinking_delta":
        return this.append(id, text(delta.thinking));
      case "signature_delta":
        if (block !== undefined) block.signature += text(delta.signature);
        return;
      case "input_json_delta":
        if (block?.call === undefined) return this.pass("input_json_delta", event);
        return this.stream(block.call, text(delta.partial_json));
      case "citations_delta":
        return this.#cite(id, delta.citation);
      default:
        return this.pass(text(delta.type), event);
    }
  }

  #end(at: number, id: string) {
    const { call, input, signature } = this.#blocks[at] ?? { signature: "" };
    if (call === undefined) {
      const headers = {};
      if (signature !== "") this.note(this.key(id) ?? "", headers, "signature", signature);
      this.describe(id, headers);
      return this.close(id);
    }
    const json = this.text(`tool-input-${this.tool(call).n}`);
    this.input(call, json === "" ? (input ?? {}) : parsed(json));
  }

  protected override handle(event: Json, type: string) {
    const at = Number(event.index);
    const id = `${this.#response.key}:${at}`;
    switch (type) {
      case "message_start":
        this.#response = { key: this.next("response"), data: {} };
        this.#blocks = [];
        return this.#respond(pick(event.message, ...TOLD));
      case "content_block_start":
        return this.#begin(at, id, fields(event.content_block));
      case "content_block_delta":
        return this.#grow(event, at, id);
      case "content_block_stop":
        return this.#end(at, id);
      case "message_delta":
        return this.#respond({ ...pick(event.delta, ...TOLD), ...pick(event, "usage") });
      case "message_stop":
      case "ping":
        return;
      case "error":
        return this.fail(text(fields(event.error).message));
      default:
        return this.pass(type, event);
    }
  }
}

/** Anthropic Messages events. */
export function anthropic(): Codec<AnthropicEvent> {
  const codec = new Anthropic();
  return (event) => codec.read(event);
}
