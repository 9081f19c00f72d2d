// A turn as a run of AG-UI events, which TanStack AI reads: replayed from its beginning, then live.

import type { Answers } from "../answer/answers.ts";
import { fieldsOf, type Loose, present, textOf } from "../answer/fields.ts";
import { callFieldsIn } from "../answer/reading.ts";
import { isWaiting } from "../answer/settled.ts";
import {
  DECIDED,
  isOpen,
  type Message,
  NOTES,
  STEER,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
  type Turn,
} from "../protocol/index.ts";
import { Ends } from "./ends.ts";
import {
  asked,
  begunThinking,
  endedThinking,
  errorOf,
  reasonOf,
  requestOf,
  resultOf,
  sealed,
  sealOf,
} from "./events.ts";
import { inputOf, restOfJson } from "./json.ts";

/** The part of a message that was emitted. */
interface Told {
  version: string;
  /** The emitted text, and the chat's message that it belongs to. */
  text: string;
  in: string | undefined;
  /** The final value, once emitted. */
  end: string | undefined;
}

/** A run to emit. */
export interface Wanted {
  thread: string;
  /** The id of the turn. */
  run: string;
  /** The answer that the turn continues, if it is not the first of it. */
  answer?: string;
  /** Whether to emit the answer's earlier turns, too, which most pages have already. */
  isWhole?: boolean;
  /** Whether the client knows that the run has begun. */
  isAgain?: boolean;
  /** Whether to ask the page for the outputs of its own calls. */
  asksPage?: boolean;
}

/** Names of messages whose text only grows. */
const GROWS = ["message", "reasoning"];
/** Names of messages without an event; the end of the run reports errors. */
const SILENT = ["response", "error", STEER, NOTES];

/** Emits the chunks of one run, each once. `next` takes the whole answer at each call. */
export class RunChunks {
  readonly #wanted: Wanted;
  readonly #told = new Map<string, Told>();
  /** Calls whose input has begun. */
  readonly #calls = new Set<string>();
  readonly #ends = new Ends();
  #hasBegun: boolean;
  /** Whether the current messages belong to an earlier turn, which is not emitted. */
  #isSilent = false;
  /** The number of the chat's messages begun so far, and whether the current one is shown. */
  #count = 0;
  #isShown = false;
  /** Whether it has a text, to which the client would append the next one. */
  #hasText = false;
  /** The open step, and the version that finished it. */
  #step: { name: string; finished: string | undefined } | undefined;
  #finishReason: unknown;
  /** The outcome of a run that ends with a question to the page. */
  #outcome: unknown;
  /** The number of the run: the first has the turn's id, later ones an id of their own. */
  #round = 1;
  /** Whether the turn waits, and may continue. */
  isPaused = false;
  /** Whether the last chunk was emitted, finally or until the turn continues. */
  isEnded = false;
  /** Whether emitted content was withdrawn (P6.8), which no chunk can express. */
  isStale = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#hasBegun = wanted.isAgain === true;
  }

  /** Returns the new chunks. `messages` are those of the answer up to the end of this turn. */
  next(messages: readonly Message[], turn: Turn | undefined, answers: Answers): Loose[] {
    const chunks: Loose[] = [];
    if (this.isEnded) return chunks;
    const isPause = turn !== undefined && isWaiting(turn, messages);
    const add = (more: readonly Loose[]) => {
      for (const chunk of this.#isSilent ? [] : more) this.#ends.take(chunk);
      if (!this.#isSilent) chunks.push(...more);
    };
    if (!this.#hasBegun) {
      const parent = this.#round > 1 && { parentRunId: this.#wanted.run };
      chunks.push({ type: "RUN_STARTED", ...this.#ids(), ...parent });
    }
    this.#hasBegun = true;
    const isClosed = turn !== undefined && (isPause || !isOpen(turn));
    // An emitted message is missing: it was withdrawn.
    this.isStale = messages.filter(({ serial }) => this.#told.has(serial)).length < this.#told.size;
    if (this.isStale) return chunks;
    let isHeld = false;
    for (const message of messages) {
      const told = this.#told.get(message.serial);
      const isOwn = message.turn === this.#wanted.run;
      const isOver = !isOwn || isClosed || hasEnded(message);
      const isKnown = told?.version === message.version && (told.end !== undefined || !isOver);
      if (!isKnown && !(isHeld && !told)) {
        if (!told) this.#enter(isOwn, add);
        if (!told && this.#isFinishedBefore(message.serial)) add(this.#finishStep());
        const said = this.#say(message, told, isOver, answers);
        if (told && (!said || isOther(message, told))) this.isStale = true;
        if (this.isStale) return chunks;
        add(said ?? []);
      }
      isHeld ||= !isOver;
    }
    if (!isHeld && this.#isFinishedBefore()) add(this.#finishStep());
    if (isClosed) this.#close(turn, messages, answers, add);
    this.isPaused = isPause;
    return chunks;
  }

  /** Whether a paused turn has continued, so that its next run follows. */
  resumes({ status }: Turn, messages: readonly Message[]): boolean {
    const isStill = status === "suspended" && messages.every((message) => this.has(message));
    if (!this.isPaused || isStill || status === "queued") return false;
    this.isEnded = this.isPaused = false;
    this.#hasBegun = false;
    this.#isShown = false;
    this.#round += 1;
    this.#finishReason = undefined;
    this.#outcome = undefined;
    return true;
  }

  /** Whether a message was emitted. */
  has({ serial }: Message): boolean {
    return this.#told.has(serial);
  }

  /** Ends the run here, since a snapshot has the rest: closes open parts, and a finished run. */
  leave(turn: Turn | undefined): Loose[] {
    const ends = this.#ends.all();
    this.isEnded = true;
    if (!turn || isOpen(turn)) return ends;
    return [...ends, ...(turn.status === "failed" ? this.#show() : []), this.#end(turn)];
  }

  /** Begins to emit when the messages of the turn itself begin. */
  #enter(isOwn: boolean, add: (chunks: Loose[]) => void): void {
    const isSilent = !isOwn && !this.#wanted.isWhole;
    if (isSilent === this.#isSilent) return;
    if (!isSilent) {
      add(this.#finishStep());
      this.#isShown = false;
    }
    this.#isSilent = isSilent;
  }

  #close(
    turn: Turn,
    messages: readonly Message[],
    answers: Answers,
    add: (chunks: Loose[]) => void,
  ): void {
    this.isEnded = true;
    this.#isSilent = false;
    const { status } = turn;
    const isAsking = this.#wanted.asksPage && status === "complete";
    if (isAsking) add(this.#askPage(messages, answers));
    // Without a message, the client would create one for the error, with an id of its own.
    if (status === "failed" && !this.#isShown) add(this.#show());
    add(this.#ends.all());
    add([this.#end(turn)]);
  }

  #ids(): Record<string, unknown> {
    const { thread: threadId, run } = this.#wanted;
    return { threadId, runId: runName(run, this.#round) };
  }

  /** One message of the chat holds a whole answer, unless two of its texts would be joined. */
  #id(): string {
    const { run, answer = run } = this.#wanted;
    return this.#count === 0 ? answer : `${answer}/${this.#count}`;
  }

  /** Records a message as emitted and returns its chunks; `undefined` if none can express it. */
  #say(
    message: Message,
    told: Told | undefined,
    isOver: boolean,
    answers: Answers,
  ): Loose[] | undefined {
    const { serial, version } = message;
    const now = { version, text: told?.text ?? "", in: told?.in, end: told?.end };
    this.#told.set(serial, now);
    switch (message.name) {
      case "message":
      case "reasoning":
        return this.#sayText(message, now, isOver, answers);
      case "tool-input":
        return this.#sayCall(message, now, isOver, answers);
      case TOOL_OUTPUT: {
        const said = isOver ? resultOf(message, answers) : [];
        if (said.length === 0) return said;
        const end = String(said[0]?.content);
        const isSame = now.end === end;
        now.end = end;
        return isSame ? [] : said;
      }
      case "step":
        return this.#sayStep(message, now);
      default:
        return this.#sayOther(message, now, isOver, answers);
    }
  }

  #sayText(message: Message, now: Told, isOver: boolean, answers: Answers): Loose[] | undefined {
    const isReasoning = message.name === "reasoning";
    const text = textOf(message);
    const delta = text.slice(now.text.length);
    const { providerMetadata, citations, signature } = isOver ? answers.fields(message) : {};
    const metadata = present({ providerMetadata, citations });
    const end = JSON.stringify([metadata, signature]);
    if (now.end !== undefined) return delta || now.end !== end ? undefined : [];
    const seal = isReasoning && isOver ? (signature ?? sealOf(providerMetadata)) : undefined;
    const chunks: Loose[] = [];
    // An empty text makes no part.
    if (now.in === undefined && (delta || seal !== undefined)) {
      chunks.push(...this.#open(!isReasoning));
      now.in = isReasoning ? message.serial : this.#id();
      if (isReasoning) chunks.push(...begunThinking(now.in));
    }
    const { in: messageId } = now;
    now.text = text;
    if (isOver) now.end = end;
    if (messageId === undefined) return chunks;
    const kind = isReasoning ? "REASONING_MESSAGE" : "TEXT_MESSAGE";
    if (delta) chunks.push({ type: `${kind}_CONTENT`, messageId, delta });
    if (!isOver) return chunks;
    const hasMetadata = Object.keys(metadata).length > 0;
    if (isReasoning) chunks.push(...endedThinking(messageId, seal, metadata));
    else chunks.push({ type: `${kind}_END`, messageId, ...(hasMetadata && { metadata }) });
    return chunks;
  }

  #sayCall(message: Message, now: Told, isOver: boolean, answers: Answers): Loose[] | undefined {
    const { status, data } = message;
    const fields = callFieldsIn(answers.headers(message));
    const toolCallId = now.in ?? answers.call(message)?.id ?? message.serial;
    now.in = toolCallId;
    const isBroken = isOver && answers.isBrokenOff(message);
    const value = inputOf(answers.value(message));
    const { providerMetadata, toolMetadata } = fields;
    const metadata = present({ providerMetadata, toolMetadata });
    const end = isBroken ? `${status}` : JSON.stringify([value, metadata]);
    // The text may end before the header says that it is JSON.
    if (now.end !== undefined) return isBroken || now.end === end ? [] : undefined;
    const chunks: Loose[] = [];
    if (!this.#calls.has(message.serial)) {
      this.#calls.add(message.serial);
      chunks.push(...this.#open(false, true));
      const { toolName: toolCallName, providerExecuted } = fields;
      const start = { type: "TOOL_CALL_START", toolCallId, toolCallName };
      const marked = providerExecuted ? { metadata: { providerExecuted } } : {};
      chunks.push({ ...start, parentMessageId: this.#id(), ...marked });
    }
    const isText = !isOver || isBroken;
    const text = textOf(message);
    const isJson = isText || (fields.encoding === "json" && text.startsWith(now.text));
    const rest = isJson ? text.slice(now.text.length) : restOfJson(now.text, data);
    if (rest === undefined) return undefined;
    if (rest) chunks.push({ type: "TOOL_CALL_ARGS", toolCallId, delta: rest });
    now.text = text;
    if (!isOver) return chunks;
    now.end = end;
    if (isBroken) {
      // Before the end event, at which a client takes the input as complete.
      const content = JSON.stringify({ error: "the input of this call broke off" });
      chunks.push(errorOf({ messageId: message.serial, toolCallId, content }));
      chunks.push({ type: "TOOL_CALL_END", toolCallId });
      return chunks;
    }
    const { thoughtSignature } = fieldsOf(fieldsOf(providerMetadata).google);
    if (thoughtSignature) chunks.push(sealed("tool-call", toolCallId, thoughtSignature));
    const more = Object.keys(metadata).length > 0 && { metadata };
    chunks.push({ type: "TOOL_CALL_END", toolCallId, input: value, ...more });
    return chunks;
  }

  #sayStep({ serial, version, data }: Message, now: Told): Loose[] {
    const isNew = now.end === undefined;
    now.end = "";
    const name = `step ${serial}`;
    const isFinished = fieldsOf(data).state === "finished";
    const chunks = isNew ? this.#finishStep() : [];
    if (isNew) {
      this.#step = { name, finished: undefined };
      chunks.push({ type: "STEP_STARTED", stepName: name });
    }
    if (isFinished && this.#step?.name === name) this.#step.finished = version;
    return chunks;
  }

  /** Whether the open step ended before a place in the log: it encloses its own messages only. */
  #isFinishedBefore(serial?: string): boolean {
    const finished = this.#step?.finished;
    return finished !== undefined && (serial === undefined || finished < serial);
  }

  #finishStep(): Loose[] {
    const step = this.#step;
    this.#step = undefined;
    return step ? [{ type: "STEP_FINISHED", stepName: step.name }] : [];
  }

  #sayOther(message: Message, now: Told, isOver: boolean, answers: Answers): Loose[] | undefined {
    const { name } = message;
    const value = answers.value(message);
    if (name === "response") {
      const { finishReason = this.#finishReason, outcome } = fieldsOf(value);
      this.#finishReason = finishReason;
      this.#outcome = outcome;
    }
    if (!isOver) return [];
    const isFirst = now.end === undefined;
    const { state = "requested" } = answers.fields(message);
    // The page published it itself.
    if (message.turn === undefined) return [];
    if (name === TOOL_APPROVAL) {
      const isAnswered = message.headers?.[DECIDED] !== undefined;
      const isSame = isFirst || isAnswered || now.end === state;
      now.end = String(state);
      if (!isFirst || (state !== "requested" && !isAnswered)) return isSame ? [] : undefined;
      return requestOf(message, answers);
    }
    now.end = "";
    return SILENT.includes(name) ? [] : [{ type: "CUSTOM", name, value }];
  }

  /** Begins a part of the chat's message, or another message where two texts would be joined. */
  #open(isText: boolean, isCall = false): Loose[] {
    if (this.#hasText && !isCall) {
      this.#count += 1;
      this.#isShown = false;
    }
    this.#hasText = isText;
    if (this.#isShown && !isText) return [];
    const [start, end] = this.#show();
    return isText && start ? [start] : [start, end].filter((it) => it !== undefined);
  }

  #show(): Loose[] {
    this.#isShown = true;
    const messageId = this.#id();
    const start = { type: "TEXT_MESSAGE_START", messageId, role: "assistant" };
    return [start, { type: "TEXT_MESSAGE_END", messageId }];
  }

  /** Asks the page for the calls without an output, which are its own. */
  #askPage(messages: readonly Message[], answers: Answers): Loose[] {
    const isAbout = ({ name }: Message) => name === TOOL_OUTPUT || name === TOOL_APPROVAL;
    const settled = new Set(messages.filter(isAbout).map((it) => answers.call(it)?.input.serial));
    return messages.flatMap((message) => {
      const fields = answers.fields(message);
      const isCall = message.name === "tool-input" && message.turn === this.#wanted.run;
      if (!isCall || settled.has(message.serial)) return [];
      if (fields.providerExecuted || answers.isBrokenOff(message)) return [];
      return [asked("tool-input-available", message, answers)];
    });
  }

  #end({ status, reason, error }: Turn): Loose {
    if (status === "failed") {
      const { message, code } = fieldsOf(error);
      const said = String(message ?? reason ?? "the answer failed");
      return present({ type: "RUN_ERROR", message: said, code: code ?? reason, ...this.#ids() });
    }
    const isCancelled = status === "cancelled";
    // The session asks the questions of a waiting turn; parts of the chat show them.
    const said = isOpen({ status }) ? undefined : this.#outcome;
    const outcome = isCancelled ? { type: "cancelled" } : (said ?? { type: "success" });
    const finishReason = isCancelled ? undefined : reasonOf(this.#finishReason);
    return present({ type: "RUN_FINISHED", ...this.#ids(), outcome, finishReason });
  }
}

/** The id of a run of a turn. */
function runName(turn: string, round: number): string {
  return round === 1 ? turn : `${turn}/${round}`;
}

/** The id of the turn of a run. */
export function turnOf(run: string, turns: readonly Turn[]): string {
  return turns.some(({ id }) => id === run) ? run : run.replace(/\/\d+$/, "");
}

/** Whether a text was replaced, not extended. */
function isOther(message: Message, { text }: Told): boolean {
  return GROWS.includes(message.name) && !textOf(message).startsWith(text);
}

/** Whether a message is complete. A preliminary output is not. */
function hasEnded({ name, status, headers }: Message): boolean {
  return status !== "streaming" && !(name === TOOL_OUTPUT && headers?.state === "preliminary");
}
