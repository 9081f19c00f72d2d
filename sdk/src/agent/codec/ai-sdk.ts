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

/** AI SDK UI message chunks. */
export function aiSdk(): Codec<AiSdkChunk> {
  const draft = new Draft();
  const approvals = new Map<string, { key: string; data: Json }>();
  let response: { key: string; data: Record<string, unknown> } | undefined;
  let step = "";

  const respond = (data: Record<string, unknown>, isNew = false) => {
    if (response === undefined || isNew) response = { key: draft.next("response"), data: {} };
    const metadata = { ...fields(response.data.metadata), ...fields(data.metadata) };
    const merged = { ...response.data, ...data };
    response.data = data.metadata === undefined ? merged : { ...merged, metadata };
    draft.put(response.key, "response", response.data);
  };

  /** Text and reasoning: the same but for their names. */
  const block = (chunk: Json, kind: string, what: string, name: string) => {
    const id = `${kind}:${text(chunk.id)}`;
    if (what === "end" && !draft.isOpen(id)) return;
    if (what === "start" || !draft.isOpen(id)) {
      draft.open(id, draft.next(kind), name, "", { part: text(chunk.id) });
    }
    const headers: Headers = {};
    const key = draft.key(id) ?? "";
    draft.note(key, headers, "providerMetadata", chunk.providerMetadata);
    draft.note(key, headers, "citations", chunk.citations);
    draft.describe(id, headers);
    if (what === "delta") draft.append(id, text(chunk.delta));
    if (what === "end") draft.close(id);
  };

  const tool = (chunk: Json, what: string) => {
    const id = text(chunk.toolCallId);
    const headers = flags(chunk);
    const { n } = draft.tool(id);
    draft.note(`tool-${n}`, headers, "providerMetadata", chunk.providerMetadata);
    draft.note(`tool-${n}`, headers, "toolMetadata", chunk.toolMetadata);
    draft.tool(id, headers);
    switch (what) {
      case "input-start":
        return draft.stream(id, "");
      case "input-delta":
        return draft.stream(id, text(chunk.inputTextDelta));
      case "input-available":
        return draft.input(id, chunk.input);
      case "input-error":
        draft.input(id, chunk.input, "failed");
        return draft.output(id, chunk.errorText, "input-error");
      case "output-available":
        return draft.output(id, chunk.output, chunk.preliminary ? "preliminary" : "available");
      case "output-error":
        return draft.output(id, chunk.errorText, "error");
      case "output-denied":
        return draft.output(id, null, "denied");
      default:
        return draft.pass(text(chunk.type), chunk);
    }
  };

  const approval = (chunk: Json, state: string) => {
    const id = text(chunk.approvalId);
    const known = approvals.get(id);
    const key = known?.key ?? draft.next("tool-approval");
    const { type: _, ...said } = chunk;
    const data = { ...known?.data, ...said };
    approvals.set(id, { key, data });
    const call = text(data.toolCallId);
    const headers = { approvalId: id, state, ...(call && { toolCallId: call }) };
    draft.put(key, "tool-approval", data, headers);
  };

  const other = (chunk: Json, type: string) => {
    if (type.startsWith("source-")) return draft.put(draft.next("source"), "source", chunk);
    if (!type.startsWith("data-")) return draft.pass(type, chunk);
    if (chunk.transient === true) return draft.signal(type, chunk);
    const key = chunk.id === undefined ? draft.next(type) : `${type}:${chunk.id}`;
    draft.put(key, type, chunk);
  };

  const take = (chunk: Json, type: string) => {
    const [, family, what = ""] = /^(text|reasoning|tool)-(.+)$/.exec(type) ?? [];
    const isPart = /^(start|delta|end)$/.test(what);
    if (family === "text" && isPart) return block(chunk, family, what, "message");
    if (family === "reasoning" && isPart) return block(chunk, family, what, family);
    if (what === "approval-request") return approval(chunk, "requested");
    if (what === "approval-response") return approval(chunk, "responded");
    if (family === "tool") return tool(chunk, what);
    const metadata = chunk.messageMetadata;
    const more = metadata === undefined ? {} : { metadata };
    switch (type) {
      case "start":
        return respond({ state: "started", ...pick(chunk, "messageId"), ...more }, true);
      case "message-metadata":
        return respond(more);
      case "finish":
        return respond({ state: "finished", ...pick(chunk, "finishReason"), ...more });
      case "abort":
        respond({ state: "aborted", ...pick(chunk, "reason") });
        return draft.cancel(text(chunk.reason));
      case "error":
        return draft.fail(text(chunk.errorText));
      case "start-step":
        step = draft.next("step");
        draft.put(step, "step", { state: "started" });
        return draft.mark();
      case "finish-step":
        return draft.put(step || draft.next("step"), "step", { state: "finished" });
      case "reset-step":
        return draft.dropRecent();
      default:
        return other(chunk, type);
    }
  };

  return (chunk) => {
    take(fields(chunk), chunk.type);
    return draft.take();
  };
}
