// The events of an Anthropic Messages stream.

import { Draft } from "./draft.ts";
import { type Codec, fields, type Json, parsed, pick, text } from "./operation.ts";

/** Any event: those that are not known pass through. */
export interface AnthropicEvent {
  readonly type: string;
}

/** What readers are told of a message beside its blocks. */
const TOLD = ["id", "model", "usage", "stop_reason", "stop_sequence"];

/** Anthropic Messages events. */
export function anthropic(): Codec<AnthropicEvent> {
  const draft = new Draft();
  let response = { key: "", data: {} as Record<string, unknown> };
  /** By index: what kind of block it is, and the tool call that it belongs to. */
  let blocks: { call?: string; input?: unknown; signature: string }[] = [];

  const respond = (data: Record<string, unknown>) => {
    const usage = { ...fields(response.data.usage), ...fields(data.usage) };
    response.data = { ...response.data, ...data, usage };
    if (response.key === "") response.key = draft.next("response");
    draft.put(response.key, "response", response.data);
  };

  const begin = (at: number, id: string, block: Json) => {
    const type = text(block.type);
    blocks[at] = { signature: text(block.signature) };
    if (type === "text") {
      draft.open(id, draft.next("text"), "message", text(block.text));
      for (const one of Array.isArray(block.citations) ? block.citations : []) cite(id, one);
    } else if (type === "thinking") {
      draft.open(id, draft.next("reasoning"), "reasoning", text(block.thinking));
    } else if (type.endsWith("tool_use")) {
      const call = text(block.id);
      const isOwn = type === "tool_use";
      const toolName = text(block.name);
      blocks[at] = { call, input: block.input, signature: "" };
      draft.tool(call, { toolName, ...(!isOwn && { providerExecuted: "true" }) });
      draft.stream(call, "");
    } else if (type.endsWith("tool_result")) {
      const isBad = block.is_error === true || /_error$/.test(text(fields(block.content).type));
      draft.output(text(block.tool_use_id), block.content, isBad ? "error" : "available");
    } else {
      draft.pass(type, block);
    }
  };

  const cite = (id: string, citation: unknown) => {
    const of = draft.key(id);
    draft.put(draft.next("source"), "source", citation, of === undefined ? {} : { of });
  };

  const grow = (event: Json, at: number, id: string) => {
    const delta = fields(event.delta);
    const block = blocks[at];
    switch (delta.type) {
      case "text_delta":
        return draft.append(id, text(delta.text));
      case "thinking_delta":
        return draft.append(id, text(delta.thinking));
      case "signature_delta":
        if (block !== undefined) block.signature += text(delta.signature);
        return;
      case "input_json_delta":
        if (block?.call === undefined) return draft.pass("input_json_delta", event);
        return draft.stream(block.call, text(delta.partial_json));
      case "citations_delta":
        return cite(id, delta.citation);
      default:
        return draft.pass(text(delta.type), event);
    }
  };

  const end = (at: number, id: string) => {
    const { call, input, signature } = blocks[at] ?? { signature: "" };
    if (call === undefined) {
      const headers = {};
      if (signature !== "") draft.note(draft.key(id) ?? "", headers, "signature", signature);
      draft.describe(id, headers);
      return draft.close(id);
    }
    const json = draft.text(`tool-input-${draft.tool(call).n}`);
    draft.input(call, json === "" ? (input ?? {}) : parsed(json));
  };

  const take = (event: Json, type: string) => {
    const at = Number(event.index);
    const id = `${response.key}:${at}`;
    switch (type) {
      case "message_start":
        response = { key: draft.next("response"), data: {} };
        blocks = [];
        return respond(pick(event.message, ...TOLD));
      case "content_block_start":
        return begin(at, id, fields(event.content_block));
      case "content_block_delta":
        return grow(event, at, id);
      case "content_block_stop":
        return end(at, id);
      case "message_delta":
        return respond({ ...pick(event.delta, ...TOLD), ...pick(event, "usage") });
      case "message_stop":
      case "ping":
        return;
      case "error":
        return draft.fail(text(fields(event.error).message));
      default:
        return draft.pass(type, event);
    }
  };

  return (part) => {
    take(fields(part), part.type);
    return draft.take();
  };
}
