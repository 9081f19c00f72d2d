// An answer as the stream of chunks that `useChat` reads: from its beginning, then as it grows.
// Parts are told in the log's order, and nothing before what it needs.

import { Answers, type Held } from "../answer/answers.ts";
import { fieldsOf, type Loose, textOf } from "../answer/fields.ts";
import { headersOf, type Notes, notesIn } from "../answer/reading.ts";
import { isWaiting } from "../answer/settled.ts";
import { CALL, isOpen, type Message, type Turn } from "../protocol/index.ts";
import { chunksOf, idOf, isDone, isPart, isText, type Said, toldOf } from "./output.ts";

/** A message as it was told. */
interface Told {
  said: Said;
  text: string;
}

/** The findings of one look at an answer, on its way through it. */
interface Look {
  /** Values too long for headers, by the id of the message that they belong to. */
  notes: Notes;
  /** The latest call of each id, and all by their serials. */
  calls: Map<string, Said>;
  /** The serials of calls of which it is known what came of them. */
  settled: Set<string>;
  /** Nothing of it grows any more. */
  isOver: boolean;
}

/** The chunks of one answer, each once. It is shown the whole session, again and again. */
export class Chunks {
  readonly #id: string;
  readonly #isReplay: boolean;
  /** Of each message of which something was told, what it was. */
  readonly #told = new Map<string, Told>();
  /** Texts that were begun and not ended: their ids, by their serials. */
  readonly #open = new Map<string, string>();
  /** Calls whose inputs were begun and not ended: in another step they would be others. */
  readonly #typing = new Set<string>();
  /** The last part, and the last beginning of a step, that were told. */
  #last = "";
  #step = "";
  /** A step's end is still to be told. */
  #isStepOver = false;
  /** The beginning of a step was told that nothing says any more. */
  #isStepLeft = false;
  /** Whether the last chunk was given; nothing before the first was. */
  isEnded: boolean | undefined;
  /** Whether what was told is not so any more, and no chunk can say that. */
  isStale = false;

  /**
   * Of an answer, by its id: that of its first turn. In a replay a call is not told as one to be
   * made (`onToolCall`) of which it is known what came of it.
   */
  constructor(answer: string, isReplay = false) {
    this.#id = answer;
    this.#isReplay = isReplay;
  }

  /** The chunks that are new. The end is told when none of these turns says more for now. */
  next(held: Held, turns: readonly Turn[]): Loose[] {
    if (this.isEnded || this.isStale) return [];
    const messages = Answers.of(held).messages.get(this.#id) ?? [];
    const chunks: Loose[] = [];
    const isFirst = this.isEnded === undefined;
    this.isEnded = false;
    if (isFirst) chunks.push({ type: "start", messageId: this.#id });
    const wrong = this.#wrong(messages, held);
    if (wrong !== undefined) {
      if (!this.#forget(wrong)) {
        this.isStale = true;
        return [];
      }
      chunks.push({ type: "reset-step" });
    }
    const isOver =
      turns.length > 0 && turns.every((it) => !isOpen(it) || isWaiting(it, held.messages));
    const isAgain = (isFirst && this.#isReplay) || wrong !== undefined;
    const notes = notesIn(messages);
    const settled = isAgain ? settledOf(messages, notes) : new Set<string>();
    const look = { notes, calls: new Map(), settled, isOver };
    this.#tellAll(messages, look, chunks);
    if (this.#isStepOver && this.#open.size === 0) this.#endStep(chunks);
    if (isOver) {
      this.isEnded = true;
      chunks.push(endOf(messages, turns.at(-1) as Turn));
    }
    return chunks;
  }

  #tellAll(messages: readonly Message[], look: Look, chunks: Loose[]): void {
    const early: Said[] = [];
    for (const message of messages) {
      if (message.deletedAt) continue;
      const said = this.#said(message, look);
      if (!said) continue;
      const isNew = !this.#told.has(message.serial);
      // Of two texts that the chunks cannot tell apart the second waits, and all after it; so do
      // a step until the calls before it are whole, and what comes after a part in pieces.
      if (isNew && this.#isHeld(said)) break;
      if (!this.#tell(said, chunks)) early.push(said);
    }
    // The outcome of a call may stand before it in the log.
    for (const said of early) this.#tell({ ...said, call: callOf(said, look) }, chunks);
  }

  /** The state of a message that is to be told, if there is anything new. */
  #said(message: Message, { notes, calls, settled, isOver }: Look): Said | undefined {
    const { serial, name } = message;
    const was = this.#told.get(serial);
    const isKnown = was?.said.message === message && (was.said.isDone || !isOver);
    const said = isKnown ? was.said : this.#look(message, was, { notes, settled, isOver });
    if (name === "tool-input") {
      calls.set(said.headers.toolCallId ?? "", said);
      calls.set(serial, said);
    }
    if (isKnown) return undefined;
    said.call = callOf(said, { calls });
    return said;
  }

  #look(
    message: Message,
    was: Told | undefined,
    { notes, settled, isOver }: Omit<Look, "calls">,
  ): Said {
    const headers = headersOf(message, notes);
    return {
      message,
      headers,
      told: was?.text,
      wasDone: was?.said.isDone,
      isDone: isOver || isDone(message, headers),
      isSettled: settled.has(message.serial),
    };
  }

  #isHeld(said: Said): boolean {
    const { message, isDone } = said;
    if (isText(message)) return [...this.#open.values()].includes(idOf(said));
    if (message.name === "step") return this.#typing.size > 0;
    return !isDone && message.name !== "tool-input" && message.name !== "tool-output";
  }

  /** Tells what is new of a message; says no if that has to wait. */
  #tell(said: Said, chunks: Loose[]): boolean {
    const { message, isDone, call, told } = said;
    const { serial, name, data } = message;
    if (name === "tool-output" || name === "tool-approval") {
      if (!call) return false;
      if (!call.isDone || !isDone) return true;
    }
    const isNew = told === undefined;
    if (name === "step") {
      if (isNew && this.#isStepLeft) {
        this.#isStepLeft = false;
      } else if (isNew) {
        this.#endStep(chunks);
        chunks.push(...chunksOf(said));
      }
      if (isNew) this.#step = serial;
      this.#isStepOver = fieldsOf(data).state === "finished" && this.#step === serial;
    } else chunks.push(...chunksOf(said));
    if (isText(message)) {
      if (isDone) this.#open.delete(serial);
      else this.#open.set(serial, idOf(said));
    }
    if (name === "tool-input" && !isDone) this.#typing.add(serial);
    else this.#typing.delete(serial);
    if (isNew && isPart(message)) this.#last = serial;
    this.#told.set(serial, { said, text: toldOf(message) });
    return true;
  }

  /** Before the next step, but not while a text is open: `ai` 6 would forget it. */
  #endStep(chunks: Loose[]): void {
    if (this.#isStepOver && this.#open.size === 0) chunks.push({ type: "finish-step" });
    this.#isStepOver = false;
  }

  /** The first message that is not as it was told; `""` if what is before the first came to be. */
  #wrong(messages: readonly Message[], { messages: all }: Held): string | undefined {
    if (this.#told.size === 0) return undefined;
    let count = 0;
    for (const message of messages) {
      const { serial, name, deletedAt } = message;
      const was = this.#told.get(serial);
      if (!was) {
        if (!deletedAt && serial < this.#last && isPart(message)) return "";
        continue;
      }
      count += 1;
      // Nothing is shown of a response but what the next one says as well.
      if (was.said.message === message || name === "response") continue;
      if (deletedAt || (isText(message) && !isStill(was, textOf(message)))) return serial;
    }
    if (count === this.#told.size) return undefined;
    // Gone without a word: read anew meanwhile. Messages older than that may only be trimmed.
    const start = all.find(({ status }) => status !== "streaming")?.serial ?? "";
    const there = new Set(messages.map(({ serial }) => serial));
    return [...this.#told.keys()].sort().find((serial) => serial > start && !there.has(serial));
  }

  /** Takes back what was told from a message on; only the latest step can be. */
  #forget(from: string): boolean {
    const step = this.#step;
    const isOpenBefore = [...this.#open.keys()].some((serial) => serial <= step);
    if (from === "" || from < step || isOpenBefore) return false;
    for (const serial of this.#told.keys()) {
      if (serial > step) this.#told.delete(serial);
    }
    if (from === step) {
      this.#isStepLeft = true;
      this.#told.delete(step);
    }
    this.#open.clear();
    this.#typing.clear();
    this.#isStepOver = false;
    this.#last = step;
    return true;
  }
}

/** Whether a text only grew since it was told. */
function isStill({ said, text: was }: Told, text: string): boolean {
  return said.isDone ? text === was : text.startsWith(was);
}

/** The call that an output is about: the one that it names, or the latest of the same id. */
function callOf({ headers }: Said, { calls }: Pick<Look, "calls">): Said | undefined {
  return calls.get(headers[CALL] ?? headers.toolCallId ?? "");
}

/** The serials of calls of which it is known what came of them. */
function settledOf(messages: readonly Message[], notes: Notes): Set<string> {
  const settled = new Set<string>();
  const latest = new Map<string, string>();
  for (const message of messages) {
    const { name, serial, deletedAt } = message;
    if (deletedAt || !/^tool-(in|out)put$/.test(name)) continue;
    const { toolCallId = "", [CALL]: call, state } = headersOf(message, notes);
    if (name === "tool-input") latest.set(toolCallId, serial);
    else if (state === "available") settled.add(call ?? latest.get(toolCallId) ?? "");
  }
  return settled;
}

/** The last chunk of an answer. */
function endOf(messages: readonly Message[], { status, reason, error }: Turn): Loose {
  const errorText = String(fieldsOf(error).message ?? reason ?? status);
  if (status === "failed") return { type: "error", errorText };
  const response = messages.findLast(({ name, deletedAt }) => name === "response" && !deletedAt);
  const said = fieldsOf(response?.data).finishReason ?? "stop";
  return { type: "finish", finishReason: status === "cancelled" ? "interrupted" : said };
}
