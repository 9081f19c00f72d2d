// AG-UI events, as streamed by `chat()` of TanStack AI. They become the same messages as those of
// every other codec, so that any reader understands the answer; `sessile/tanstack` turns them back
// into events.

import { type Call, Calls } from "./calls.ts";
import { Draft, type Slot } from "./draft.ts";
import {
  type Codec,
  type CodecOptions,
  fields,
  type Json,
  jsonOf,
  listed,
  parsed,
  pick,
  reasonOf,
  text,
} from "./operation.ts";
import { StateDraft, type StateOptions } from "./tree.ts";

/** Any event; unknown ones pass through. */
export interface AgUiEvent {
  readonly type: string;
}

export interface AgUiOptions extends CodecOptions {
  /**
   * The place of the agent's state in the session's tree, which `STATE_SNAPSHOT` sets and
   * `STATE_DELTA` changes: by default the root. With `false` these events are messages.
   */
  state?: StateOptions | false;
}

/** Events that add nothing to the messages or the session. */
const SILENT = [
  "STEP_STARTED",
  "STEP_FINISHED",
  "REASONING_START",
  "REASONING_END",
  "MESSAGES_SNAPSHOT",
];

/** Names of messages that a custom event must not use. */
const TAKEN = /^(message|reasoning|tool-.*|step|response|error|notes|steer|source|regenerate)$/;

class AgUi extends Draft {
  protected override readonly lastWord = "`RUN_FINISHED` or `RUN_ERROR`";
  readonly #calls = new Calls(this);
  /** The keys of growing texts, by kind and id. */
  readonly #texts = new Map<string, string>();
  readonly #requests = new Set<string>();
  #response: Slot | undefined;
  #said: Record<string, unknown> = {};
  readonly #state: StateDraft | undefined;

  constructor({ state = {}, ...options }: AgUiOptions = {}) {
    super(options);
    if (state) this.#state = new StateDraft(state);
  }

  #respond(data: Record<string, unknown>) {
    this.#said = { ...this.#said, ...data };
    this.#response ??= { key: this.next("response"), isLasting: true };
    this.change(this.#response, "response", this.#said);
  }

  /** Text and reasoning, which differ only in their names. */
  #text(event: Json, name: string, what: string) {
    const id = `${name}:${text(event.messageId)}`;
    let key = this.#texts.get(id);
    if (what === "END" && key === undefined) return;
    if (what === "START" || key === undefined) {
      this.goOn();
      // A repeated id begins another text, and ends the one before.
      if (key !== undefined) this.close(key);
      key = this.open(this.next(name === "message" ? "text" : name), name);
      this.#texts.set(id, key);
    }
    this.append(key, text(event.delta));
    if (what !== "END") return;
    this.close(key);
    this.#texts.delete(id);
  }

  #call(event: Json, what: string) {
    const id = text(event.toolCallId);
    if (what === "START") {
      this.goOn();
      const toolName = text(event.toolCallName) || text(event.toolName);
      const call = this.#calls.begin(id, toolName ? { toolName } : {});
      this.#note(call, event);
      this.#calls.stream(call, "");
      return;
    }
    const call = this.#calls.latest(id) ?? this.#calls.begin(id);
    if (what === "RESULT") return this.#result(call, event);
    if (what === "ARGS") return this.#calls.stream(call, text(event.delta));
    this.#note(call, event);
    const said = this.text(call.input);
    this.#calls.tell(call, event.input ?? (said ? parsed(said) : {}));
  }

  /** Keeps the metadata that the provider needs again with a call. */
  #note(call: Call, event: Json) {
    const { providerMetadata, providerExecuted } = fields(event.metadata);
    const more = {
      ...(providerMetadata !== undefined && { providerMetadata: jsonOf(providerMetadata) ?? "" }),
      ...(providerExecuted === true && { providerExecuted: "true" }),
    };
    if (Object.keys(more).length > 0) this.#calls.describe(call, more);
  }

  #result(call: Call, { content, state, metadata }: Json) {
    const how = state ?? fields(fields(metadata).tanstack).state;
    const output = parsed(text(content));
    const isBad = how === "output-error" || how === "error";
    const said = isBad ? reasonOf(output, text(content) || "the tool failed") : output;
    this.#calls.answer(call, said, isBad ? "error" : "available");
  }

  /** Keeps a signature that the provider needs again with its reasoning or a call. */
  #seal({ subtype, entityId, encryptedValue }: Json) {
    const signature = text(encryptedValue);
    if (subtype !== "tool-call") {
      const key = this.#texts.get(`reasoning:${text(entityId)}`);
      if (key !== undefined) this.describe(key, { signature });
      return;
    }
    const call = this.#calls.latest(text(entityId));
    const metadata = jsonOf({ google: { thoughtSignature: signature } });
    if (call && metadata) this.#calls.describe(call, { providerMetadata: metadata });
  }

  #custom(event: Json) {
    const name = text(event.name);
    const value = fields(event.value);
    // The end of the turn shows which calls are left to the page.
    if (name === "tool-input-available") return;
    if (name !== "approval-requested") {
      return TAKEN.test(name) ? this.pass("custom", event) : this.pass(name, event.value);
    }
    this.#request(text(fields(value.approval).id), text(value.toolCallId));
  }

  /** A question to a person: asked by an event of its own, at the run's end, or by both. */
  #request(approvalId: string, toolCallId: string) {
    if (this.#requests.has(approvalId)) return;
    this.#requests.add(approvalId);
    const headers = { approvalId, state: "requested", toolCallId };
    this.say("tool-approval", "tool-approval", { approvalId, toolCallId }, { headers });
  }

  #finish(event: Json) {
    const { finishReason = fields(fields(event.metadata).tanstack).finishReason, outcome } = event;
    // The run ended with a question for the page.
    const asks = fields(outcome).type === "interrupt" && { outcome };
    for (const one of listed(fields(outcome).interrupts)) {
      const { id, toolCallId, metadata } = fields(one);
      if (fields(metadata).kind === "approval") this.#request(text(id), text(toolCallId));
    }
    this.finish();
    this.uses(event.usage);
    this.#respond({ state: "finished", ...pick({ finishReason }, "finishReason"), ...asks });
  }

  /** A change that the session's tree does not take is a message. */
  #change(event: Json, type: string) {
    const { snapshot, delta } = event;
    const isWhole = type === "STATE_SNAPSHOT";
    const ops = isWhole ? this.#state?.snapshot(snapshot) : this.#state?.patch(delta);
    if (ops) this.state(ops);
    else this.pass(type, event);
  }

  protected override handle(event: Json, type: string) {
    const [, family = "", what = ""] =
      /^(TEXT_MESSAGE|REASONING_MESSAGE|TOOL_CALL)_(START|CONTENT|ARGS|END|RESULT)$/.exec(type) ??
      [];
    switch (family || type) {
      case "TEXT_MESSAGE":
        return this.#text(event, "message", what);
      case "REASONING_MESSAGE":
        return this.#text(event, "reasoning", what);
      case "TOOL_CALL":
        return this.#call(event, what);
      case "REASONING_ENCRYPTED_VALUE":
        return this.#seal(event);
      case "CUSTOM":
        return this.#custom(event);
      case "STATE_SNAPSHOT":
      case "STATE_DELTA":
        return this.#change(event, type);
      case "RUN_STARTED":
        this.goOn();
        this.usesAnew();
        return this.#respond({ state: "started" });
      case "RUN_FINISHED":
        return this.#finish(event);
      case "RUN_ERROR":
        this.uses(event.usage);
        return this.fail(reasonOf(event, "the run failed"));
      default:
        if (!SILENT.includes(type)) this.pass(type, event);
    }
  }
}

/** AG-UI events: `turn.stream(chat({ … }), agUi())`. */
export function agUi(options?: AgUiOptions): Codec<AgUiEvent> {
  return new AgUi(options).codec();
}
