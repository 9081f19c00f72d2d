// What the codecs have in common: keys by order of appearance, text that grows, and tool calls.

import {
  type Ending,
  fields,
  type Headers,
  type Json,
  type Operation,
  type OutputRole,
} from "./operation.ts";

/** Longer values would crowd the 4 KiB that a message's headers may have (P14). */
const MOST_HEADER_LENGTH = 400;

/** A frame has at most 256 KiB (P14), and more in it than the data. */
const MOST_WHOLE_BYTES = 250_000;

/** A text that grows. */
interface Block {
  key: string;
  headers: Headers;
  text: string;
  isOpen: boolean;
  /** Headers came after it was opened. */
  isDescribed: boolean;
}

export interface ToolCall {
  /** The call's place among all: its input is `tool-input-0`, its output `tool-output-0`. */
  n: number;
  /** What is said of the call wherever it is mentioned. */
  headers: Headers;
}

/**
 * Operations in the making: what a codec is made of. Provider ids are only good within a
 * stream; keys are made here.
 */
export abstract class Draft {
  #ops: Operation[] = [];
  #counts = new Map<string, number>();
  #blocks = new Map<string, Block>();
  #tools = new Map<string, ToolCall>();
  #calls = 0;
  #put = new Map<string, string>();
  /** The keys since the last `mark`. */
  #recent: string[] = [];

  /** What a part of the stream gives. */
  read(part: { readonly type: string }): Operation[] {
    this.#ops = [];
    this.handle(fields(part), part.type);
    return this.#ops;
  }

  protected abstract handle(part: Json, type: string): void;

  /** The next key of a kind. */
  next(kind: string): string {
    const n = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, n + 1);
    return `${kind}-${n}`;
  }

  /** Begins a text; a provider that uses an id again means another text. */
  open(id: string, key: string, name: string, text = "", headers: Headers = {}): void {
    this.#blocks.set(id, { key, headers, text, isOpen: true, isDescribed: false });
    this.#recent.push(key);
    this.#ops.push({ op: "open", key, name, text, headers: { ...headers } });
  }

  /** Whether a text of this id was begun and not ended. */
  isOpen(id: string): boolean {
    return this.#blocks.get(id)?.isOpen === true;
  }

  key(id: string): string | undefined {
    return this.#blocks.get(id)?.key;
  }

  append(id: string, text: string): void {
    const block = this.#blocks.get(id);
    if (block === undefined || text === "") return;
    block.text += text;
    this.#ops.push({ op: "append", key: block.key, text });
  }

  /** What an open text has come to. */
  text(id: string): string {
    return this.#blocks.get(id)?.text ?? "";
  }

  /** Adds to the headers of an open text; they are sent when it ends. */
  describe(id: string, headers: Headers): void {
    const block = this.#blocks.get(id);
    if (block === undefined) return;
    const isNews = Object.entries(headers).some(([name, value]) => block.headers[name] !== value);
    block.isDescribed ||= isNews;
    Object.assign(block.headers, headers);
  }

  /** Ends a text. `data` is what the provider says it is. */
  close(id: string, data?: unknown, status: Ending = "complete"): void {
    const block = this.#blocks.get(id);
    if (!block?.isOpen) return;
    block.isOpen = false;
    const { key, headers } = block;
    const more = {
      ...(block.isDescribed && { headers }),
      ...(data !== undefined && data !== block.text && { data }),
    };
    this.#ops.push({ op: "close", key, status, ...more });
  }

  /**
   * A whole message; one that says nothing new is left out. What no frame can hold, such as an
   * image in the stream, is left out of its message, which says so.
   */
  put(key: string, name: string, data: unknown, headers: Headers = {}, role?: OutputRole): void {
    const now = JSON.stringify([data, headers]);
    if (now.length > MOST_WHOLE_BYTES / 3 && new Blob([now]).size > MOST_WHOLE_BYTES) {
      this.put(key, name, null, { ...headers, omitted: `${now.length} characters` }, role);
      return;
    }
    if (this.#put.get(key) === now) return;
    if (!this.#put.has(key)) this.#recent.push(key);
    this.#put.set(key, now);
    this.#ops.push({ op: "put", key, name, data: data ?? null, headers, ...(role && { role }) });
  }

  /** What no codec knows is a message of its type's name: nothing is dropped. */
  pass(type: string, data: unknown): void {
    this.put(this.next(type), type, data);
  }

  /** A header where it is short, a message beside the other where it is long. */
  note(key: string, headers: Headers, name: string, value: unknown): void {
    if (value === undefined) return;
    const json = typeof value === "string" ? value : JSON.stringify(value);
    if (json.length <= MOST_HEADER_LENGTH) headers[name] = json;
    else this.put(`${key}.${name}`, name, value, { of: key });
  }

  /** The tool call of an id, known from its first mention on. */
  tool(id: string, headers: Headers = {}): ToolCall {
    const known = this.#tools.get(id);
    const n = known?.n ?? this.#calls++;
    const tool = { n, headers: { ...known?.headers, toolCallId: id, ...headers } };
    this.#tools.set(id, tool);
    return tool;
  }

  /** The input of a call as a whole, whether it was streamed before or not. */
  input(id: string, data: unknown, status: Ending = "complete"): void {
    const { n, headers } = this.tool(id);
    const key = `tool-input-${n}`;
    if (this.isOpen(key)) {
      this.describe(key, headers);
      this.close(key, data, status);
    } else {
      this.put(key, "tool-input", data, { ...headers });
    }
  }

  /** The input of a call as it comes. */
  stream(id: string, text: string): void {
    const { n, headers } = this.tool(id);
    const key = `tool-input-${n}`;
    if (this.isOpen(key)) this.append(key, text);
    else this.open(key, key, "tool-input", text, { ...headers });
  }

  /** What came of a call. */
  output(id: string, data: unknown, state: string, more: Headers = {}): void {
    const { n, headers } = this.tool(id);
    this.put(`tool-output-${n}`, "tool-output", data, { ...headers, ...more, state }, "tool");
  }

  signal(name: string, data: unknown): void {
    this.#ops.push({ op: "signal", name, data });
  }

  /** The stream did not end well, and says so. */
  fail(error: string): void {
    this.put(this.next("error"), "error", { message: error });
    this.#ops.push({ op: "fail", status: "failed", error });
  }

  cancel(reason: string): void {
    this.#ops.push({ op: "fail", status: "cancelled", error: reason });
  }

  mark(): void {
    this.#recent = [];
  }

  /** Takes back what came since the last `mark`; its keys are not used again. */
  dropRecent(): void {
    const isRecent = (key: string) => this.#recent.includes(key);
    for (const key of this.#recent) this.#ops.push({ op: "drop", key });
    for (const [id, block] of this.#blocks) if (isRecent(block.key)) this.#blocks.delete(id);
    for (const [id, { n }] of this.#tools) {
      if (isRecent(`tool-input-${n}`)) this.#tools.delete(id);
    }
    this.mark();
  }
}
