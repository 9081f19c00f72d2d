// The common base of the codecs: keys by order of appearance, growing texts, changing messages, and
// the end of the stream.

import type { StateOp, Usage } from "../../protocol/index.ts";
import {
  type Codec,
  type CodecOptions,
  type Ending,
  fields,
  type Headers,
  type Inside,
  type Json,
  jsonOf,
  type Operation,
  type OutputRole,
  text,
} from "./operation.ts";
import { usageFrom } from "./usage.ts";

/** A growing text; it is forgotten once it has ended. */
interface Growing {
  name: string;
  /** The headers with which it was opened, and the present ones. */
  begun: Headers;
  headers: Headers;
  text: string;
}

/** The place of a message that may be written more than once. */
export interface Slot {
  readonly key: string;
  /** Whether it stays when its step is taken back. */
  isLasting?: boolean;
  isSaid?: boolean;
  /** Its content as JSON, where the same content may arrive again. */
  said?: string | undefined;
}

/** The fields of a whole message other than its data. */
export interface Beside {
  headers?: Headers;
  role?: OutputRole;
  /** The key of the message that it belongs to. */
  of?: string;
  file?: Inside;
}

/**
 * Collects the operations of a codec. A provider's ids are unique within a stream at most, so keys
 * are made here.
 */
export abstract class Draft {
  readonly #mayEndOpen: boolean;
  #ops: Operation[] = [];
  readonly #counts = new Map<string, number>();
  readonly #open = new Map<string, Growing>();
  /** The keys used since the last `mark`, if there was one. */
  #recent: Set<string> | undefined;
  #ending: Ending | undefined;
  #error: string | undefined;
  /** The usage of the present response, as far as it was told. */
  #used: Usage = {};

  constructor({ mayEndOpen = false }: CodecOptions = {}) {
    this.#mayEndOpen = mayEndOpen;
  }

  /** This as the function that is handed out. */
  codec<Part>(): Codec<Part> {
    return Object.assign((part: Part) => this.read(part), { end: () => this.end() });
  }

  /** The operations of one part; a part that is no object, such as `[DONE]`, has none. */
  read(part: unknown): Operation[] {
    this.#ops = [];
    if (Object(part) === part) this.handle(fields(part), text(fields(part).type));
    return this.#ops;
  }

  /** The operations at the end of the source; without the stream's own end, it was cut off. */
  end(): Operation[] {
    this.#ops = [];
    const isCut = this.#ending === undefined && !this.#mayEndOpen;
    const status = this.#ending ?? (isCut ? "failed" : "complete");
    if (status === "complete") this.settle();
    for (const [key, { name }] of this.#open) {
      // An input that never became available has failed.
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

  /** Closes whatever a successful stream left open. */
  protected settle(): void {}

  /** The provider's mark at the end of a stream, for the error. */
  protected abstract readonly lastWord: string;

  /** The stream has marked its end; an earlier failure stays. */
  finish(): void {
    this.#ending ??= "complete";
  }

  /** Another answer follows in the same stream. */
  goOn(): void {
    if (this.#ending === "complete") this.#ending = undefined;
  }

  /** The next key of a kind. */
  next(kind: string): string {
    const n = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, n + 1);
    return `${kind}-${n}`;
  }

  /** Opens a growing text. */
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

  /** The text of an open message so far. */
  text(key: string): string {
    return this.#open.get(key)?.text ?? "";
  }

  /** Adds headers to an open text; they are sent when it ends. */
  describe(key: string, headers: Headers): void {
    const growing = this.#open.get(key);
    if (growing) growing.headers = { ...growing.headers, ...headers };
  }

  /** Ends a text. `data` is its final value, if that differs from the appended text. */
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

  /** Writes a whole message, or replaces it. */
  put(slot: Slot, name: string, data: unknown, { headers = {}, ...more }: Beside = {}): void {
    const { key } = slot;
    if (!slot.isSaid && !slot.isLasting) this.#recent?.add(key);
    slot.isSaid = true;
    this.#ops.push({ op: "put", key, name, data: data ?? null, headers, ...more });
  }

  /** Writes a whole message that often repeats; unchanged repeats are left out. */
  change(slot: Slot, name: string, data: unknown, beside: Beside = {}): void {
    const said = jsonOf([data, beside.headers]);
    if (said !== undefined && slot.said === said) return;
    slot.said = said;
    this.put(slot, name, data, beside);
  }

  /** Writes a whole message with a new key. */
  say(kind: string, name: string, data: unknown, beside?: Beside): string {
    const key = this.next(kind);
    this.put({ key }, name, data, beside);
    return key;
  }

  /** Stores an unknown part as a message named after its type, so that nothing is dropped. */
  pass(type: string, data: unknown): void {
    const name = type || "part";
    // `tool-input-N` and `tool-output-N` are keys of calls.
    this.say(/^tool-(in|out)put$/.test(name) ? `${name}-part` : name, name, data);
  }

  /** Changes the shared state. */
  state(ops: StateOp[]): void {
    if (ops.length > 0) this.#ops.push({ op: "state", ops });
  }

  /** The present response has used so much so far, of which only the news are added. */
  uses(reported: unknown): void {
    const usage: Usage = {};
    for (const [name, amount] of Object.entries(usageFrom(reported))) {
      const more = amount - (this.#used[name] ?? 0);
      if (more <= 0) continue;
      usage[name] = more;
      this.#used[name] = amount;
    }
    if (Object.keys(usage).length > 0) this.#ops.push({ op: "usage", usage });
  }

  /** Another response begins, which has used nothing yet. */
  usesAnew(): void {
    this.#used = {};
  }

  signal(name: string, data: unknown): void {
    this.#ops.push({ op: "signal", name, data });
  }

  /** Records a failure; some providers report the same one twice. */
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

  /** From here on, remembers what `dropRecent` would take back. */
  mark(): void {
    this.#recent = new Set();
  }

  isRecent(key: string): boolean {
    return this.#recent?.has(key) === true;
  }

  /** Takes back everything since the last `mark`; its keys are not used again. */
  dropRecent(): void {
    for (const key of this.#recent ?? []) {
      this.#open.delete(key);
      this.#ops.push({ op: "drop", key });
    }
    this.mark();
  }
}
