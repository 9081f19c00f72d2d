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

class OpenAi extends Draft {
  readonly #names = new Map<string, string>();
  #response = "";
  #sequence = -1;

  #partId(event: Json) {
    const at = event.content_index ?? event.summary_index ?? 0;
    return `${event.item_id}:${at}`;
  }

  #block(event: Json, name: string, isDone: boolean, whole: unknown) {
    const id = `${name}:${this.#partId(event)}`;
    const isText = name === "message";
    if (this.key(id) === undefined) {
      const part = text(event.item_id);
      this.open(id, this.next(isText ? "text" : name), name, "", part === "" ? {} : { part });
    }
    if (isDone) this.close(id, whole);
    else this.append(id, text(event.delta));
  }

  #input(event: Json, isDone: boolean) {
    const id = text(event.item_id);
    const call = this.#names.get(id) ?? id;
    if (!isDone) return this.stream(call, text(event.delta));
    const json = event.arguments;
    this.input(call, json === undefined ? (event.input ?? event.code) : parsed(text(json)));
  }

  #item(event: Json, isDone: boolean) {
    const it = fields(event.item);
    const [type, id] = [text(it.type), text(it.id)];
    if (type === "message" || type === "reasoning") return;
    if (!type.endsWith("_call")) {
      const key = this.#names.get(id) ?? this.next(type);
      this.#names.set(id, key);
      return this.put(key, type, it);
    }
    const isOwn = OWN.includes(type);
    const call = text(it.call_id) || id;
    this.#names.set(id, call);
    const toolName = text(it.name) || type;
    const { n, headers } = this.tool(call, {
      toolName,
      part: id,
      ...(!isOwn && { providerExecuted: "true" }),
    });
    if (!STREAMED.includes(type)) this.put(`tool-input-${n}`, "tool-input", it, { ...headers });
    else if (!isDone) this.stream(call, "");
    else if (this.isOpen(`tool-input-${n}`)) {
      this.input(
        call,
        it.arguments === undefined ? (it.input ?? it.code) : parsed(text(it.arguments)),
      );
    }
    if (!isDone || isOwn) return;
    const isBad = it.status === "failed" || Boolean(it.error);
    this.output(call, it.output ?? it.error ?? it, isBad ? "error" : "available");
  }
  #respond(event: Json) {
    const is = fields(event.response);
    const isNew = event.type === "response.created" || this.#response === "";
    if (isNew) this.#response = this.next("response");
    this.put(this.#response, "response", pick(is, ...TOLD));
    if (is.status === "failed") this.fail(text(fields(is.error).message));
    if (is.status === "cancelled") this.cancel("the provider cancelled the response");
  }

  /** A response that is read again from some event on repeats what was read. */
  #isRepeat(event: Json, type: string): boolean {
    if (type === "response.created") this.#sequence = -1;
    const { sequence_number: sequence } = event;
    if (typeof sequence !== "number") return false;
    if (sequence <= this.#sequence) return true;
    this.#sequence = sequence;
    return false;
  }

  protected override handle(event: Json, type: string) {
    if (this.#isRepeat(event, type)) return;
    if (type === "error") return this.fail(text(event.message));
    const kind = type.replace(/^response\./, "");
    if (fields(event.response).status !== undefined) return this.#respond(event);
    if (STRUCTURE.includes(kind)) return;
    const [, what = "", verb] = /^(\w+)\.(\w+)$/.exec(kind) ?? [];
    const isDone = verb === "done";
    if (what === "output_item") return this.#item(event, isDone);
    if (kind === "content_part.added") {
      const part = text(fields(event.part).type);
      if (part === "output_text") this.#block(event, "message", false, "");
      else if (part !== "refusal" && part !== "reasoning_text") this.pass(type, event);
      return;
    }
    if (kind === "output_text.annotation.added") {
      const of = this.key(`message:${this.#partId(event)}`);
      return this.put(this.next("source"), "source", event.annotation, of ? { of } : {});
    }
    if (verb !== "delta" && !isDone) return this.pass(type, event);
    switch (what) {
      case "output_text":
        return this.#block(event, "message", isDone, event.text);
      case "refusal":
        return this.#block(event, "refusal", isDone, event.refusal);
      case "reasoning_text":
      case "reasoning_summary_text":
        return this.#block(event, "reasoning", isDone, event.text);
      case "function_call_arguments":
      case "custom_tool_call_input":
      case "mcp_call_arguments":
      case "code_interpreter_call_code":
        return this.#input(event, isDone);
      default:
        return this.pass(type, event);
    }
  }
}

/** OpenAI Responses events. */
export function openAi(): Codec<OpenAiEvent> {
  const codec = new OpenAi();
  return (event) => codec.read(event);
}
