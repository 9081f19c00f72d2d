// The chunks of an AI SDK UI message stream (`toUIMessageStream()`), of ai@6 and ai@7. The stored
// messages hold enough to give `useChat` the same parts again.

import { blobOf, isDataUrl, MOST_DATA } from "../../connection/data-url.ts";
import type { SessionFile } from "../../protocol/index.ts";
import { type Call, Calls } from "./calls.ts";
import { Draft, type Slot } from "./draft.ts";
import {
  type Codec,
  type CodecOptions,
  fields,
  type Headers,
  type Inside,
  type Json,
  jsonOf,
  pick,
  text,
} from "./operation.ts";
import { attempt, operation, plainOf } from "./tree.ts";

/** Any chunk; unknown ones pass through. */
export interface AiSdkChunk {
  readonly type: string;
}

export interface AiSdkOptions extends CodecOptions {
  /**
   * Names of `data-NAME` parts that set the shared state as well: the place `[NAME]`, or with an id
   * `[NAME, ID]`. Those that are `transient` do only that.
   */
  state?: readonly string[];
}

const TEXTS = ["toolName", "title", "inputEncoding"];
const MARKS = ["dynamic", "providerExecuted"];
const VALUES = ["providerMetadata", "toolMetadata", "citations"];

/** The fields of a chunk other than its content, as headers. */
function noted(chunk: Json): Headers {
  const named = TEXTS.map((name) => [name, chunk[name]]);
  const marked = MARKS.map((name) => [name, chunk[name] === true ? "true" : undefined]);
  const valued = VALUES.map((name) => [
    name,
    chunk[name] == null ? undefined : jsonOf(chunk[name]),
  ]);
  const isSaid = ([, value]: unknown[]) => typeof value === "string";
  return Object.fromEntries([...named, ...marked, ...valued].filter(isSaid));
}

/** Merges metadata as the AI SDK does: plain objects recursively; anything else is replaced. */
function merge(base: unknown, more: unknown): unknown {
  const isPlain = (value: unknown) => typeof value === "object" && value && !Array.isArray(value);
  if (more === undefined || more === null) return base;
  if (!isPlain(base) || !isPlain(more)) return more;
  const merged = new Map(Object.entries(fields(base)));
  for (const [name, value] of Object.entries(fields(more))) {
    if (value === undefined) continue;
    const is = isPlain(value) && isPlain(merged.get(name)) ? merge(merged.get(name), value) : value;
    merged.set(name, is);
  }
  return Object.fromEntries(merged);
}

/** A requested approval, kept until its call is settled. */
interface Approval {
  slot: Slot;
  data: Json;
  call: Call | undefined;
}

class AiSdk extends Draft {
  protected override readonly lastWord = "`finish`, `abort` or `error`";
  readonly #calls = new Calls(this);
  /** The keys of growing texts, by kind and id. */
  readonly #texts = new Map<string, string>();
  readonly #approvals = new Map<string, Approval>();
  /** The places of `data-*` parts with an id, by type and id. */
  readonly #data = new Map<string, Slot>();
  #response: Slot | undefined;
  #said: Record<string, unknown> = {};
  #step: Slot | undefined;

  readonly #state: readonly string[];

  constructor({ state = [], ...options }: AiSdkOptions = {}) {
    super(options);
    this.#state = state;
    this.mark();
  }

  #respond(data: Record<string, unknown>, messageMetadata: unknown) {
    const metadata = merge(this.#said.metadata, messageMetadata);
    this.#said = { ...this.#said, ...data, ...(metadata !== undefined && { metadata }) };
    this.#response ??= { key: this.next("response"), isLasting: true };
    this.change(this.#response, "response", this.#said);
    const { totalUsage, usage } = fields(metadata);
    this.uses(totalUsage ?? usage);
  }

  /** Text and reasoning, which differ only in their names. */
  #text(chunk: Json, kind: string, what: string) {
    const id = `${kind}:${text(chunk.id)}`;
    let key = this.#texts.get(id);
    if (what === "end" && key === undefined) return;
    const headers = noted(chunk);
    if (what === "start" || key === undefined) {
      // A repeated id begins another text, and ends the one before.
      if (key !== undefined) this.close(key);
      const name = kind === "text" ? "message" : kind;
      key = this.open(this.next(kind), name, "", { part: text(chunk.id), ...headers });
      this.#texts.set(id, key);
    }
    this.describe(key, headers);
    if (what === "delta") this.append(key, text(chunk.delta));
    if (what !== "end") return;
    this.close(key);
    this.#texts.delete(id);
  }

  /** The latest call with this id, if it belongs to this step. */
  #known(id: string): Call | undefined {
    const call = this.#calls.latest(id);
    return call && this.#calls.isCurrent(call) ? call : undefined;
  }

  #input(chunk: Json, what: string) {
    const id = text(chunk.toolCallId);
    const headers = noted(chunk);
    const known = this.#known(id);
    if (what === "error") return this.#refuse(chunk, known, headers);
    if (what === "delta") {
      const call = known ?? this.#open(id) ?? this.#calls.begin(id);
      return this.#calls.stream(call, text(chunk.inputTextDelta));
    }
    if (what === "available" && known?.isTold) {
      if (this.#calls.isSame(known, chunk.input, headers)) return;
    }
    const isIt = known && !known.isTold && this.#continues(known, headers, what);
    const call = isIt ? known : this.#calls.begin(id, headers);
    if (isIt) this.#calls.describe(call, headers);
    if (what === "start") this.#calls.stream(call, "");
    else this.#calls.tellOnce(call, chunk.input);
  }

  /** Writes a refused input as it is, and then the reason of the refusal. */
  #refuse(chunk: Json, known: Call | undefined, headers: Headers) {
    const isIt = known && !known.isTold;
    // As in the AI SDK: the title is dropped, the metadata belong to the result, `dynamic` to the
    // start.
    const { title: _, providerMetadata, dynamic, ...rest } = headers;
    const more = { ...rest, ...(!isIt && dynamic && { dynamic }), state: "error" };
    const call = isIt ? known : this.#calls.begin(text(chunk.toolCallId), more);
    if (isIt) this.#calls.describe(call, more);
    this.#calls.tell(call, chunk.input);
    const result = { ...rest, ...(providerMetadata && { providerMetadata }) };
    this.#answer(call, chunk.errorText, "input-error", result);
  }

  /** A call from an earlier step whose input is still streaming. */
  #open(id: string): Call | undefined {
    const call = this.#calls.latest(id);
    return call && this.isOpen(call.input) ? call : undefined;
  }

  /** Whether a chunk continues this input; a start after some text begins another call. */
  #continues(call: Call, { dynamic }: Headers, what: string): boolean {
    if (what === "start" && this.text(call.input) !== "") return false;
    return call.headers.dynamic === dynamic || !this.isOpen(call.input);
  }

  #output(chunk: Json, what: string) {
    const id = text(chunk.toolCallId);
    const call = this.#calls.latest(id) ?? this.#calls.begin(id);
    const headers = noted(chunk);
    if (what === "error") return this.#answer(call, chunk.errorText, what, headers);
    if (what === "denied") return this.#answer(call, null, what, headers);
    const state = chunk.preliminary ? "preliminary" : "available";
    this.#answer(call, chunk.output, state, headers);
  }

  #answer(call: Call, data: unknown, state: string, headers: Headers) {
    this.#calls.answer(call, data, state, headers);
    if (state === "preliminary") return;
    for (const [id, approval] of this.#approvals) {
      if (approval.call === call) this.#approvals.delete(id);
    }
  }

  #approval(chunk: Json, state: string) {
    const id = text(chunk.approvalId);
    const { type: _, ...said } = chunk;
    const known = this.#approvals.get(id);
    const call = known?.call ?? this.#calls.latest(text(chunk.toolCallId));
    const isLasting = call !== undefined && !this.#calls.isCurrent(call);
    const slot: Slot = known?.slot ?? { key: this.next("tool-approval"), isLasting };
    const { reason, ...before } = known?.data ?? {};
    // Both may have a reason: with a response, that of the request is renamed.
    const isAsked = reason !== undefined && state === "responded";
    const data: Json = { ...before, ...(isAsked && { requestReason: reason }), ...said };
    this.#approvals.set(id, { slot, data, call });
    const toolCallId = text(data.toolCallId);
    const headers = { approvalId: id, state, ...(toolCallId && { toolCallId }) };
    this.change(slot, "tool-approval", data, { headers });
  }

  #other(chunk: Json, type: string) {
    if (type.startsWith("source-")) return void this.say("source", "source", chunk);
    const file = fileIn(chunk, type);
    if (file) return void this.say(type, type, chunk, { file });
    if (!type.startsWith("data-")) return this.pass(type, chunk);
    const isState = this.#change(type.slice("data-".length), chunk);
    if (chunk.transient) return isState ? undefined : this.signal(type, chunk);
    if (chunk.id == null) return this.pass(type, chunk);
    const id = JSON.stringify([type, String(chunk.id)]);
    const slot = this.#data.get(id) ?? { key: this.next(type) };
    this.#data.set(id, slot);
    this.put(slot, type, chunk);
  }

  /** Sets the shared state; says no if it is not to, or if that does not take the value. */
  #change(name: string, { id, data }: Json): boolean {
    if (!this.#state.includes(name)) return false;
    const path = id == null ? [name] : [name, String(id)];
    const op = attempt(() => operation(path, plainOf(data ?? null)));
    if (op) this.state([op]);
    return op !== undefined;
  }

  #beginStep() {
    this.#step = { key: this.next("step"), isLasting: true };
    this.put(this.#step, "step", { state: "started" });
    this.#calls.nextStep();
    this.mark();
  }

  #endStep() {
    this.#step ??= { key: this.next("step"), isLasting: true };
    this.put(this.#step, "step", { state: "finished" });
    this.#step = undefined;
  }

  #resetStep() {
    this.#texts.clear();
    this.#calls.dropStep();
    for (const [id, { key }] of this.#data) if (this.isRecent(key)) this.#data.delete(id);
    for (const [id, { slot }] of this.#approvals) {
      if (this.isRecent(slot.key)) this.#approvals.delete(id);
    }
    this.dropRecent();
  }

  protected override handle(chunk: Json, type: string) {
    const [, family = "", what = ""] =
      /^(text|reasoning|tool-input|tool-output|tool-approval)-(\w+)$/.exec(type) ?? [];
    switch (family && PARTS[family]?.includes(what) ? family : type) {
      case "text":
      case "reasoning":
        return this.#text(chunk, family, what);
      case "tool-input":
        return this.#input(chunk, what);
      case "tool-output":
        return this.#output(chunk, what);
      case "tool-approval":
        return this.#approval(chunk, what === "request" ? "requested" : "responded");
      case "start":
        this.goOn();
        this.usesAnew();
        return this.#respond(
          { state: "started", ...pick(chunk, "messageId") },
          chunk.messageMetadata,
        );
      case "message-metadata":
        return this.#respond({}, chunk.messageMetadata);
      case "finish":
        this.finish();
        return this.#respond(
          { state: "finished", ...pick(chunk, "finishReason") },
          chunk.messageMetadata,
        );
      case "usage":
        // Not of the SDK: `streamToTurn` says what the whole answer has used.
        return this.uses(chunk.usage);
      case "abort":
        this.#respond({ state: "aborted", ...pick(chunk, "reason") }, undefined);
        return this.cancel(text(chunk.reason));
      case "error":
        return this.fail(text(chunk.errorText) || "the stream failed");
      case "start-step":
        this.goOn();
        return this.#beginStep();
      case "finish-step":
        return this.#endStep();
      case "reset-step":
        return this.#resetStep();
      default:
        return this.#other(chunk, type);
    }
  }
}

/** The bytes of a generated file that are too long for a message (P11.7). */
function fileIn(chunk: Json, type: string): Inside | undefined {
  const { url } = chunk;
  const isFile = type === "file" || type === "reasoning-file";
  const body = isFile && isDataUrl(url) && url.length > MOST_DATA && blobOf(url);
  if (!body) return undefined;
  const said = ({ id, url }: SessionFile) => {
    const providerMetadata = { ...fields(chunk.providerMetadata), sessile: { file: id } };
    return { ...chunk, url, providerMetadata };
  };
  return { body, name: "file", said };
}

/** The chunks of each family. */
const PARTS: Record<string, string[]> = {
  text: ["start", "delta", "end"],
  reasoning: ["start", "delta", "end"],
  "tool-input": ["start", "delta", "available", "error"],
  "tool-output": ["available", "error", "denied"],
  "tool-approval": ["request", "response"],
};

/** AI SDK UI message chunks. */
export function aiSdk(options?: AiSdkOptions): Codec<AiSdkChunk> {
  return new AiSdk(options).codec();
}
