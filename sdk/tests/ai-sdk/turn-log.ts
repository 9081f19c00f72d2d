// A turn in a session's log, as an agent writes it and readers see it grow: the messages that stand
// for UI message chunks, one state after each entry.

import type { UIMessageChunk } from "ai";
import type { Message, Turn } from "../../src/protocol/index.ts";
import type { Chunk } from "./random-stream.ts";

type Change = Partial<Pick<Message, "data" | "headers" | "status" | "deletedAt">>;

/** Headers, and those that are too long to be any. */
interface Notes {
  short: Record<string, string>;
  long: Record<string, string>;
}

export interface TurnLogOptions {
  id?: string;
  /** Ends a streaming message in two entries, as agents of the first release do. */
  isOld?: boolean;
  /** The messages in the log before the turn. */
  before?: readonly Message[];
  input?: string;
}

/** A value that is longer goes into a message beside the other. */
const MOST_HEADER = 400;
const COPIED = ["toolName", "title", "inputEncoding"];
const FLAGS = ["dynamic", "providerExecuted"];
const VALUES = ["providerMetadata", "toolMetadata", "citations"];

function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value);
}

export class TurnLog {
  messages: readonly Message[];
  turn: Turn;
  /** The log and the turn after each entry. */
  readonly states: { messages: readonly Message[]; turn: Turn }[] = [];
  readonly #isOld: boolean;
  #count: number;
  /** Serials of what is open, or may still change, by what the source calls it. */
  readonly #open = new Map<string, string>();
  #calls = new Map<string, { input: string; output?: string; head: Chunk }>();
  #response = "";
  #step = "";

  constructor({ id = "t1", isOld = false, before = [], input }: TurnLogOptions = {}) {
    this.#isOld = isOld;
    this.messages = before;
    this.#count = before.length * 100;
    this.turn = { id, status: "active", attempt: 1, createdAt: 0, ...(input && { input }) };
  }

  /** Everything that a stream says, and the turn's end. */
  static of(chunks: readonly UIMessageChunk[], options?: TurnLogOptions): TurnLog {
    const log = new TurnLog(options);
    for (const chunk of chunks) log.take(chunk as unknown as Chunk);
    log.end(chunks.some(({ type }) => type === "error") ? "failed" : "complete");
    return log;
  }

  /** Messages that a stream left open do not stay so. */
  end(status: "complete" | "failed" | "cancelled"): void {
    for (const { serial, status: is, name } of this.messages) {
      if (is !== "streaming") continue;
      this.#change(serial, { status: name === "tool-input" ? "failed" : status });
    }
    this.turn = { ...this.turn, status };
    this.#note();
  }

  /** Publishes a message. */
  publish(name: string, data: unknown, fields: Partial<Message> = {}): string {
    const serial = this.#next();
    const { id, role } = { id: `${this.turn.id}/1/${serial}`, role: "assistant" as const };
    const { id: turn } = this.turn;
    const times = { createdAt: 0, updatedAt: 0, version: serial };
    const message = { id, role, turn, client: "agent", ...fields, serial, name, data, ...times };
    this.messages = [...this.messages, message];
    this.#note();
    return serial;
  }

  drop(serial: string): void {
    this.#change(serial, { deletedAt: 1 });
  }

  take(chunk: Chunk): void {
    const { type } = chunk;
    const [, kind, what = ""] = /^(text|reasoning|tool)-(.+)$/.exec(type) ?? [];
    if ((kind === "text" || kind === "reasoning") && what !== "file") {
      this.#text(chunk, kind === "text" ? "message" : kind, what);
    } else if (kind === "tool" && what.startsWith("approval")) this.#approval(chunk, what);
    else if (kind === "tool" && what.startsWith("input")) this.#input(chunk, what);
    else if (kind === "tool") this.#output(chunk, what);
    else if (type === "start-step") {
      // A call of the same id in another step is another call.
      this.#calls.clear();
      this.#step = this.publish("step", { state: "started" });
    } else if (type === "finish-step") this.#change(this.#step, { data: { state: "finished" } });
    else if (/^(start|finish|message-metadata)$/.test(type)) this.#respond(chunk);
    else if (type === "error") this.publish("error", { message: chunk.errorText });
    else if (type.startsWith("data-") && chunk.id !== undefined) {
      const known = this.#open.get(`${type} ${chunk.id}`);
      if (known) this.#change(known, { data: chunk });
      else this.#open.set(`${type} ${chunk.id}`, this.publish(type, chunk));
    } else this.publish(type.startsWith("source-") ? "source" : type, chunk);
  }

  #respond({ type, messageMetadata, finishReason }: Chunk): void {
    const held = this.messages.find(({ serial }) => serial === this.#response);
    const was = fieldsOf(held?.data);
    const metadata = { ...fieldsOf(was.metadata), ...fieldsOf(messageMetadata) };
    const data = {
      ...was,
      state: type === "finish" ? "finished" : "started",
      ...(finishReason !== undefined && { finishReason }),
      ...(Object.keys(metadata).length > 0 && { metadata }),
    };
    if (held) this.#change(held.serial, { data });
    else this.#response = this.publish("response", data);
  }

  #text(chunk: Chunk, name: string, what: string): void {
    const key = `${name} ${chunk.id}`;
    const headers = this.#headers(chunk, { part: String(chunk.id) });
    if (what === "start") {
      this.#open.set(key, this.#publish(name, "", headers, "streaming"));
      return;
    }
    const serial = this.#open.get(key) ?? "";
    const held = this.messages.find((message) => message.serial === serial);
    const kept = Object.entries(held?.headers ?? {}).filter(([name]) => !(name in headers.long));
    headers.short = { ...Object.fromEntries(kept), ...headers.short };
    if (what === "delta") {
      const data = `${held?.data}${chunk.delta}`;
      if (chunk.providerMetadata) this.#put(serial, { data }, headers);
      else if (chunk.delta) this.#change(serial, { data });
    } else this.#close(serial, {}, headers);
  }

  #input(chunk: Chunk, what: string): void {
    const toolCallId = String(chunk.toolCallId);
    const held = this.#calls.get(toolCallId);
    const open = this.messages.find(({ serial }) => serial === held?.input);
    const isOpen = open?.status === "streaming";
    if (what === "input-delta") {
      this.#change(held?.input ?? "", { data: `${open?.data}${chunk.inputTextDelta}` });
      return;
    }
    const isAgain = what !== "input-start" && open !== undefined && !held?.output;
    const head = { ...(isAgain && held?.head), ...chunk };
    const isError = what === "input-error";
    const { type, toolName, dynamic, providerExecuted } = chunk;
    const bare = { type, toolName, dynamic, providerExecuted };
    // The fields given with the error are those of the error.
    const known = isError ? (isOpen && held?.head) || bare : head;
    const headers = this.#headers(known, { toolCallId });
    if (what === "input-start") {
      const input = this.#publish("tool-input", "", headers, "streaming");
      this.#calls.set(toolCallId, { input, head: chunk });
      return;
    }
    if (isError) headers.short.state = "error";
    const data = chunk.input ?? null;
    const status = isError ? "failed" : "complete";
    if (isOpen) this.#close(open.serial, { data, status }, headers);
    else if (isAgain && !isError) this.#put(open.serial, { data }, headers);
    else {
      const input = this.#publish("tool-input", data, headers);
      this.#calls.set(toolCallId, { input, head });
    }
    const call = this.#calls.get(toolCallId);
    if (call) call.head = head;
    if (isError) this.#output(chunk, "input-error");
  }

  #output(chunk: Chunk, what: string): void {
    const toolCallId = String(chunk.toolCallId);
    const call = this.#calls.get(toolCallId);
    const is = what.replace("output-", "");
    const state = chunk.preliminary ? "preliminary" : is;
    const headers = this.#headers(chunk, { toolCallId, state });
    const data = chunk.errorText ?? chunk.output ?? null;
    if (call?.output) {
      this.#put(call.output, { data }, headers);
      return;
    }
    const output = this.#publish("tool-output", data, headers);
    if (call) call.output = output;
  }

  #approval({ type: _, ...chunk }: Chunk, what: string): void {
    const key = `approval ${chunk.approvalId}`;
    const held = this.messages.find(({ serial }) => serial === this.#open.get(key));
    const data = { ...fieldsOf(held?.data), ...chunk };
    const toolCallId = String(fieldsOf(data).toolCallId);
    const approvalId = String(chunk.approvalId);
    const state = what === "approval-request" ? "requested" : "responded";
    const headers = { approvalId, toolCallId, state };
    if (held) this.#change(held.serial, { data, headers });
    else this.#open.set(key, this.publish("tool-approval", data, { headers }));
  }

  /** Text for what is short, and the rest apart. */
  #headers(chunk: Chunk, given: Record<string, string>) {
    const short: Record<string, string> = {};
    const long: Record<string, string> = {};
    const add = (name: string, value: string) => {
      (value.length > MOST_HEADER ? long : short)[name] = value;
    };
    for (const [name, value] of Object.entries(given)) add(name, value);
    for (const name of COPIED) if (chunk[name] !== undefined) add(name, String(chunk[name]));
    for (const name of FLAGS) if (chunk[name]) add(name, "true");
    for (const name of VALUES) {
      if (chunk[name] !== undefined) add(name, JSON.stringify(chunk[name]));
    }
    return { short, long };
  }

  /** The long headers stand directly before the message. */
  #publish(
    name: string,
    data: unknown,
    { short, long }: Notes,
    status?: Message["status"],
  ): string {
    const role = name === "tool-output" ? "tool" : "assistant";
    const id = `${this.turn.id}/1/m${this.messages.length}`;
    if (Object.keys(long).length > 0) this.publish("notes", long, { headers: { of: id } });
    return this.publish(name, data, { id, role, headers: short, ...(status && { status }) });
  }

  #put(serial: string, change: Change, { short, long }: Notes): void {
    const of = this.messages.find((message) => message.serial === serial)?.id ?? "";
    if (Object.keys(long).length > 0) this.publish("notes", long, { headers: { of } });
    this.#change(serial, { ...change, headers: short });
  }

  #close(serial: string, { status = "complete", ...change }: Change, headers: Notes): void {
    if (this.#isOld) this.#change(serial, { status });
    this.#put(serial, this.#isOld ? change : { status, ...change }, headers);
  }

  #change(serial: string, change: Change): void {
    const version = this.#next();
    this.messages = this.messages.map((message) =>
      message.serial === serial ? { ...message, ...change, version } : message,
    );
    this.#note();
  }

  #next(): string {
    this.#count += 1;
    return String(this.#count).padStart(12, "0");
  }

  #note(): void {
    this.states.push({ messages: this.messages, turn: this.turn });
  }
}
