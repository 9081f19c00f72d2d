// The events of an Anthropic Messages stream, including those of gateways: without starts or stops,
// with wrong indexes, or with whole inputs.

import { type Call, Calls } from "./calls.ts";
import { Draft, type Slot } from "./draft.ts";
import {
  type Codec,
  type CodecOptions,
  fields,
  type Json,
  listed,
  parsed,
  pick,
  reasonOf,
  text,
} from "./operation.ts";

/** Any event; unknown ones pass through. */
export interface AnthropicEvent {
  readonly type: string;
}

/** The fields of a message that readers get, besides its blocks. */
const TOLD = ["id", "model", "usage", "stop_reason", "stop_sequence"];

/** The reason of a message's end, in words common to all providers. */
const FINISH_REASONS: Record<string, string> = {
  end_turn: "stop",
  stop_sequence: "stop",
  pause_turn: "stop",
  tool_use: "tool-calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content-filter",
};

type Kind = "text" | "thinking" | "call" | "other";

/** The kind of block to which a delta belongs. */
const GROWS: Record<string, Kind> = {
  text_delta: "text",
  citations_delta: "text",
  thinking_delta: "thinking",
  signature_delta: "thinking",
  input_json_delta: "call",
};

/** An open content block. */
interface Block {
  index: unknown;
  kind: Kind;
  /** The key of its message. */
  key: string;
  call?: Call;
  /** The input given by its start. */
  input?: unknown;
}

class Anthropic extends Draft {
  protected override readonly lastWord = "`message_stop`";
  readonly #calls = new Calls(this);
  #response: Slot | undefined;
  #said: Record<string, unknown> = {};
  #blocks: Block[] = [];
  /** Calls whose block stopped in the middle of its JSON; the rest may still arrive. */
  #late: Block[] = [];
  /** The blocks in the message's start, until others arrive. */
  #given: unknown[] = [];

  #respond(data: Record<string, unknown>) {
    const usage = { ...fields(this.#said.usage), ...fields(data.usage) };
    const finishReason = FINISH_REASONS[text(data.stop_reason)] ?? (data.stop_reason && "other");
    this.#said = { ...this.#said, ...data, usage, ...(finishReason ? { finishReason } : {}) };
    this.#response ??= { key: this.next("response") };
    this.change(this.#response, "response", this.#said);
    this.uses(usage);
  }

  #start(message: Json) {
    const { id, state } = this.#said;
    const isAgain = text(id) !== "" && id === message.id && state === "started" && !this.#blocks[0];
    if (!isAgain) {
      this.settle();
      this.usesAnew();
      this.#response = undefined;
      this.#said = {};
    }
    this.#given = listed(message.content);
    this.#respond({ state: "started", ...pick(message, ...TOLD) });
  }

  #begin(index: unknown, block: Json) {
    const type = text(block.type);
    const open = this.#blocks.find((one) => typeof index === "number" && one.index === index);
    if (open) this.#end(open);
    this.#given = [];
    if (type === "text") {
      const key = this.open(this.next("text"), "message", text(block.text));
      this.#blocks.push({ index, kind: "text", key });
      for (const one of listed(block.citations)) this.#cite(key, one);
    } else if (type === "thinking") {
      const signature = text(block.signature);
      const key = this.next("reasoning");
      this.open(key, "reasoning", text(block.thinking), signature ? { signature } : {});
      this.#blocks.push({ index, kind: "thinking", key });
    } else if (type.endsWith("tool_use")) {
      const call = this.#calls.begin(text(block.id), {
        toolName: text(block.name),
        ...(type !== "tool_use" && { providerExecuted: "true" }),
      });
      this.#calls.stream(call, "");
      this.#blocks.push({ index, kind: "call", key: call.input, call, input: block.input });
    } else {
      this.#blocks.push({ index, kind: "other", key: "" });
      if (type.endsWith("tool_result")) this.#result(block);
      else this.pass(type, block);
    }
  }

  #result(block: Json) {
    const id = text(block.tool_use_id);
    const call = this.#calls.latest(id) ?? this.#calls.begin(id);
    const isBad = block.is_error === true || /_error$/.test(text(fields(block.content).type));
    const headers = { providerExecuted: "true" };
    this.#calls.answer(call, block.content, isBad ? "error" : "available", headers);
  }

  #cite(of: string, citation: unknown) {
    this.say("source", "source", citation, { of });
  }

  /** The block to which a delta belongs. */
  #grown(index: unknown, kind: Kind): Block | undefined {
    const isOne = (one: Block) => one.index === index && one.kind === kind;
    const found = this.#blocks.findLast(isOne) ?? this.#late.findLast(isOne);
    if (found) return found;
    // A new index begins a block; a wrong or missing one does not.
    const isNew = typeof index === "number" && !this.#blocks.some((one) => one.index === index);
    const open = isNew ? undefined : this.#blocks.findLast((one) => one.kind === kind);
    if (open || kind === "call") return open ?? this.#late.at(-1);
    this.#begin(isNew ? index : undefined, { type: kind });
    return this.#blocks.at(-1);
  }

  #grow(event: Json) {
    const delta = fields(event.delta);
    const type = text(delta.type);
    const kind = GROWS[type];
    const block = kind && this.#grown(event.index, kind);
    if (!block) return this.pass(type || "content_block_delta", event);
    const { key, call } = block;
    if (call) return this.#calls.stream(call, text(delta.partial_json));
    if (type === "citations_delta") return this.#cite(key, delta.citation);
    if (type !== "signature_delta")
      return this.append(key, text(delta.text) || text(delta.thinking));
    const signature = text(delta.signature);
    if (signature) this.describe(key, { signature });
  }

  #end(block: Block) {
    this.#blocks = this.#blocks.filter((one) => one !== block);
    const { key, call, input } = block;
    if (!call) return this.close(key);
    const json = this.text(key);
    const value = json === "" ? (input ?? {}) : parsed(json);
    if (json !== "" && value === json) this.#late.push(block);
    else this.#tell(call, typeof value === "string" ? parsed(value) : value);
  }

  #tell(call: Call, input: unknown) {
    this.#calls.tell(call, input);
    // The agent runs it, so its output is not in this stream.
    if (call.headers.providerExecuted === undefined) this.#calls.settle(call);
  }

  /** Ends all open blocks as they are. */
  protected override settle() {
    for (const block of this.#blocks) this.#end(block);
    const given = this.#given;
    this.#given = [];
    given.forEach((block, index) => {
      this.#begin(`given ${index}`, fields(block));
      const begun = this.#blocks.at(-1);
      if (begun) this.#end(begun);
    });
    for (const { call, key } of this.#late) {
      if (!call) continue;
      const json = this.text(key);
      const isWhole = parsed(json) !== json || this.#said.finishReason !== "length";
      if (isWhole) this.#tell(call, parsed(json));
      else this.#calls.breakOff(call);
    }
    this.#late = [];
  }

  #stop() {
    this.settle();
    this.#respond({ state: "finished" });
    this.finish();
  }

  protected override handle(event: Json, type: string) {
    switch (type) {
      case "message_start":
        this.goOn();
        return this.#start(fields(event.message));
      case "content_block_start":
        this.goOn();
        return this.#begin(event.index, fields(event.content_block));
      case "content_block_delta":
        return this.#grow(event);
      case "content_block_stop": {
        const { index } = event;
        const isIt = (one: Block) => typeof index !== "number" || one.index === index;
        const block = this.#blocks.findLast(isIt);
        return block && this.#end(block);
      }
      case "message_delta":
        return this.#respond({ ...pick(event.delta, ...TOLD), ...pick(event, "usage") });
      case "message_stop":
        return this.#stop();
      case "message":
        // The provider sent a whole message instead of a stream.
        this.#start(event);
        return this.#stop();
      case "ping":
        return;
      case "error":
        return this.fail(reasonOf(event.error ?? event, "the stream failed"));
      default:
        if (type === "" && event.error)
          return this.fail(reasonOf(event.error, "the stream failed"));
        return this.pass(type, event);
    }
  }
}

/** Anthropic Messages events. */
export function anthropic(options?: CodecOptions): Codec<AnthropicEvent> {
  return new Anthropic(options).codec();
}
