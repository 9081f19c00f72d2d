/// <reference lib="esnext.disposable" preserve="true" />
// A turn, for its leader: it is spoken in, cancelled, steered and always ended (P6).

import {
  type ClientFrame,
  isOpen,
  type Message,
  type ResultOf,
  SessileError,
  type Turn,
  type Usage,
  wellFormed,
} from "../protocol/index.ts";
import {
  type ApproveOptions,
  Askings,
  type AskOptions,
  type CallOptions,
  type Settled,
} from "./asking.ts";
import type { Audience, Crowd, WatchedOptions } from "./audience.ts";
import type { Codec, Ending } from "./codec/operation.ts";
import { text } from "./codec/text.ts";
import { newId } from "./ids.ts";
import type { Reader } from "./link.ts";
import type { Outlet } from "./pipeline.ts";
import {
  type MessageOptions,
  type MessageWriter,
  type Source,
  Speech,
  type StreamOptions,
  type StreamResult,
} from "./speech.ts";
import { Tally } from "./tally.ts";

/** The session, for a turn. Frames carry the turn's attempt (P6.8). */
export interface Host extends Outlet, Reader {
  /** The members. */
  readonly crowd: Crowd;
  /** Sent until answered, over as many connections as necessary. */
  ask<F extends ClientFrame>(frame: F): Promise<ResultOf<F>>;
  /** Sent if there is a connection, and forgotten. */
  send(frame: ClientFrame): void;
  /** Takes the turn, which was queued for the next process, before another one does (P8.4). */
  takeBack(): Promise<Turn>;
  /** Tells the agent of the turn, which is still queued. */
  offer(): void;
  /** The turn is over, or another process leads it. */
  release(): void;
}

export interface EndOptions {
  /** By default the status of the turn's streams, or `cancelled` after a cancel. */
  status?: Ending;
  /** The reason of a failure. */
  error?: unknown;
  /** The amounts that it used since the last ones (P6.12). */
  usage?: Usage;
}

/** Codes that mean that this process does not, or no longer, lead the turn. */
const LOST = /^(turn-closed|not-leader|gone|forbidden|unauthorized|session-closed)$/;

export function isLoss(error: unknown): error is SessileError {
  return error instanceof SessileError && LOST.test(error.code);
}

/** An error for readers: without the stack, which is the agent's own business. */
function told(error: unknown): unknown {
  if (!(error instanceof Error)) return wellFormed(error);
  const { code, message } = error as Error & { code?: unknown };
  return wellFormed({ code, message });
}

export class AgentTurn implements AsyncDisposable {
  readonly id: string;
  /** The number of the turn's present leader among all (P6.8). */
  attempt: number;
  /** The turn, as last told by the session. */
  info: Turn;
  /** Fires when the turn is cancelled, or another process leads it. */
  readonly signal: AbortSignal;
  /** Sends frames without a method here, such as `turn.suspend`, with the turn's attempt. */
  readonly host: Host;
  readonly #control = new AbortController();
  /** Fires with the signal, and at the turn's end. */
  readonly #over = new AbortController();
  readonly #speech: Speech;
  readonly #askings: Askings;
  readonly #tally: Tally;
  /** Resolves when the turn, which was queued for the next process, is taken back or lost. */
  returning: Promise<void> | undefined;
  #steers: Message[] = [];
  /** The serials of those that were taken. */
  readonly #taken = new Set<string>();
  #onSteer: (() => void) | undefined;
  #lost: SessileError | undefined;
  #ended: Promise<Turn> | undefined;
  #timer: ReturnType<typeof setInterval>;

  constructor(host: Host, turn: Turn, isKept: boolean) {
    this.host = host;
    this.info = turn;
    this.id = turn.id;
    this.attempt = turn.attempt;
    this.signal = this.#control.signal;
    this.#speech = new Speech(this, isKept);
    const { id, signal } = this;
    this.#tally = new Tally((usage) => {
      const report = { type: "turn.usage", turn: id, usage, id: newId() } as const;
      host.ask(report).catch(() => {});
    });
    const ask: Host["ask"] = (frame) => {
      // The process may leave while it waits for people.
      this.#tally.report();
      return host.ask(frame);
    };
    this.#askings = new Askings({ id, signal, ask, led: () => this.#led() });
    // A suspended turn has no lease.
    const beat = () => this.info.status === "active" && this.beat();
    this.#timer = setInterval(beat, (turn.leaseMs ?? 30_000) / 3);
  }

  /** Whether the turn was cancelled. */
  get isCancelled(): boolean {
    return Boolean(this.info.cancel);
  }

  /**
   * Passes a stream on, part by part, and waits for its end. A codec turns a provider's parts into
   * messages; without one they are text. An error of the source fails its open messages and is
   * thrown; a cancel ends the stream where it is.
   */
  stream(source: Source<string | Uint8Array>): Promise<StreamResult>;
  stream<Part>(
    source: Source<Part>,
    codec: Codec<Part>,
    options?: StreamOptions,
  ): Promise<StreamResult>;
  stream(
    source: Source<unknown>,
    codec: Codec<never> = text(),
    options: StreamOptions = {},
  ): Promise<StreamResult> {
    return this.#speech.stream(source, codec as Codec<unknown>, options);
  }

  /** Publishes a whole message; resolves to its serial once the session has it. */
  message(data: unknown, options: MessageOptions = {}): Promise<string> {
    return this.#speech.message(data, options);
  }

  /** Begins a message written by hand. */
  write(options: MessageOptions = {}): MessageWriter {
    return this.#speech.write(options);
  }

  /** Reports progress: one message of its name, which changes in place. */
  progress(data: unknown, name = "progress"): Promise<void> {
    return this.#speech.progress(data, name);
  }

  /**
   * Adds to what the turn has used (P6.12): by names of your choice, such as `costMicros`. The
   * codecs report tokens by themselves. It is sent within a second, or with the turn's end.
   */
  usage(more: Usage): void {
    this.#tally.add(more);
  }

  /** Takes the instructions since the last call (P6.7); their senders see that they were taken. */
  async steered(): Promise<Message[]> {
    const steers = this.#steers.splice(0);
    for (const { serial } of steers) {
      this.#taken.add(serial);
      await this.#tookSteer(serial);
    }
    return steers;
  }

  /** Calls when an instruction arrives, and at once if one waits; take it with `steered()`. */
  onSteer(call: () => void): void {
    this.#onSteer = call;
    if (this.#steers[0]) call();
  }

  /**
   * Asks somebody to allow something (P8.1). Resolves once that is decided, in this process or, by
   * the same call, in the next one; until then the turn is suspended.
   */
  approve(options: ApproveOptions): Promise<Settled> {
    return this.#askings.approval("approval", options);
  }

  /** Asks a question; otherwise as `approve`. */
  ask(options: AskOptions): Promise<Settled> {
    return this.#askings.approval("question", options);
  }

  /**
   * Calls a tool that a client's device runs (P8.9), and resolves to its output; otherwise as
   * `approve`. Rejects with a `CallError` if the tool fails, or nobody runs it in time.
   */
  call<Output = unknown>(
    tool: string,
    input?: unknown,
    options: CallOptions = {},
  ): Promise<Output> {
    return this.#askings.call(tool, input, options) as Promise<Output>;
  }

  /** The people who are there, as the session last told it (P7). */
  get audience(): Audience {
    return this.host.crowd.audience;
  }

  /**
   * Resolves once somebody is there, at once if so; the turn keeps its lease meanwhile. Rejects
   * if the turn is cancelled, led by another process, or over.
   */
  watched({ signal, who }: WatchedOptions = {}): Promise<Audience> {
    return this.host.crowd.watched([this.#over.signal, ...(signal ? [signal] : [])], who);
  }

  /** Ends the turn once all its output has arrived. A second call changes nothing. */
  end(options: EndOptions = {}): Promise<Turn> {
    if (options.usage && !this.#ended) this.usage(options.usage);
    this.#ended ??= this.#end(options);
    return this.#ended;
  }

  /** `await using`: complete if there was output and nothing failed, otherwise failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { hasSpoken, failure } = this.#speech;
    await this.end(hasSpoken || failure ? {} : { error: { message: "the agent left" } });
  }

  /** The session reports the turn. */
  take(turn: Turn): void {
    const isWaiting = this.info.status === "suspended" || this.#askings.isPending;
    this.info = turn;
    if (turn.cancel) this.#abort(`cancelled by ${turn.cancel.by}`);
    if (this.returning) return;
    const isNext = turn.attempt > this.attempt;
    // A text that was growing has failed with this attempt, and the next process says it anew.
    if (isNext && turn.status === "queued" && isWaiting && this.#speech.isQuiet) {
      this.returning = this.#takeBack();
    } else if (isNext) {
      this.lose(new SessileError("not-leader", `attempt ${turn.attempt} is another process's`));
    } else if (!isOpen(turn) && !this.#ended) {
      this.lose(new SessileError("turn-closed", `turn ${turn.id} is ${turn.status}`));
    }
  }

  /** The session reports something that the turn has asked. */
  settle(asking: { id: string; status: string }): void {
    this.#askings.take(asking);
  }

  /** Keeps the lease (P6.8). */
  beat(): void {
    this.host.send({ type: "turn.heartbeat", turn: this.id });
  }

  /** There is a new connection: leads from there on, or learns that it does not. */
  attached(isResumed: boolean): void {
    this.beat();
    if (!isResumed) this.#askings.again();
  }

  takeSteer(message: Message): void {
    if (this.#steers.some(({ serial }) => serial === message.serial)) return;
    // It waits again since the turn was queued (P6.8), though not for this process.
    if (this.#taken.has(message.serial)) {
      this.#tookSteer(message.serial).catch(() => {});
      return;
    }
    this.#steers.push(message);
    this.#onSteer?.();
  }

  /** Another process leads the turn, or none does. */
  lose(error: SessileError): void {
    this.#lost ??= error;
    this.#stop();
    this.#abort(error.message);
    this.#speech.abandon(error);
  }

  /** Goes on as the turn's next leader, after its last asking. */
  async #takeBack(): Promise<void> {
    try {
      const turn = await this.host.takeBack();
      this.attempt = turn.attempt;
      this.returning = undefined;
      this.take(turn);
    } catch (problem) {
      const error = problem as SessileError;
      this.returning = undefined;
      this.lose(error);
      // It was refused for a reason that may pass, and no other process has the turn.
      if (!/^(conflict|session-closed)$/.test(error.code)) this.host.offer();
    }
  }

  async #led(): Promise<void> {
    await this.returning;
    if (this.signal.aborted) throw this.#reason;
  }

  /** The reason of the end of the signal, or the better one. */
  get #reason(): unknown {
    return this.isCancelled ? this.signal.reason : this.#lost;
  }

  async #tookSteer(serial: string): Promise<void> {
    await this.host.ask({ type: "turn.steered", turn: this.id, serial });
  }

  async #end({ status, error }: EndOptions): Promise<Turn> {
    await this.#speech.flush();
    const failure = error ?? this.#speech.failure;
    const ending = this.isCancelled ? "cancelled" : (status ?? (failure ? "failed" : "complete"));
    const why = ending === "failed" && failure ? { error: told(failure) } : {};
    try {
      if (this.#lost) throw this.#lost;
      const end = { type: "turn.end", turn: this.id, status: ending, ...why } as const;
      await this.host.ask({ ...end, ...this.#tally.take() }).catch((refusal) => {
        // The session counts so many names, and this must not keep the turn open.
        if (refusal.code !== "over-limit") throw refusal;
        return this.host.ask(end);
      });
    } catch (problem) {
      // It has ended already: after a cancel's grace, by another process, or by a repeat of this
      // frame.
      if (!isLoss(problem)) throw problem;
    } finally {
      this.#stop();
    }
    return this.info;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#tally.take();
    this.#over.abort(this.#lost ?? new SessileError("turn-closed", `turn ${this.id} is over`));
    this.host.release();
  }

  #abort(message: string): void {
    // A second one changes nothing.
    this.#control.abort(new DOMException(message, "AbortError"));
    this.#askings.fail(this.#reason);
    this.#over.abort(this.#reason);
  }
}
