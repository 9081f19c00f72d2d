/// <reference lib="esnext.disposable" preserve="true" />
// A turn as its leader sees it: it is spoken in, cancelled, steered and always ended (P6).

import {
  type ClientFrame,
  isOpen,
  type Message,
  type Role,
  SessileError,
  type Turn,
} from "../protocol/index.ts";
import type { Codec, Ending, Headers, Operation } from "./codec/operation.ts";
import { text } from "./codec/text.ts";
import { type Outlet, Output } from "./output.ts";

/** What a turn needs of its session. Frames go out with the turn's attempt (P6.8). */
export interface Host extends Outlet {
  /** Sent if there is a connection, and forgotten. */
  send(frame: ClientFrame): void;
  /** The turn is over, or not led from here any more. */
  release(): void;
}

/** How a stream ended. */
export interface StreamResult {
  status: Ending;
  /** What the provider said went wrong. */
  error?: string;
}

export interface MessageOptions {
  /** What readers call it (P4.1); `message` unless told. */
  name?: string;
  headers?: Headers;
  role?: Role;
  /** The message that it follows (P6.9). */
  parent?: string;
  /** Its own id within the turn, for whoever wants to say it again in a later attempt. */
  id?: string;
}

export interface EndOptions {
  /** By default what became of the turn's streams, or `cancelled` if that was asked. */
  status?: Ending;
  /** Why it failed. */
  error?: unknown;
}

/** A message that the agent writes by hand. */
export interface MessageWriter {
  append(text: string): void;
  /** Resolves when the session has all of it. */
  end(status?: Ending): Promise<void>;
}

/** Anything that gives parts one after another: a ReadableStream, a generator, an SDK's stream. */
export type Source<Part> = AsyncIterable<Part> | Iterable<Part>;

/** Codes that say that the turn is not, or no longer, for this process to drive. */
const LOST = /^(turn-closed|not-leader|gone|forbidden|unauthorized|session-closed)$/;

export function isLoss(error: unknown): error is SessileError {
  return error instanceof SessileError && LOST.test(error.code);
}

/** An error as readers are told of it: no stack, which is the agent's own business. */
function told(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, message } = error as Error & { code?: unknown };
  return { code, message };
}

export class AgentTurn implements AsyncDisposable {
  readonly id: string;
  /** Which process this is of those that led the turn (P6.8). */
  readonly attempt: number;
  /** The turn as the session last told it. */
  info: Turn;
  /** Fires when the turn is cancelled, or is not led from here any more. */
  readonly signal: AbortSignal;
  /** Sends frames that have no method here, such as `turn.suspend`, with the turn's attempt. */
  readonly host: Host;
  readonly #control = new AbortController();
  readonly #stopped: Promise<void>;
  readonly #prefix: string;
  readonly #outputs = new Set<Output>();
  readonly #progress = new Map<string, Output>();
  #scopes = 0;
  #steers: Message[] = [];
  #onSteer: (() => void) | undefined;
  #lost: SessileError | undefined;
  #failure: unknown;
  #hasSpoken = false;
  #ended: Promise<Turn> | undefined;
  #timer: ReturnType<typeof setInterval>;

  constructor(host: Host, turn: Turn, isKept: boolean) {
    this.host = host;
    this.info = turn;
    this.id = turn.id;
    this.attempt = turn.attempt;
    this.signal = this.#control.signal;
    this.#stopped = new Promise((done) => {
      this.signal.addEventListener("abort", () => done());
    });
    // What a later attempt says stands for what was said before, unless that is kept.
    this.#prefix = isKept ? `${turn.id}/${turn.attempt}` : turn.id;
    this.#timer = setInterval(() => this.beat(), (turn.leaseMs ?? 30_000) / 3);
    this.take(turn);
  }

  /** Whether somebody asked for its end. */
  get isCancelled(): boolean {
    return Boolean(this.info.cancel);
  }

  /**
   * Passes a stream on, part by part, and waits for its end. A codec turns the parts of a
   * provider's stream into messages; without one they are text. An error of the source fails
   * what it began and is thrown; a cancel ends the stream where it is.
   */
  stream(source: Source<string | Uint8Array>): Promise<StreamResult>;
  stream<Part>(source: Source<Part>, codec: Codec<Part>): Promise<StreamResult>;
  async stream(source: Source<unknown>, codec: Codec<never> = text()): Promise<StreamResult> {
    const take = codec as Codec<unknown>;
    const scope = this.#scope();
    const outputs = new Map<string, Output>();
    const from = source as AsyncIterable<unknown> & Iterable<unknown>;
    const parts = from[Symbol.asyncIterator]?.() ?? from[Symbol.iterator]();
    let result: StreamResult = { status: "complete" };
    let problem: unknown;
    try {
      for (;;) {
        const next = await Promise.race([parts.next(), this.#stopped]);
        if (!next || next.done) break;
        for (const operation of take(next.value)) {
          if (operation.op === "fail") result = operation;
          else this.#apply(scope, outputs, operation);
        }
        for (const output of outputs.values()) {
          await Promise.race([output.room(), this.#stopped]);
          if (output.error) throw output.error;
        }
      }
      // Not waited for: a source that is in the middle of something may take its time.
      if (this.signal.aborted) Promise.resolve(parts.return?.()).catch(() => {});
    } catch (error) {
      problem = error;
    }
    const { error } = result;
    const status = this.isCancelled ? "cancelled" : problem ? "failed" : result.status;
    for (const output of outputs.values()) {
      if (output.isOpen) output.close({ status });
      await this.#done(output).catch((refusal) => {
        problem ??= refusal;
      });
    }
    this.#hasSpoken = true;
    if (this.isCancelled) return { status };
    problem = this.#lost ?? problem;
    if (problem || status === "failed") this.#failure ??= problem ?? error ?? status;
    if (problem) throw problem;
    return { status, ...(error && { error }) };
  }

  /** Says something whole; resolves with its serial when the session has it. */
  async message(data: unknown, options: MessageOptions = {}): Promise<string> {
    const output = this.#output(options);
    output.put({ ...options, data });
    await this.#done(output);
    return output.serial ?? "";
  }

  /** Begins a message that is written by hand. */
  write(options: MessageOptions = {}): MessageWriter {
    const output = this.#output(options);
    output.open({ ...options, text: "" });
    return {
      append: (text) => output.append({ text }),
      end: (status = "complete") => {
        output.close({ status });
        return this.#done(output);
      },
    };
  }

  /** Says how far the work has come: one message of its name, which changes in place. */
  progress(data: unknown, name = "progress"): Promise<void> {
    const output = this.#progress.get(name) ?? this.#output({ id: name, name });
    this.#progress.set(name, output);
    output.put({ data });
    return output.done();
  }

  /** Takes the instructions that came since (P6.7); their senders see that they were taken. */
  async steered(): Promise<Message[]> {
    const steers = this.#steers.splice(0);
    for (const { serial } of steers) {
      await this.host.ask({ type: "turn.steered", turn: this.id, serial });
    }
    return steers;
  }

  /** Calls when an instruction comes, and now if one waits; take it with `steered()`. */
  onSteer(call: () => void): void {
    this.#onSteer = call;
    if (this.#steers[0]) call();
  }

  /** Ends the turn when all that was said has arrived. A second call changes nothing. */
  end(options: EndOptions = {}): Promise<Turn> {
    this.#ended ??= this.#end(options);
    return this.#ended;
  }

  /** `await using`: complete if something was said and nothing failed, otherwise failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasSpoken) this.#failure ??= { message: "the agent left" };
    await this.end();
  }

  /** The session tells of the turn. */
  take(turn: Turn): void {
    this.info = turn;
    if (turn.cancel) this.#abort(`cancelled by ${turn.cancel.by}`);
    if (turn.attempt > this.attempt) {
      this.lose(new SessileError("not-leader", "adopted by another process"));
    } else if (!isOpen(turn) && !this.#ended) {
      this.lose(new SessileError("turn-closed", `turn ${turn.id} is ${turn.status}`));
    }
  }

  /** Keeps the lease (P6.8). */
  beat(): void {
    this.host.send({ type: "turn.heartbeat", turn: this.id });
  }

  takeSteer(message: Message): void {
    if (this.#steers.some(({ serial }) => serial === message.serial)) return;
    this.#steers.push(message);
    this.#onSteer?.();
  }

  /** The turn goes on elsewhere, or not at all. */
  lose(error: SessileError): void {
    this.#lost ??= error;
    this.#stop();
    this.#abort(error.message);
    for (const output of this.#outputs) output.abandon(error);
  }

  async #done(output: Output): Promise<void> {
    await output.done();
    this.#hasSpoken = true;
    this.#outputs.delete(output);
  }

  async #flush(): Promise<void> {
    for (const output of this.#outputs) await output.done();
  }

  async #end({ status, error }: EndOptions): Promise<Turn> {
    await this.#flush().catch((problem) => {
      this.#failure ??= problem;
    });
    const failure = error ?? this.#failure;
    const ending = this.isCancelled ? "cancelled" : (status ?? (failure ? "failed" : "complete"));
    const why = ending === "failed" && failure ? { error: told(failure) } : {};
    try {
      if (this.#lost) throw this.#lost;
      await this.host.ask({ type: "turn.end", turn: this.id, status: ending, ...why });
    } catch (problem) {
      // It ended already: by a cancel's grace, by another process, or by this frame sent twice.
      if (!isLoss(problem)) throw problem;
    } finally {
      this.#stop();
    }
    return this.info;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.host.release();
  }

  #abort(message: string): void {
    // A second one changes nothing.
    this.#control.abort(new DOMException(message, "AbortError"));
  }

  #scope(): string {
    this.#scopes += 1;
    return String(this.#scopes);
  }

  #output({ id = this.#scope(), name, role = "assistant", parent }: MessageOptions): Output {
    const head = { id: `${this.#prefix}/${id}`, role, turn: this.id };
    const more = { ...(name && { name }), ...(parent && { parent }) };
    const output = new Output(this.host, { ...head, ...more });
    this.#outputs.add(output);
    if (this.#lost) output.abandon(this.#lost);
    return output;
  }

  #apply(
    scope: string,
    outputs: Map<string, Output>,
    operation: Exclude<Operation, { op: "fail" }>,
  ): void {
    const { op } = operation;
    if (op === "signal") {
      const { name, data } = operation;
      this.host.send({ type: "signal", name, data });
      return;
    }
    const { key } = operation;
    let output = outputs.get(key);
    if (op === "open" || (op === "put" && !output)) {
      output = this.#output({ ...operation, id: `${scope}/${key}` });
      outputs.set(key, output);
    }
    output?.[op](operation as never);
  }
}
