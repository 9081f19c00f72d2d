// The events of an OpenAI Responses stream, including those of gateways: content that appears only
// in `output_item.done`, or in the whole response, is taken from there. Nothing is written twice.

import { Calls } from "./calls.ts";
import { Draft, type Slot } from "./draft.ts";
import { type Item, Items, type Part } from "./openai-items.ts";
import {
  ANSWER,
  INPUTS,
  inputOf,
  type Kind,
  keyOf,
  OWN,
  outputOf,
  PLAIN,
  SUMMARY,
  TEXTS,
} from "./openai-kinds.ts";
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
import { hash, Sequence } from "./sequence.ts";

/** Any event; unknown ones pass through. */
export interface OpenAiEvent {
  readonly type: string;
}

/** The fields of a response that readers get; instructions and tools concern only the agent. */
const TOLD = ["id", "model", "status", "usage", "error", "incomplete_details"];
/** The statuses that end a response, the worst first. */
const ENDS = ["failed", "cancelled", "incomplete", "completed"];
/** Events about the whole response; the second group ends it. */
const STATES =
  /^response\.(created|queued|in_progress|(completed|incomplete|failed|cancelled|done))$/;

/**
 * The status of a response. Gateways may repeat that of the beginning at the end, so the worst one
 * counts.
 */
function statusOf(status: string, state: string, isEnd: boolean): string {
  if (!isEnd) return status || (state === "queued" ? state : "in_progress");
  return ENDS.find((one) => one === status || one === state) ?? "completed";
}

class OpenAi extends Draft {
  protected override readonly lastWord =
    "`response.completed`, `response.incomplete` or `response.failed`";
  readonly #calls = new Calls(this);
  readonly #items = new Items();
  readonly #sequence = new Sequence();
  #response: Slot | undefined;
  #said: Record<string, unknown> = {};
  /** Whether the response has ended, and all of it is written. */
  #isOver = false;

  /** Adds to a text, and opens it with its first piece. */
  #grow(event: Json, kind: Kind, piece: string, isBegin = false) {
    const item = this.#items.of(event, kind.item);
    const at = this.#partId(event, kind);
    let part = item.parts.get(at);
    if (isBegin ? part : part && this.isOpen(part.key)) {
      if (part) this.append(part.key, piece);
      return part;
    }
    if (piece === "" && !isBegin) return part;
    const headers = item.id ? { part: item.id } : {};
    const key = this.open(this.next(keyOf(kind)), kind.name, piece, headers);
    part = { key, annotations: 0 };
    item.parts.set(at, part);
    return part;
  }

  #partId(event: Json, { name, place }: Kind): string {
    return `${name} ${place} ${event[`${place}_index`] ?? 0}`;
  }

  /** Ends a text, or writes it as a whole if none of it was streamed. */
  #whole(item: Item, at: string, kind: Kind, whole: unknown, annotations: unknown) {
    const said = text(whole);
    let part = item.parts.get(at);
    if (part) this.#close(part, said);
    else if (said === "" || this.#isTold(item, said)) return;
    else {
      const headers = item.id ? { part: item.id } : {};
      const key = this.say(keyOf(kind), kind.name, said, { headers });
      part = { key, annotations: 0, said: hash(said) };
      item.parts.set(at, part);
    }
    for (const one of listed(annotations).slice(part.annotations)) {
      this.say("source", "source", one, { of: part.key });
      part.annotations += 1;
    }
  }

  /** Ends a text. An empty final text does not replace the streamed one. */
  #close(part: Part, whole = "") {
    if (!this.isOpen(part.key)) return;
    part.said = hash(whole || this.text(part.key));
    this.close(part.key, whole === "" ? undefined : whole);
  }

  /** Whether another part has the same text: providers count parts in different ways. */
  #isTold(item: Item, said: string): boolean {
    const isIt = ({ key, said: told }: Part) => told === hash(said) || this.text(key) === said;
    return [...item.parts.values()].some(isIt);
  }

  /** Writes the parts of a finished item. */
  #parts(item: Item, it: Json) {
    for (const place of ["summary", "content"] as const) {
      listed(it[place]).forEach((one, index) => {
        const part = fields(one);
        const kind = TEXTS[text(part.type)];
        if (!kind) return;
        const at = this.#partId({ [`${place}_index`]: index }, { ...kind, place });
        this.#whole(item, at, { ...kind, place }, part[kind.field], part.annotations);
      });
    }
    for (const part of item.parts.values()) this.#close(part);
  }

  #annotate(event: Json) {
    const part = this.#grow(event, ANSWER, "", true);
    if (!part) return;
    part.annotations += 1;
    this.say("source", "source", event.annotation, { of: part.key });
  }

  /** The call of an item, begun once its id and tool are known. */
  #call(item: Item, it: Json) {
    const { type, held } = item;
    const part = item.id || text(it.id);
    const name = text(it.name) || item.name;
    item.call ??= this.#calls.begin(text(it.call_id) || part, {
      toolName: name || type,
      ...(part && { part }),
      ...(!OWN.includes(type) && { providerExecuted: "true" }),
    });
    if (name) this.#calls.describe(item.call, { toolName: name });
    this.#calls.stream(item.call, held);
    item.held = "";
    return item.call;
  }

  #input(event: Json, type: string, isDone: boolean) {
    const item = this.#items.of(event, type);
    const callId = text(event.call_id);
    if (!item.call && !(callId && text(event.name))) {
      // An event that names the call may follow.
      const whole = event.arguments ?? event.input ?? event.code;
      item.name ||= text(event.name);
      item.held = isDone ? text(whole) || item.held : item.held + text(event.delta);
      return;
    }
    const call = item.call ?? this.#call(item, event);
    if (!isDone) return this.#calls.stream(call, text(event.delta));
    this.#tellInput(item, inputOf(event, type));
  }

  #tellInput(item: Item, whole: unknown) {
    const { call, type } = item;
    if (!call || call.isTold) return;
    const came = this.text(call.input);
    const isSaid = whole !== undefined && whole !== "";
    const streamed = PLAIN.includes(type) ? came : came === "" ? {} : parsed(came);
    this.#calls.tell(call, isSaid ? whole : streamed);
    // The agent runs it, so its output is seldom in this stream.
    if (OWN.includes(type)) this.#calls.settle(call);
  }

  #callItem(item: Item, it: Json, isDone: boolean) {
    const call = this.#call(item, it);
    if (!isDone) return;
    const input = inputOf(it, item.type);
    const isBroken = it.status === "incomplete" && typeof (input ?? "") === "string";
    if (isBroken && !call.isTold) this.#calls.breakOff(call);
    else this.#tellInput(item, input);
    if (OWN.includes(item.type) || item.isDone) return;
    const isBad = it.status === "failed" || Boolean(it.error);
    const headers = { providerExecuted: "true" };
    this.#calls.answer(call, outputOf(it), isBad ? "error" : "available", headers);
  }

  #item(item: Item, it: Json, isDone: boolean) {
    const { type } = item;
    if (type === "message" || type === "reasoning") {
      if (isDone) this.#parts(item, it);
    } else if (type.endsWith("_call")) this.#callItem(item, it, isDone);
    else if (type.endsWith("_call_output")) {
      const id = text(it.call_id);
      const call = this.#calls.latest(id) ?? this.#calls.begin(id);
      if (isDone && !item.isDone) this.#calls.answer(call, it.output ?? it, "available");
    } else {
      item.slot ??= { key: this.next(type || "item") };
      this.change(item.slot, type || "item", it);
    }
    item.isDone ||= isDone;
  }

  #respond(event: Json, state: string, isEnd: boolean) {
    const is = fields(event.response);
    const status = statusOf(text(is.status), state, isEnd);
    if (isEnd && !this.#isOver) {
      const output = listed(is.output).map(fields);
      this.#items.match(output).forEach((item, at) => {
        if (item) this.#item(item, output[at] ?? {}, true);
      });
      this.#isOver = true;
    }
    const isGood = isEnd && (status === "completed" || status === "incomplete");
    const finishReason = isGood ? this.#finishReason(status, is) : undefined;
    if (isGood) this.settle();
    this.#said = {
      ...this.#said,
      ...pick(is, ...TOLD),
      status,
      state: isEnd ? "finished" : "started",
      ...(finishReason && { finishReason }),
    };
    this.#response ??= { key: this.next("response") };
    this.change(this.#response, "response", this.#said);
    this.uses(is.usage);
    if (!isEnd) return;
    if (status === "cancelled") this.cancel("the provider cancelled the response");
    else if (isGood) this.finish();
    else this.fail(reasonOf(is.error ?? event.error, "the response failed"));
  }

  /** The reason of its end, in words common to all providers. */
  #finishReason(status: string, is: Json): string {
    const { reason } = fields(is.incomplete_details);
    if (status === "completed") {
      const isOwn = ({ type, call }: Item) => call !== undefined && OWN.includes(type);
      return this.#items.all.some(isOwn) ? "tool-calls" : "stop";
    }
    if (reason === "content_filter") return "content-filter";
    return reason === "max_output_tokens" ? "length" : "other";
  }

  #isOther(id: string): boolean {
    const { id: before } = this.#said;
    return id === "" ? this.#isOver : before !== undefined && before !== id;
  }

  /** Another response begins in the same stream. */
  #again() {
    this.goOn();
    this.usesAnew();
    this.#items.clear();
    this.#isOver = false;
    this.#response = undefined;
    this.#said = {};
    this.#sequence.restart();
  }

  /** Ends the items that the response left open; calls fail if their input is incomplete. */
  protected override settle() {
    for (const item of this.#items.all) {
      for (const part of item.parts.values()) this.#close(part);
      if (!item.call && item.held !== "") this.#call(item, { id: item.id });
      const { call, type } = item;
      if (!call || call.isTold) continue;
      const came = this.text(call.input);
      const isWhole = PLAIN.includes(type) || parsed(came) !== came;
      if (isWhole) this.#tellInput(item, undefined);
      else this.#calls.breakOff(call);
    }
  }

  protected override handle(event: Json, type: string) {
    const { response, error } = event;
    const id = text(fields(response).id);
    if (type === "response.created" && this.#isOther(id)) this.#again();
    if (this.#sequence.isRepeat(event)) return;
    if (type === "error" || (type === "" && error)) {
      return this.fail(reasonOf(error ?? event, "the stream failed"));
    }
    // The provider sent a whole response instead of a stream.
    if (type === "" && event.object === "response") {
      return this.#respond({ response: event }, text(event.status) || "completed", true);
    }
    if (type === "keepalive" || type === "ping") return;
    const [, state, end] = STATES.exec(type) ?? [];
    if (state) return this.#respond(event, state, end !== undefined);
    this.#part(event, type);
  }

  #part(event: Json, type: string) {
    const [, what = "", verb] = /^response\.(\w+(?:\.annotation)?)\.(\w+)$/.exec(type) ?? [];
    const isDone = verb === "done";
    const kind = TEXTS[what];
    const input = INPUTS[what];
    // An item that begins after the end belongs to another response; one that only ends was late.
    if (this.#isOver && (type === "response.output_item.added" || verb === "delta")) this.#again();
    if (what === "output_item" && (isDone || verb === "added")) {
      this.#item(this.#items.placed(event, isDone), fields(event.item), isDone);
    } else if (what === "output_text.annotation") this.#annotate(event);
    else if (what === "content_part" || what === "reasoning_summary_part") {
      this.#structure(event, type, what, isDone);
    } else if (kind && isDone) this.#done(event, kind, event[kind.field]);
    else if (kind && verb === "delta") {
      this.#grow(event, kind, text(event.delta) || text(fields(event.delta).text));
    } else if (input && (isDone || verb === "delta")) this.#input(event, input, isDone);
    else this.pass(type, event);
  }

  #done(event: Json, kind: Kind, whole: unknown, annotations?: unknown) {
    const item = this.#items.of(event, kind.item);
    this.#whole(item, this.#partId(event, kind), kind, whole, annotations);
  }

  /** Events that mark the beginning and the end of a text, perhaps once more. */
  #structure(event: Json, type: string, what: string, isDone: boolean) {
    const part = fields(event.part);
    const isSummary = what === "reasoning_summary_part";
    const kind = isSummary ? SUMMARY : TEXTS[text(part.type)];
    if (!kind) return this.pass(type, event);
    if (isDone) this.#done(event, kind, part[kind.field], part.annotations);
    else if (kind === ANSWER) this.#grow(event, kind, "", true);
  }
}

/** OpenAI Responses events. */
export function openAi(options?: CodecOptions): Codec<OpenAiEvent> {
  return new OpenAi(options).codec();
}
