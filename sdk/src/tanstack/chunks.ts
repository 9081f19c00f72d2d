// A turn as the AG-UI events that TanStack AI reads: from its beginning, then as it grows. A turn
// is a run. What an agent's codec wrote is translated; what was stored as chunks is passed on.

import { fieldsOf, type Loose, outputOf, present, textOf } from "../ai-sdk/output.ts";
import { isOpen, type Message, type Turn } from "../protocol/index.ts";
import { callOf, isDone } from "./said.ts";
import { coalesced, isTerminal, Lines, STORED } from "./stored.ts";

/** What was told of a message. */
interface Told {
  version: string;
  text: string;
  /** Of a text: the message of the chat that it belongs to. */
  in: string;
  isOver: boolean;
}

/** Names whose text only grows. */
const GROWS = ["message", "reasoning", STORED];
/** What a chat has in order. It comes side by side where an agent is quick, but is told in turn. */
const ORDERED = ["message", "reasoning", "tool-input", "tool-output", "step"];
/** What ends a run is said at its end. */
const SILENT = ["response", "error"];

/** The chunks of one run, each once. What it is shown is the whole turn, again and again. */
export class RunChunks {
  readonly #thread: string;
  readonly #run: string;
  readonly #told = new Map<string, Told>();
  readonly #lines = new Lines();
  #hasBegun = false;
  /** The chat's message that is being written, and how many there were. */
  #count = 0;
  #isShown = false;
  /** Whether it has a text that another one would be taken for the end of. */
  #hasText = false;
  #finishReason: unknown;
  #isStoredWhole = false;
  /** Whether the last chunk was given. */
  isEnded = false;

  constructor(thread: string, run: string) {
    this.#thread = thread;
    this.#run = run;
  }

  /** What is new; nothing that can be said if what was told is not so any more (P6.8). */
  next(messages: readonly Message[], turn: Turn | undefined): Loose[] | undefined {
    if (this.isEnded) return [];
    const output = outputOf(messages, this.#run);
    if (this.#isRewritten(output)) return undefined;
    const chunks: Loose[] = [];
    if (!this.#hasBegun) chunks.push({ type: "RUN_STARTED", ...this.#ids() });
    this.#hasBegun = true;
    let isHeld = false;
    for (const message of output) {
      const { serial, version, name } = message;
      const told = this.#told.get(serial);
      const isOver = isDone(message);
      const isNews = told?.version !== version && !(isHeld && ORDERED.includes(name));
      isHeld ||= ORDERED.includes(name) && !isOver;
      if (!isNews) continue;
      const said = this.#say(message, told, turn);
      if (!said) return undefined;
      chunks.push(...said);
      const text = textOf(message);
      this.#told.set(serial, { version, text, in: told?.in ?? this.#id(), isOver });
    }
    if (turn && !isOpen(turn)) {
      this.isEnded = true;
      if (!this.#isStoredWhole) chunks.push(this.#end(turn));
    }
    return chunks;
  }

  #ids(): Record<string, unknown> {
    return { threadId: this.#thread, runId: this.#run };
  }

  /** One message of the chat holds a whole turn, as long as its parts can be told apart. */
  #id(): string {
    return this.#count === 0 ? this.#run : `${this.#run}/${this.#count}`;
  }

  #isRewritten(output: readonly Message[]): boolean {
    const held = new Map(output.map((message) => [message.serial, message]));
    return [...this.#told].some(([serial, { version, text }]) => {
      const message = held.get(serial);
      if (!message || message.version === version) return !message;
      return GROWS.includes(message.name) && !textOf(message).startsWith(text);
    });
  }

  #say(message: Message, told: Told | undefined, turn: Turn | undefined): Loose[] | undefined {
    const { name, data } = message;
    const delta = textOf(message).slice(told?.text.length ?? 0);
    switch (name) {
      case "message":
        return this.#sayText(message, told, delta);
      case "reasoning":
        return this.#sayReasoning(message, told, delta);
      case "tool-input":
        return this.#sayCall(message, told, delta);
      case "tool-output":
        return resultOf(message);
      case STORED:
        return this.#passOn(message, turn);
      case "step": {
        const stepName = `step ${message.serial}`;
        return [
          ...(told ? [] : [{ type: "STEP_STARTED", stepName }]),
          ...(fieldsOf(data).state === "finished" ? [{ type: "STEP_FINISHED", stepName }] : []),
        ];
      }
      default:
        if (name === "response") {
          this.#finishReason = fieldsOf(data).finishReason ?? this.#finishReason;
        }
        return SILENT.includes(name) ? [] : [{ type: "CUSTOM", name, value: data }];
    }
  }

  #sayText(message: Message, told: Told | undefined, delta: string): Loose[] {
    const chunks = told ? [] : this.#open(true);
    const messageId = told?.in ?? this.#id();
    if (delta) chunks.push({ type: "TEXT_MESSAGE_CONTENT", messageId, delta });
    if (isDone(message)) chunks.push({ type: "TEXT_MESSAGE_END", messageId });
    return chunks;
  }

  #sayReasoning(message: Message, told: Told | undefined, delta: string): Loose[] {
    const { serial: messageId } = message;
    const chunks = told ? [] : this.#open(false);
    if (!told) {
      // Without a step of its own it would be taken for more of the one before.
      chunks.push({ type: "STEP_STARTED", stepName: messageId });
      chunks.push({ type: "REASONING_START", messageId });
      chunks.push({ type: "REASONING_MESSAGE_START", messageId, role: "reasoning" });
    }
    if (delta) chunks.push({ type: "REASONING_MESSAGE_CONTENT", messageId, delta });
    if (isDone(message)) {
      chunks.push({ type: "REASONING_MESSAGE_END", messageId });
      chunks.push({ type: "REASONING_END", messageId });
      chunks.push({ type: "STEP_FINISHED", stepName: messageId });
    }
    return chunks;
  }

  #sayCall(message: Message, told: Told | undefined, delta: string): Loose[] | undefined {
    const { toolCallId, toolName } = callOf(message);
    const chunks: Loose[] = [];
    // The end of its text, and that it stands for a value, may come one after the other.
    if (told?.isOver) return chunks;
    if (!told) {
      chunks.push(...this.#open(false, true));
      const parentMessageId = this.#id();
      chunks.push({ type: "TOOL_CALL_START", toolCallId, toolCallName: toolName, parentMessageId });
    }
    if (!isDone(message)) {
      if (delta) chunks.push({ type: "TOOL_CALL_ARGS", toolCallId, delta });
      return chunks;
    }
    const rest = restOfJson(told?.text ?? "", message.data);
    if (rest === undefined) return undefined;
    if (rest) chunks.push({ type: "TOOL_CALL_ARGS", toolCallId, delta: rest });
    chunks.push({ type: "TOOL_CALL_END", toolCallId, input: inputOf(message.data) });
    return chunks;
  }

  /** Begins a part of the chat's message, or another message where parts would flow together. */
  #open(isText: boolean, isCall = false): Loose[] {
    if (this.#hasText && !isCall) {
      this.#count += 1;
      this.#isShown = false;
    }
    this.#hasText = isText;
    if (this.#isShown && !isText) return [];
    this.#isShown = true;
    const messageId = this.#id();
    const start = { type: "TEXT_MESSAGE_START", messageId, role: "assistant" };
    return isText ? [start] : [start, { type: "TEXT_MESSAGE_END", messageId }];
  }

  #passOn(message: Message, turn: Turn | undefined): Loose[] {
    const chunks: Loose[] = [];
    for (const { chunk } of this.#lines.next([message])) {
      const isOfRun = chunk.type.startsWith("RUN_");
      // A producer that was cancelled stops with an error; what it was, the turn's end says.
      if (chunk.type === "RUN_ERROR" && turn?.cancel) continue;
      if (isOfRun) this.#isStoredWhole = isTerminal(chunk);
      chunks.push(isOfRun ? { ...chunk, runId: this.#run } : chunk);
    }
    return coalesced(chunks);
  }

  #end({ status, reason, error }: Turn): Loose {
    if (status === "failed") {
      const { message, code } = fieldsOf(error);
      const said = String(message ?? reason ?? "the answer failed");
      return present({ type: "RUN_ERROR", message: said, code: code ?? reason, ...this.#ids() });
    }
    const isCancelled = status === "cancelled";
    const outcome = { type: isCancelled ? "cancelled" : "success" };
    const finishReason = isCancelled ? undefined : reasonOf(this.#finishReason);
    return present({ type: "RUN_FINISHED", ...this.#ids(), outcome, finishReason });
  }
}

/** Why an answer ended. A call that the page is to make is no reason to wait for more chunks. */
function reasonOf(reason: unknown): string {
  if (reason === "length") return reason;
  return reason === "content-filter" ? "content_filter" : "stop";
}

/** What came of a call. */
export function resultOf({ serial, data, headers = {} }: Message): Loose[] {
  const { toolCallId, state = "" } = headers;
  if (state === "preliminary") return [];
  const isBad = ["error", "input-error", "denied"].includes(state);
  const value = isBad ? { error: data === null ? "denied" : String(data) } : data;
  const content = typeof value === "string" ? value : JSON.stringify(value ?? null);
  const chunk = { type: "TOOL_CALL_RESULT", messageId: serial, toolCallId, role: "tool", content };
  return [isBad ? { ...chunk, state: "output-error" } : chunk];
}

/** What an input is; the text of one may not have been replaced by it yet. */
function inputOf(data: unknown): unknown {
  try {
    return typeof data === "string" ? JSON.parse(data) : data;
  } catch {
    return data;
  }
}

/**
 * What is still to be said so that JSON of which `told` was said stands for `data`; nothing if
 * it cannot. Spaces between its tokens do not matter.
 */
export function restOfJson(told: string, data: unknown): string | undefined {
  const isText = typeof data === "string" && inputOf(data) !== data;
  if (isText && data.startsWith(told)) return data.slice(told.length);
  const whole = JSON.stringify(data ?? null);
  const plain = told.replace(/("(?:[^"\\]|\\.)*(?:"|$))|\s+/gs, (_, text) => text ?? "");
  if (whole.startsWith(plain)) return whole.slice(plain.length);
  return JSON.stringify(inputOf(told)) === whole ? "" : undefined;
}
