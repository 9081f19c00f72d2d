// The events of an OpenAI Responses stream.

import { Draft } from "./draft.ts";
import { type Codec, fields, type Json, parsed, pick, text } from "./operation.ts";

/** Any event: those that are not known pass through. */
export interface OpenAiEvent {
  readonly type: string;
}

/** What readers are told of a response: not the instructions and tools, which are the agent's. */
const TOLD = ["id", "model", "status", "usage", "error", "incomplete_details"];
/** Calls whose input comes piece by piece; others come whole. */
const STREAMED = ["function_call", "custom_tool_call", "mcp_call", "code_interpreter_call"];
/** Calls that the agent answers, not the provider. */
const OWN = ["function_call", "custom_tool_call"];
/** Events that say again what others said, by `delta` and `done`. */
const STRUCTURE = [
  "content_part.done",
  "reasoning_summary_part.added",
  "reasoning_summary_part.done",
];

/** OpenAI Responses events. */
export function openAi(): Codec<OpenAiEvent> {
  const draft = new Draft();
  const names = new Map<string, string>();
  let response = "";
  let sequence = -1;

  const partId = (event: Json) => {
    const at = event.content_index ?? event.summary_index ?? 0;
    return `${event.item_id}:${at}`;
  };

  const block = (event: Json, name: string, isDone: boolean, whole: unknown) => {
    const id = `${name}:${partId(event)}`;
    const isText = name === "message";
    if (draft.key(id) === undefined) {
      const part = text(event.item_id);
      draft.open(id, draft.next(isText ? "text" : name), name, "", part === "" ? {} : { part });
    }
    if (isDone) draft.close(id, whole);
    else draft.append(id, text(event.delta));
  };

  const input = (event: Json, isDone: boolean) => {
    const id = text(event.item_id);
    const call = names.get(id) ?? id;
    if (!isDone) return draft.stream(call, text(event.delta));
    const json = event.arguments;
    draft.input(call, json === undefined ? (event.input ?? event.code) : parsed(text(json)));
  };

  const item = (event: Json, isDone: boolean) => {
    const it = fields(event.item);
    const [type, id] = [text(it.type), text(it.id)];
    if (type === "message" || type === "reasoning") return;
    if (!type.endsWith("_call")) {
      const key = names.get(id) ?? draft.next(type);
      names.set(id, key);
      return draft.put(key, type, it);
    }
    const isOwn = OWN.includes(type);
    const call = text(it.call_id) || id;
    names.set(id, call);
    const toolName = text(it.name) || type;
    const { n } = draft.tool(call, {
      toolName,
      part: id,
      ...(!isOwn && { providerExecuted: "true" }),
    });
    if (!STREAMED.includes(type)) draft.put(`tool-input-${n}`, "tool-input", it, tool(call));
    else if (!isDone) draft.stream(call, "");
    else if (draft.isOpen(`tool-input-${n}`)) {
      draft.input(
        call,
        it.arguments === undefined ? (it.input ?? it.code) : parsed(text(it.arguments)),
      );
    }
    if (!isDone || isOwn) return;
    const isBad = it.status === "failed" || Boolean(it.error);
    draft.output(call, it.output ?? it.error ?? it, isBad ? "error" : "available");
  };
  const tool = (call: string) => ({ ...draft.tool(call).headers });

  const respond = (event: Json) => {
    const is = fields(event.response);
    if (event.type === "response.created" || response === "") response = draft.next("response");
    draft.put(response, "response", pick(is, ...TOLD));
    if (is.status === "failed") draft.fail(text(fields(is.error).message));
    if (is.status === "cancelled") draft.cancel("the provider cancelled the response");
  };

  const take = (event: Json, type: string) => {
    if (type === "error") return draft.fail(text(event.message));
    const kind = type.replace(/^response\./, "");
    if (fields(event.response).status !== undefined) return respond(event);
    if (STRUCTURE.includes(kind)) return;
    const [, what = "", verb] = /^(\w+)\.(\w+)$/.exec(kind) ?? [];
    const isDone = verb === "done";
    if (what === "output_item") return item(event, isDone);
    if (kind === "content_part.added") {
      const part = text(fields(event.part).type);
      if (part === "output_text") block(event, "message", false, "");
      else if (part !== "refusal" && part !== "reasoning_text") draft.pass(type, event);
      return;
    }
    if (kind === "output_text.annotation.added") {
      const of = draft.key(`message:${partId(event)}`);
      return draft.put(draft.next("source"), "source", event.annotation, of ? { of } : {});
    }
    if (verb !== "delta" && !isDone) return draft.pass(type, event);
    switch (what) {
      case "output_text":
        return block(event, "message", isDone, event.text);
      case "refusal":
        return block(event, "refusal", isDone, event.refusal);
      case "reasoning_text":
      case "reasoning_summary_text":
        return block(event, "reasoning", isDone, event.text);
      case "function_call_arguments":
      case "custom_tool_call_input":
      case "mcp_call_arguments":
      case "code_interpreter_call_code":
        return input(event, isDone);
      default:
        return draft.pass(type, event);
    }
  };

  return (part) => {
    const event = fields(part);
    // A response that is read again from some event on repeats what was read (`starting_after`).
    if (part.type === "response.created") sequence = -1;
    if (typeof event.sequence_number === "number") {
      if (event.sequence_number <= sequence) return [];
      sequence = event.sequence_number;
    }
    take(event, part.type);
    return draft.take();
  };
}
