// A turn as its leader sees it: it is spoken in, cancelled, steered and always ended (P6).

import {
  type AppendFrame,
  type ClientFrame,
  isOpen,
  type Message,
  type Placed,
  type ResultOf,
  type Role,
  SessileError,
  type Turn,
} from "../protocol/index.ts";
import type { Codec, Ending, Headers, Operation } from "./codec/operation.ts";
import { text } from "./codec/text.ts";
import { type Head, type Outlet, Output } from "./output.ts";

/** What a turn needs of its session. */
export interface Host {
  ask<F extends ClientFrame>(frame: F): Promise<ResultOf<F>>;
  once<F extends ClientFrame>(frame: F): Promise<ResultOf<F>>;
  /** Sent if there is a connection, and forgotten. */
  send(frame: ClientFrame): void;
  connected(): Promise<void>;
  message(serial: string): Promise<Message>;
  turn(id: string): Promise<Turn>;
  /** The turn is over, or not led from here any more. */
  release(turn: AgentTurn): void;
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
const LOST = ["turn-closed", "not-leader", "gone", "forbidden", "unauthorized", "session-closed"];

function isLoss(error: unknown): error is SessileError {
  return error instanceof SessileError && LOST.includes(error.code);
}

/** An error as readers are told of it: no stack, which is the agent's own business. */
function told(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  return { ...(typeof code === "string" && { code }), message: error.message };
}

export class AgentTurn implements AsyncDisposable {
  readonly id: string;
  /** Which process this is of those that led the turn (P6.8). */
  readonly attempt: number;
  readonly #host: Host;
  readonly #control = new AbortController();
  readonly #prefix: string;
  readonly #outputs = new Set<Output>();
  readonly #puts = new Map<string, Output>();
  #turn: Turn;
  #scopes = 0;
  #steers: Message[] = [];
  #onSteer: (() => void) | undefined;
  #lost: SessileError | undefined;
  #failure: unknown;
  #hasSpoken = false;
  #ended: Promise<Turn> | undefined;
  #heardAt = Date.now();
  #timer: ReturnType<typeof setInterval>;

  constructor(host: Host, turn: Turn, isKept: boolean) {
    this.#host = host;
    this.#turn = turn;
    this.id = turn.id;
    this.attempt = turn.attempt;
    // What a later attempt says stands for what was said before, unless that is kept.
    this.#prefix = isKept ? `${turn.id}/${turn.attempt}` : turn.id;
    const beat = (turn.leaseMs ?? 30_000) / 3;
    this.#timer = setInterval(() => this.#beat(beat), beat);
    this.take(turn);
  }

  /** The turn as the session last told it. */
  get info(): Turn {
    return this.#turn;
  }

  /** The serial of the message that it answers. */
  get input(): string | undefined {
    return this.#turn.input;
  }

  /** Fires when the turn is cancelled, or is not led from here any more. */
  get signal(): AbortSignal {
    return this.#control.signal;
  }

  /** Whether somebody asked for its end. */
  get isCancelled(): boolean {
    return this.#turn.cancel !== undefined || this.#turn.status === "cancelled";
  }

  /**
   * Passes a stream on, part by part, and waits for its end. A codec turns the parts of a
   * provider's stream into messages; without one they are text. An error of the source fails
   * what it began and is thrown; a cancel ends the stream where it is.
   */
  stream(source: Source<string | Uint8Array>): Promise<StreamResult>;
  stream<Part>(source: Source<Part>, codec: Codec<Part>): Promise<StreamResult>;
  async stream(source: Source<unknown>, codec?: Codec<never>): Promise<StreamResult> {
    const take = (codec ?? text()) as Codec<unknown>;
    const scope = this.#scope();
    const outputs = new Map<string, Output>();
    const finish = async (status: Ending) => {
      for (const output of outputs.values()) if (output.isOpen) output.close(status);
      await Promise.all([...outputs.values()].map((output) => this.#done(output)));
    };
    let failure: (Operation & { op: "fail" }) | undefined;
    try {
      for await (const part of until(source, this.signal)) {
        for (const operation of take(part)) {
          if (operation.op === "fail") failure = operation;
          else this.#apply(scope, outputs, operation);
        }
        for (const output of outputs.values()) {
          if (output.error) throw output.error;
          const room = output.room();
          if (room) await Promise.race([room, aborted(this.signal)]);
        }
      }
    } catch (error) {
      await finish(this.isCancelled ? "cancelled" : "failed").catch(() => {});
      if (!this.signal.aborted) this.#failure ??= error;
      if (!this.isCancelled) throw this.#lost ?? error;
    }
    if (this.isCancelled) failure = { op: "fail", status: "cancelled" };
    const { status = "complete", error } = failure ?? {};
    await finish(status).catch((problem) => this.#refused(problem));
    if (this.#lost && !this.isCancelled) throw this.#lost;
    if (status === "failed") this.#failure ??= error ?? "the stream failed";
    this.#hasSpoken = true;
    return { status, ...(error && { error }) };
  }

  /** Says something whole; resolves with its place when the session has it. */
  async message(data: unknown, options: MessageOptions = {}): Promise<string> {
    const output = this.#output(this.#head(options.id ?? this.#scope(), options));
    output.put(data, options.headers);
    await this.#done(output);
    this.#hasSpoken = true;
    return output.serial ?? "";
  }

  /** Begins a message that is written by hand. */
  write(options: MessageOptions = {}): MessageWriter {
    const output = this.#output(this.#head(options.id ?? this.#scope(), options));
    output.open("", options.headers);
    return {
      append: (text) => output.append(text),
      end: async (status = "complete") => {
        output.close(status);
        await this.#done(output);
        this.#hasSpoken = true;
      },
    };
  }

  /** Says how far the work has come: one message of its name, which changes in place. */
  async progress(data: unknown, name = "progress"): Promise<void> {
    const known = this.#puts.get(name);
    const output = known ?? this.#output(this.#head(name, { name }));
    this.#puts.set(name, output);
    output.put(data);
    await output.done();
  }

  /** Takes the instructions that came since (P6.7); their senders see that they were taken. */
  async steered(): Promise<Message[]> {
    const steers = this.#steers;
    this.#steers = [];
    const taken = steers.map(({ serial }) =>
      this.#ask({ type: "turn.steered", turn: this.id, serial }),
    );
    await Promise.all(taken);
    return steers;
  }

  /** Calls when an instruction comes, and now if one waits; take it with `steered()`. */
  onSteer(call: () => void): void {
    this.#onSteer = call;
    if (this.#steers.length > 0) call();
  }

  /** Waits for something outside; no lease runs meanwhile (P6.3). */
  async suspend(reason?: string): Promise<void> {
    await this.#flush();
    await this.#ask({ type: "turn.suspend", turn: this.id, ...(reason && { reason }) });
  }

  async resume(): Promise<void> {
    await this.#ask({ type: "turn.resume", turn: this.id });
  }

  /** Ends the turn when all that was said has arrived. A second call changes nothing. */
  end(options: EndOptions = {}): Promise<Turn> {
    this.#ended ??= this.#end(options);
    return this.#ended;
  }

  /** `await using`: complete if something was said and nothing failed, otherwise failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return void (await this.#ended.catch(() => {}));
    const isDone = this.#hasSpoken || this.isCancelled || this.#failure !== undefined;
    const error = "the agent left the turn without an answer";
    await this.end(isDone ? {} : { status: "failed", error: { message: error } });
  }

  /** The session tells of the turn. */
  take(turn: Turn): void {
    this.#turn = turn;
    if (turn.attempt > this.attempt) {
      this.lose(
        new SessileError("not-leader", "unable to go on; another process adopted the turn"),
      );
    } else if (turn.cancel) {
      this.#abort(`turn ${turn.id} was cancelled by ${turn.cancel.by}`);
    }
    if (!isOpen(turn) && this.#ended === undefined) {
      const why = `unable to go on; turn ${turn.id} is ${turn.status}`;
      this.lose(new SessileError("turn-closed", why));
    }
  }

  takeSteer(message: Message): void {
    if (this.#steers.some(({ serial }) => serial === message.serial)) return;
    this.#steers.push(message);
    this.#onSteer?.();
  }

  /** The turn goes on elsewhere, or not at all. */
  lose(error: SessileError): void {
    if (this.#lost) return;
    this.#lost = error;
    this.#stop();
    this.#abort(error.message, error);
    for (const output of this.#outputs) output.abandon(error);
  }

  async #done(output: Output): Promise<void> {
    await output.done();
    this.#outputs.delete(output);
  }

  /** What is said is under way; the connection may go once it has arrived. */
  async #flush(): Promise<void> {
    await Promise.all([...this.#outputs].map((output) => output.done()));
  }

  async #end({ status, error }: EndOptions): Promise<Turn> {
    await this.#flush().catch((problem) => this.#refused(problem));
    const failure = error ?? this.#failure;
    const isFailed = status === undefined && failure !== undefined;
    const ending = this.isCancelled ? "cancelled" : (status ?? (isFailed ? "failed" : "complete"));
    const why = ending === "failed" && failure !== undefined ? { error: told(failure) } : {};
    try {
      if (this.#lost) throw this.#lost;
      await this.#ask({ type: "turn.end", turn: this.id, status: ending, ...why });
    } catch (problem) {
      // It ended already: by a cancel's grace, by another process, or by this frame sent twice.
      if (!isLoss(problem)) throw problem;
      this.#turn = await this.#host.turn(this.id).catch(() => this.#turn);
    } finally {
      this.#stop();
    }
    return this.#turn;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#host.release(this);
  }

  #abort(message: string, cause?: unknown): void {
    if (this.signal.aborted) return;
    const reason = new DOMException(message, "AbortError");
    if (cause) Object.defineProperty(reason, "cause", { value: cause });
    this.#control.abort(reason);
  }

  #refused(problem: unknown): void {
    if (!this.isCancelled && !isLoss(problem)) this.#failure ??= problem;
  }

  /** Keeps the lease while nothing is said (P6.8). */
  async #beat(ms: number): Promise<void> {
    if (Date.now() - this.#heardAt < ms || this.#turn.status === "suspended") return;
    const { id: turn, attempt } = this;
    try {
      await this.#host.once({ type: "turn.heartbeat", turn, attempt });
    } catch (error) {
      if (isLoss(error)) this.lose(error);
    }
  }

  async #ask<F extends ClientFrame>(frame: F): Promise<ResultOf<F>> {
    return this.#watch(this.#host.ask({ ...frame, attempt: this.attempt }));
  }

  /** Whatever is answered says how the turn stands. */
  async #watch<Result>(asked: Promise<Result>): Promise<Result> {
    this.#heardAt = Date.now();
    try {
      const result = await asked;
      const { turn } = result as { turn?: Turn };
      if (turn) this.#turn = turn;
      return result;
    } catch (error) {
      if (isLoss(error)) this.lose(error);
      throw error;
    }
  }

  #scope(): string {
    this.#scopes += 1;
    return String(this.#scopes);
  }

  #head(id: string, { name = "message", role = "assistant", parent }: MessageOptions): Head {
    const head = { id: `${this.#prefix}/${id}`, name, role, turn: this.id };
    return parent === undefined ? head : { ...head, parent };
  }

  #output(head: Head): Output {
    const outlet: Outlet = {
      ask: (frame) => this.#ask(frame),
      once: (frame: AppendFrame): Promise<Placed> =>
        this.#watch(this.#host.once({ ...frame, attempt: this.attempt })),
      connected: () => this.#host.connected(),
      message: (serial) => this.#host.message(serial),
    };
    const output = new Output(outlet, head);
    this.#outputs.add(output);
    if (this.#lost) output.abandon(this.#lost);
    return output;
  }

  #apply(
    scope: string,
    outputs: Map<string, Output>,
    operation: Exclude<Operation, { op: "fail" }>,
  ): void {
    if (operation.op === "signal") {
      const { name, data } = operation;
      this.#host.send({ type: "signal", name, data });
      return;
    }
    const { key } = operation;
    const begin = (name: string, role?: Role) => {
      const output = this.#output(this.#head(`${scope}/${key}`, { name, ...(role && { role }) }));
      outputs.set(key, output);
      return output;
    };
    const known = outputs.get(key);
    if (operation.op === "open") begin(operation.name).open(operation.text, operation.headers);
    else if (operation.op === "append") known?.append(operation.text);
    else if (operation.op === "close") known?.close(operation.status, changeOf(operation));
    else if (operation.op === "drop") known?.drop();
    else (known ?? begin(operation.name, operation.role)).put(operation.data, operation.headers);
  }
}

/** What the end of a text changes of it. */
function changeOf(close: Operation & { op: "close" }): { data?: unknown; headers?: Headers } {
  return {
    ...("data" in close && { data: close.data }),
    ...(close.headers && { headers: close.headers }),
  };
}

/** Resolves when the signal has fired. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener("abort", () => done(), { once: true }));
}

/** The parts of a source until a signal fires; the source is then told to stop. */
async function* until<Part>(source: Source<Part>, signal: AbortSignal): AsyncGenerator<Part> {
  const parts =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const stop = aborted(signal);
  try {
    for (;;) {
      const next = await Promise.race([parts.next(), stop]);
      if (!next || next.done || signal.aborted) return;
      yield next.value;
    }
  } finally {
    // Not waited for: a source that is in the middle of something may take its time.
    Promise.resolve(parts.return?.()).catch(() => {});
  }
}
