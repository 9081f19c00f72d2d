// The chunks of an AI SDK UI message stream (`toUIMessageStream()`), of ai@6 and ai@7.

import { Draft } from "./draft.ts";
import { type Codec, fields, type Headers, type Json, pick, text } from "./operation.ts";

/** Any chunk: those that are not known pass through. */
export interface AiSdkChunk {
  readonly type: string;
}

const FLAGS = ["toolName", "title", "inputEncoding"];
const MARKS = ["dynamic", "providerExecuted"];

/** What a chunk says about a call, as headers. */
function flags(chunk: Json): Headers {
  const named = FLAGS.flatMap((name) => (chunk[name] ? [[name, String(chunk[name])]] : []));
  const marked = MARKS.flatMap((name) => (chunk[name] === true ? [[name, "true"]] : []));
  return Object.fromEntries([...named, ...marked]);
}

class AiSdk extends Draft {
  readonly #approvals = new Map<string, { key: string; data: Json }>();
  #response: { key: string; data: Record<string, unknown> } | undefined;
  #step = "";

  #respond(data: Record<string, unknown>, isNew = false) {
    const known = isNew ? undefined : this.#response;
    const response = known ?? { key: this.next("response"), data: {} };
    const metadata = { ...fields(response.data.metadata), ...fields(data.metadata) };
    const merged = { ...response.data, ...data };
    response.data = data.metadata === undefined ? merged : { ...merged, metadata };
    this.#response = response;
    this.put(response.key, "response", response.data);
  }

  /** Text and reasoning: the same but for their names. */
  #block(chunk: Json, kind: string, what: string, name: string) {
    const id = `${kind}:${text(chunk.id)}`;
    if (what === "end" && !this.isOpen(id)) return;
    if (what === "start" || !this.isOpen(id)) {
      this.open(id, this.next(kind), name, "", { part: text(chunk.id) });
    }
    const headers: Headers = {};
    const key = this.key(id) ?? "";
    this.note(key, headers, "providerMetadata", chunk.providerMetadata);
    this.note(key, headers, "citations", chunk.citations);
    this.describe(id, headers);
    if (what === "delta") this.append(id, text(chunk.delta));
    if (what === "end") this.close(id);
  }

  #tool(chunk: Json, what: string) {
    const id = text(chunk.toolCallId);
    const headers = flags(chunk);
    const { n } = this.tool(id);
    this.note(`tool-${n}`, headers, "providerMetadata", chunk.providerMetadata);
    this.note(`tool-${n}`, headers, "toolMetadata", chunk.toolMetadata);
    this.tool(id, headers);
    switch (what) {
      case "input-start":
        return this.stream(id, "");
      case "input-delta":
        return this.stream(id, text(chunk.inputTextDelta));
      case "input-available":
        return this.input(id, chunk.input);
      case "input-error":
        this.input(id, chunk.input, "failed");
        return this.output(id, chunk.errorText, "input-error");
      case "output-available":
        return this.output(id, chunk.output, chunk.preliminary ? "preliminary" : "available");
      case "output-error":
        return this.output(id, chunk.errorText, "error");
      case "output-denied":
        return this.output(id, null, "denied");
      default:
        return this.pass(text(chunk.type), chunk);
    }
  }

  #approval(chunk: Json, state: string) {
    const id = text(chunk.approvalId);
    const known = this.#approvals.get(id);
    const key = known?.key ?? this.next("tool-approval");
    const { type: _, ...said } = chunk;
    const data = { ...known?.data, ...said };
    this.#approvals.set(id, { key, data });
    const call = text(data.toolCallId);
    const headers = { approvalId: id, state, ...(call && { toolCallId: call }) };
    this.put(key, "tool-approval", data, headers);
  }

  #other(chunk: Json, type: string) {
    if (type.startsWith("source-")) return this.put(this.next("source"), "source", chunk);
    if (!type.startsWith("data-")) return this.pass(type, chunk);
    if (chunk.transient === true) return this.signal(type, chunk);
    const key = chunk.id === undefined ? this.next(type) : `${type}:${chunk.id}`;
    this.put(key, type, chunk);
  }

  protected override handle(chunk: Json, type: string) {
    const [, family, what = ""] = /^(text|reasoning|tool)-(.+)$/.exec(type) ?? [];
    const isPart = /^(start|delta|end)$/.test(what);
    if (family === "text" && isPart) return this.#block(chunk, family, what, "message");
    if (family === "reasoning" && isPart) return this.#block(chunk, family, what, family);
    if (what === "approval-request") return this.#approval(chunk, "requested");
    if (what === "approval-response") return this.#approval(chunk, "responded");
    if (family === "tool") return this.#tool(chunk, what);
    const metadata = chunk.messageMetadata;
    const more = metadata === undefined ? {} : { metadata };
    switch (type) {
      case "start":
        return this.#respond({ state: "started", ...pick(chunk, "messageId"), ...more }, true);
      case "message-metadata":
        return this.#respond(more);
      case "finish":
        return this.#respond({ state: "finished", ...pick(chunk, "finishReason"), ...more });
      case "abort":
        this.#respond({ state: "aborted", ...pick(chunk, "reason") });
        return this.cancel(text(chunk.reason));
      case "error":
        return this.fail(text(chunk.errorText));
      case "start-step":
        this.#step = this.next("step");
        this.put(this.#step, "step", { state: "started" });
        return this.mark();
      case "finish-step":
        return this.put(this.#step || this.next("step"), "step", { state: "finished" });
      case "reset-step":
        return this.dropRecent();
      default:
        return this.#other(chunk, type);
    }
  }
}

/** AI SDK UI message chunks. */
export function aiSdk(): Codec<AiSdkChunk> {
  const codec = new AiSdk();
  return (chunk) => codec.read(chunk);
}
