// The base that the codecs have in common: keys by order of appearance, text that grows, messages
// that change, and the stream's end.

import {
  type Codec,
  type CodecOptions,
  type Ending,
  fields,
  type Headers,
  type Json,
  jsonOf,
  type Operation,
  type OutputRole,
  text,
} from "./operation.ts";

/** A text that grows. One that has ended is forgotten. */
interface Growing {
  name: string;
  /** As it was opened, and as they are by now. */
  begun: Headers;
  headers: Headers;
  text: string;
}

/** The place of a message that may be said more than once. */
export interface Slot {
  readonly key: string;
  /** It is not of a step, and stays when the step is taken back. */
  isLasting?: boolean;
  isSaid?: boolean;
  /** Its content, as JSON, where the same may come again. */
  said?: string | undefined;
}

/** The fields of a whole message beside its data. */
export interface Beside {
  headers?: Headers;
  role?: OutputRole;
  /** The key of the message that it belongs to. */
  of?: string;
}

/**
 * Operations in the making: what a codec is made of. Provider ids are only good within a
 * stream, or less; keys are made here.
 */
export abstract class Draft {
  readonly #mayEndOpen: boolean;
  #ops: Operation[] = [];
  readonly #counts = new Map<string, number>();
  readonly #open = new Map<string, Growing>();
  /** The keys since the last `mark`, if there was one. */
  #recent: Set<string> | undefined;
  #ending: Ending | undefined;
  #error: string | undefined;

  constructor({ mayEndOpen = false }: CodecOptions = {}) {
    this.#mayEndOpen = mayEndOpen;
  }

  /** The codec that this is for those who use it. */
  codec<Part>(): Codec<Part> {
    return Object.assign((part: Part) => this.read(part), { end: () => this.end() });
  }

  /** Operations of a part of the stream; one that is no object, such as `[DONE]`, gives none. */
  read(part: unknown): Operation[] {
    this.#ops = [];
    if (Object(part) === part) this.handle(fields(part), text(fields(part).type));
    return this.#ops;
  }

  /** Operations at the end of the source: without the stream's own end, something is missing. */
  end(): Operation[] {
    this.#ops = [];
    const isCut = this.#ending === undefined && !this.#mayEndOpen;
    const status = this.#ending ?? (isCut ? "failed" : "complete");
    if (status === "complete") this.settle();
    for (const [key, { name }] of this.#open) {
      // An input that never became available is none.
      this.close(
        key,
        undefined,
        name === "tool-input" && status === "complete" ? "failed" : status,
      );
    }
    const error = `stream-cut: the stream ended without ${this.lastWord}`;
    if (isCut) this.#ops.push({ op: "fail", status: "failed", code: "stream-cut", error });
    this.#ending = status;
    return this.#ops;
  }

  protected abstract handle(part: Json, type: string): void;

  /** Ends what its provider left open in a stream that has ended well. */
  protected settle(): void {}

  /** How the provider ends a stream. */
  protected abstract readonly lastWord: string;

  /** The stream has ended by its own word; a failure stays one. */
  finish(): void {
    this.#ending ??= "complete";
  }

  /** It goes on: another answer in the same stream. */
  goOn(): void {
    if (this.#ending === "complete") this.#ending = undefined;
  }

  /** The next key of a kind. */
  next(kind: string): string {
    const n = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, n + 1);
    return `${kind}-${n}`;
  }

  /** Begins a text. */
  open(key: string, name: string, text = "", headers: Headers = {}): string {
    this.#open.set(key, { name, begun: headers, headers, text });
    this.#recent?.add(key);
    this.#ops.push({ op: "open", key, name, text, headers });
    return key;
  }

  isOpen(key: string | undefined): boolean {
    return key !== undefined && this.#open.has(key);
  }

  append(key: string, text: string): void {
    const growing = this.#open.get(key);
    if (growing === undefined || text === "") return;
    growing.text += text;
    this.#ops.push({ op: "append", key, text });
  }

  /** The text that an open message has so far. */
  text(key: string): string {
    return this.#open.get(key)?.text ?? "";
  }

  /** Adds to the headers of an open text; they are told with its end. */
  describe(key: string, headers: Headers): void {
    const growing = this.#open.get(key);
    if (growing) growing.headers = { ...growing.headers, ...headers };
  }

  /** Ends a text. `data` is what it is in the end, if that is not what was appended. */
  close(key: string, data?: unknown, status: Ending = "complete"): void {
    const growing = this.#open.get(key);
    if (growing === undefined) return;
    this.#open.delete(key);
    const { begun, headers } = growing;
    const isNews = Object.entries(headers).some(([name, value]) => begun[name] !== value);
    const more = {
      ...(isNews && { headers }),
      ...(data !== undefined && data !== growing.text && { data }),
    };
    this.#ops.push({ op: "close", key, status, ...more });
  }

  /** A whole message, said the first time or anew. */
  put(slot: Slot, name: string, data: unknown, { headers = {}, ...more }: Beside = {}): void {
    const { key } = slot;
    if (!slot.isSaid && !slot.isLasting) this.#recent?.add(key);
    slot.isSaid = true;
    this.#ops.push({ op: "put", key, name, data: data ?? null, headers, ...more });
  }

  /** A whole message that is often said again; what says nothing new is left out. */
  change(slot: Slot, name: string, data: unknown, beside: Beside = {}): void {
    const said = jsonOf([data, beside.headers]);
    if (said !== undefined && slot.said === said) return;
    slot.said = said;
    this.put(slot, name, data, beside);
  }

  /** A whole message of a key of its own. */
  say(kind: string, name: string, data: unknown, beside?: Beside): string {
    const key = this.next(kind);
    this.put({ key }, name, data, beside);
    return key;
  }

  /** A part that no codec knows is a message of its type's name: nothing is dropped. */
  pass(type: string, data: unknown): void {
    const name = type || "part";
    // Keys of calls are numbered together, and by themselves.
    this.say(/^tool-(in|out)put$/.test(name) ? `${name}-part` : name, name, data);
  }

  signal(name: string, data: unknown): void {
    this.#ops.push({ op: "signal", name, data });
  }

  /** The stream did not end well, and says so; some say it twice. */
  fail(error: string): void {
    if (this.#error === error) return;
    this.#error = error;
    this.say("error", "error", { message: error });
    this.#ops.push({ op: "fail", status: "failed", error });
    this.#ending = "failed";
  }

  cancel(reason: string): void {
    this.#ops.push({ op: "fail", status: "cancelled", ...(reason && { error: reason }) });
    this.#ending = "cancelled";
  }

  /** Remembers from here on what there is to be taken back. */
  mark(): void {
    this.#recent = new Set();
  }

  isRecent(key: string): boolean {
    return this.#recent?.has(key) === true;
  }

  /** Takes back what came since the last `mark`; its keys are not used again. */
  dropRecent(): void {
    for (const key of this.#recent ?? []) {
      this.#open.delete(key);
      this.#ops.push({ op: "drop", key });
    }
    this.mark();
  }
}
