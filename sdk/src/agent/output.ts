// One outgoing message: text that grows, or a value that may be replaced. It queues the operations;
// the turn's pipeline performs them, in order.

import { type Limits, type NewMessage, NOTES, type StateOp } from "../protocol/index.ts";
import { boundedHead, formOf, isJsonOf, OMITTED, splitHeaders } from "./bounds.ts";
import type { Ending, Headers } from "./codec/operation.ts";

/** The head of a message. */
export type Head = Omit<NewMessage, "data" | "headers" | "status"> & { id: string };

/** A change to a message at its end, or later: absent fields stay. */
export interface Change {
  status?: Ending;
  data?: unknown;
  headers?: Headers;
}

/** One operation on a message, in its place. */
export type Task = {
  output: Output;
} /** A text, as far as it was said until something else was. */ & (
  | { kind: "begin"; until: number; headers: Headers | undefined }
  | { kind: "append"; until: number }
  | ({ kind: "whole" } & Change)
  | ({ kind: "end" } & Change)
  | { kind: "drop" }
  /** No message: a change of the shared state, in its place among them. */
  | { kind: "state"; ops: StateOp[] }
);

/** Takes the operations on a turn's messages, in order: the turn's pipeline. */
export interface Line {
  readonly limits: Limits;
  /** A number unique among the turn's messages. */
  next(): number;
  /** Queues an operation after all earlier ones, with the length of its text. */
  add(task: Task, length?: number): void;
  /** Resolves when a condition holds, or when nothing more is sent. */
  until(isSo: () => boolean): Promise<void>;
}

/** Reports the first error of several outputs. */
export interface Trouble {
  error?: unknown;
}

/** UTF-16 code units of one append: a sixth of a frame, even with every character escaped. */
export const MOST_LENGTH = 8192;

/** The text length that a value without text counts as. */
const MEAN_LENGTH = 256;

export class Output {
  readonly head: Head;
  readonly #line: Line;
  readonly #trouble: Trouble;
  /** Its place, once the session has it. */
  serial: string | undefined;
  error: unknown;
  /** The whole growing text, and the part of it that is in frames. */
  text = "";
  sent = 0;
  /** The last `seq` that was used (P5.3). */
  seq = 0;
  /** Whether the session's message takes appends. */
  isStreaming = false;
  /** An earlier attempt has closed the message: it gets the whole text at the end (P6.8). */
  isStale = false;
  /** The reason why the session takes no more of its text (P14). */
  isFull: unknown;
  /** Another client has deleted or closed it: the rest is not sent. */
  isGone = false;
  /** A change is in flight: the next waits, so that two never alternate. */
  isChanging = false;
  /** Whether a begun text may get more. */
  isOpen = false;
  /** The unanswered part of it. */
  pending = 0;
  #headers: Headers = {};
  #isSaid = false;
  /** The output that replaced it. */
  #next: Output | undefined;
  #notes = 0;
  /** The headers in notes, as last sent. */
  #long: Headers = {};

  constructor(line: Line, head: Head, trouble: Trouble = {}) {
    this.#line = line;
    this.#trouble = trouble;
    this.head = boundedHead(head, line.limits);
  }

  /** Begins a text that grows. */
  open({ text, headers }: { text: string; headers?: Headers }): void {
    this.isOpen = true;
    this.text = text;
    const until = text.length;
    const bound = this.#bound(headers);
    this.#line.add({ kind: "begin", output: this, until, headers: bound }, until);
  }

  append({ text }: { text: string }): void {
    if (!this.isOpen || text === "") return;
    this.text += text;
    this.#line.add({ kind: "append", output: this, until: this.text.length }, text.length);
  }

  /**
   * Ends a text, once. `data` is its final value, if that differs from the appended text; `headers`
   * replace its first ones.
   */
  close({ status, data, headers }: Change & { status: Ending }): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const is = data === undefined || data === this.text ? undefined : formOf(data, this.#limits);
    const change: Change = { status };
    // A value too large for any frame stays the text it arrived in, or is omitted.
    const isSaid = is?.as === "pieces" && this.#says(is.text, data);
    const more = is && is.as !== "whole" ? (isSaid ? is.headers : omission(is)) : {};
    if (is?.as === "whole") change.data = is.data;
    else if (is && !isSaid) change.data = null;
    const said = headers || Object.keys(more).length > 0;
    const bound = said ? this.#bound({ ...(headers ?? this.#headers), ...more }) : undefined;
    if (bound) change.headers = bound;
    this.#line.add({ kind: "end", output: this, ...change });
  }

  /** The whole message: published at first, replaced later. */
  put({ data, headers }: { data: unknown; headers?: Headers | undefined }): void {
    if (this.#next) {
      this.#next.put({ data, headers });
      return;
    }
    const is = formOf(data, this.#limits);
    const isNew = !this.#isSaid;
    if (is.as === "pieces" && isNew) {
      this.open({ text: is.text, headers: { ...headers, ...is.headers } });
      this.close({ status: "complete" });
      return;
    }
    if (is.as === "pieces") {
      // No update can hold it: another message replaces it.
      const id = `${this.head.id}~${this.#line.next()}`;
      this.#next = new Output(this.#line, { ...this.head, id }, this.#trouble);
      this.#next.put({ data, headers });
      this.#line.add({ kind: "drop", output: this });
      return;
    }
    const more = is.as === "whole" ? {} : omission(is);
    const given = headers || is.as !== "whole" ? this.#bound({ ...headers, ...more }) : undefined;
    const whole = { data: is.as === "whole" ? is.data : null, ...(given && { headers: given }) };
    this.#isSaid = true;
    const length = typeof whole.data === "string" ? whole.data.length : MEAN_LENGTH;
    this.#line.add({ kind: isNew ? "whole" : "end", output: this, ...whole }, length);
  }

  drop(): void {
    this.isOpen = false;
    if (this.#next) this.#next.drop();
    else this.#line.add({ kind: "drop", output: this });
  }

  /** Changes the shared state, with nothing else. */
  change(ops: StateOp[]): void {
    this.#line.add({ kind: "state", output: this, ops }, MEAN_LENGTH);
  }

  /** Resolves when the session has all of it, and rejects if the session refused it. */
  async done(): Promise<void> {
    await this.#line.until(() => this.pending === 0 || this.error !== undefined);
    if (this.error) throw this.error;
  }

  /** It is refused: the rest of it is not sent. */
  fail(error: unknown): void {
    this.error ??= error;
    this.#trouble.error ??= error;
    this.isOpen = false;
  }

  /** A part of it is answered; of a complete message, only the place is kept. */
  settle(): void {
    this.pending -= 1;
    if (this.isOpen || this.pending > 0) return;
    this.text = "";
    this.#headers = {};
  }

  get #limits() {
    return this.#line.limits;
  }

  /** Whether the streamed text is the value that is too large for a frame. */
  #says(text: string, value: unknown): boolean {
    if (this.text === text) return true;
    return typeof value !== "string" && isJsonOf(this.text, value);
  }

  /** Headers that fit; the others are sent ahead, in a message beside this one. */
  #bound(headers: Headers | undefined): Headers | undefined {
    this.#isSaid = true;
    if (!headers) return undefined;
    this.#headers = headers;
    const { fit, long } = splitHeaders(headers, this.#limits);
    const news = Object.entries(long).filter(([name, value]) => this.#long[name] !== value);
    Object.assign(this.#long, long);
    if (news.length > 0) this.#note(Object.fromEntries(news));
    return fit;
  }

  #note(long: Headers): void {
    this.#notes += 1;
    const { id: of, turn } = this.head;
    const id = `${of}/${NOTES}${this.#notes > 1 ? `-${this.#notes}` : ""}`;
    const head = { id, name: NOTES, role: "assistant", ...(turn && { turn }) } as const;
    new Output(this.#line, head, this.#trouble).put({ data: long, headers: { of } });
  }
}

function omission(form: { as: "pieces" | "nothing"; text?: string; headers: Headers }): Headers {
  return form.text === undefined ? form.headers : { [OMITTED]: `${form.text.length} characters` };
}
