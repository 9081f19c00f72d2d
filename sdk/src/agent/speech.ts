// Everything that an agent says in one turn: streams, messages, progress. The pipeline keeps it in
// one order.

import {
  type ClientFrame,
  type Role,
  type SessileError,
  type Usage,
  wellFormed,
} from "../protocol/index.ts";
import { batchesOf } from "./changes.ts";
import type { Codec, Ending, Headers, Operation } from "./codec/operation.ts";
import { newId } from "./ids.ts";
import { type Keeper, kept } from "./large.ts";
import { Output, type Trouble } from "./output.ts";
import { type Outlet, Pipeline } from "./pipeline.ts";

/** How a stream ended. */
export interface StreamResult {
  status: Ending;
  /** The provider's error. */
  error?: string;
  /** `stream-cut` if the stream stopped without its own end. */
  code?: string;
}

export interface MessageOptions {
  /** Its name for readers (P4.1); `message` by default. */
  name?: string;
  headers?: Headers;
  role?: Role;
  /** The message that it follows (P6.9). */
  parent?: string;
  /** Its own id within the turn, for a repeat in a later attempt. */
  id?: string;
}

export interface StreamOptions {
  /** Its own id within the turn, for a repeat in a later attempt; by default its number. */
  id?: string;
}

/** A message that the agent writes by hand. */
export interface MessageWriter {
  append(text: string): void;
  /** Resolves when the session has all of it. */
  end(status?: Ending): Promise<void>;
}

/** Any sequence of parts: a ReadableStream, a generator, an SDK's stream. */
export type Source<Part> = AsyncIterable<Part> | Iterable<Part>;

/** The turn in which something is said. */
interface Speaker {
  readonly id: string;
  readonly attempt: number;
  readonly isCancelled: boolean;
  /** Fires when it is cancelled, or another process leads it. */
  readonly signal: AbortSignal;
  readonly host: Outlet & Keeper & { send(frame: ClientFrame): void };
  /** Adds to what it has used. */
  usage(more: Usage): void;
}

/** The outputs of one stream, and their first error. */
interface Said {
  scope: string;
  outputs: Map<string, Output>;
  trouble: Trouble;
}

export class Speech {
  readonly #turn: Speaker;
  readonly #prefix: string;
  readonly #pipeline: Pipeline;
  /** Errors of messages outside streams. */
  readonly #trouble: Trouble = {};
  /** Streams that wait for their next part. */
  readonly #waiting = new Set<() => void>();
  readonly #progress = new Map<string, Output>();
  #scopes = 0;
  #failure: unknown;
  #lost: SessileError | undefined;
  /** Whether a stream or a message has come to its end. */
  hasSpoken = false;

  constructor(turn: Speaker, isKept: boolean) {
    this.#turn = turn;
    this.#pipeline = new Pipeline(turn.host);
    // A later attempt replaces earlier output, unless that is kept.
    this.#prefix = isKept ? `${turn.id}/${turn.attempt}` : turn.id;
    turn.signal.addEventListener("abort", () => {
      for (const stop of this.#waiting) stop();
    });
  }

  /** The first error of anything that was said. */
  get failure(): unknown {
    return this.#failure ?? this.#trouble.error;
  }

  /** Whether no text is growing. */
  get isQuiet(): boolean {
    return this.#pipeline.isQuiet;
  }

  /** Resolves when everything is in the session, or refused. */
  flush(): Promise<void> {
    return this.#pipeline.flush();
  }

  /** Another process leads the turn, or none does: nothing more is sent. */
  abandon(error: SessileError): void {
    this.#lost ??= error;
    this.#pipeline.abandon(error);
  }

  async stream(
    source: Source<unknown>,
    take: Codec<unknown>,
    { id = this.#scope() }: StreamOptions,
  ): Promise<StreamResult> {
    const said: Said = { scope: id, outputs: new Map(), trouble: {} };
    let result: StreamResult = { status: "complete" };
    const apply = async (operations: Operation[] = []) => {
      for (const operation of operations) {
        if (operation.op === "fail") result = outcome(operation);
        else this.#apply(said, await this.#fitting(said, operation));
      }
    };
    let problem: unknown;
    try {
      for await (const part of this.#partsOf(source)) {
        await apply(take(part));
        await this.#pipeline.room();
      }
      if (!this.#turn.signal.aborted) await apply(take.end?.());
    } catch (error) {
      problem = error;
    }
    const status = this.#turn.isCancelled ? "cancelled" : problem ? "failed" : result.status;
    for (const output of said.outputs.values()) output.close({ status });
    await this.flush();
    this.hasSpoken = true;
    if (this.#turn.isCancelled) return { status };
    problem = this.#lost ?? problem ?? said.trouble.error;
    const { error: message = status, code } = result;
    if (problem || status === "failed") this.#failure ??= problem ?? { code, message };
    if (problem) throw problem;
    return { ...result, status };
  }

  async message(data: unknown, options: MessageOptions): Promise<string> {
    const output = this.#output(options);
    const large = kept(this.#turn.host, data, output.head.id);
    output.put({ ...options, data: large ? await large : data });
    await this.#done(output);
    return output.serial ?? "";
  }

  write(options: MessageOptions): MessageWriter {
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

  progress(data: unknown, name: string): Promise<void> {
    const output = this.#progress.get(name) ?? this.#output({ id: name, name });
    this.#progress.set(name, output);
    output.put({ data });
    return output.done();
  }

  async #done(output: Output): Promise<void> {
    await output.done();
    this.hasSpoken = true;
  }

  /**
   * The parts of a source until it or the turn ends. A race with the turn's end would keep every
   * part until then, so the end is passed to the waiting reader.
   */
  async *#partsOf(source: Source<unknown>): AsyncGenerator<unknown> {
    const from = source as AsyncIterable<unknown> & Iterable<unknown>;
    const parts = from[Symbol.asyncIterator]?.() ?? from[Symbol.iterator]();
    while (!this.#turn.signal.aborted) {
      const next = await new Promise<IteratorResult<unknown> | undefined>((done, fail) => {
        const stop = () => done(undefined);
        this.#waiting.add(stop);
        Promise.resolve(parts.next())
          .finally(() => this.#waiting.delete(stop))
          .then(done, fail);
      });
      if (next?.done) return;
      if (next) yield next.value;
    }
    // Not awaited: a source in the middle of something may take its time.
    Promise.resolve(parts.return?.()).catch(() => {});
  }

  #scope(): string {
    this.#scopes += 1;
    return String(this.#scopes);
  }

  #output(
    { id = this.#scope(), name, role = "assistant", parent }: MessageOptions,
    trouble = this.#trouble,
  ): Output {
    const head = { id: `${this.#prefix}/${id}`, role, turn: this.#turn.id };
    const more = { ...(name && { name }), ...(parent && { parent }) };
    const output = new Output(this.#pipeline, { ...head, ...more }, trouble);
    if (this.#lost) output.fail(this.#lost);
    return output;
  }

  /** An operation whose value a message holds; a larger one is a file, once it is uploaded. */
  #fitting<O extends Operation>(said: Said, operation: O): O | Promise<O> {
    if (operation.op !== "put") return operation;
    const id = `${this.#prefix}/${said.scope}/${operation.key}`;
    const large = kept(this.#turn.host, operation.data, id, operation.file);
    return large ? large.then((data) => ({ ...operation, data })) : operation;
  }

  #apply(said: Said, operation: Exclude<Operation, { op: "fail" }>): void {
    const { op } = operation;
    if (op === "usage") {
      this.#turn.usage(operation.usage);
      return;
    }
    if (op === "signal") {
      const { name, data } = operation;
      this.#turn.host.send({ type: "signal", name, data: wellFormed(data) });
      return;
    }
    if (op === "state") {
      for (const ops of batchesOf(operation.ops, this.#turn.host.limits)) {
        new Output(this.#pipeline, { id: newId() }, said.trouble).change(ops);
      }
      return;
    }
    const { key } = operation;
    let output = said.outputs.get(key);
    if (op === "open" || (op === "put" && !output)) {
      output = this.#output({ ...operation, id: `${said.scope}/${key}` }, said.trouble);
      said.outputs.set(key, output);
    }
    const of =
      op === "put" && operation.of !== undefined && said.outputs.get(operation.of)?.head.id;
    const headers = of ? { ...operation.headers, of } : undefined;
    output?.[op]({ ...operation, ...(headers && { headers }) } as never);
  }
}

function outcome({ status, error, code }: Extract<Operation, { op: "fail" }>): StreamResult {
  return { status, ...(error && { error }), ...(code && { code }) };
}
