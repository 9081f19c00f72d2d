// What both of an agent's links have in common: what waits to be sent, and coming back.
// A page's connection shows more of itself and looks after more; a server has no use for that.

import { addressOf } from "../connection/http.ts";
import { TokenSource } from "../connection/token.ts";
import type {
  ConnectionOptions,
  ConnectionStatus,
  Link,
  Owner,
  RequestOptions,
} from "../connection/types.ts";
import {
  type AttachedFrame,
  type ClientFrame,
  DEFAULT_LIMITS,
  type ErrorInfo,
  type Limits,
  type ResultOf,
  type ServerFrame,
  SessileError,
} from "../protocol/index.ts";

const BACKOFF_MS = 250;
const BACKOFF_MOST_MS = 15_000;

/** A frame that waits for its answer. */
export interface Pending {
  ref: number;
  text: string;
  isOnce: boolean;
  done: (result: never) => void;
  fail: (error: SessileError) => void;
}

/** What an agent needs of a link; reads are functions beside it. */
export type Wire = Omit<Link, "read"> & Pick<AgentLink, "tokens" | "options">;

export abstract class AgentLink implements Omit<Link, "read"> {
  status: ConnectionStatus = { state: "idle" };
  attached: AttachedFrame | undefined;
  readonly address: string;
  /** What is to be sent, in order. */
  protected waiting: Pending[] = [];
  readonly options: ConnectionOptions;
  readonly tokens: TokenSource;
  /** Leaves the present connection. */
  protected quit: (() => void) | undefined;
  /** What the session refused without saying which frame. */
  protected refusal: SessileError | undefined;
  readonly #owner: Owner;
  protected isOn = false;
  #failures = 0;
  #ref = 0;

  constructor(options: ConnectionOptions, owner: Owner) {
    this.options = options;
    this.#owner = owner;
    this.address = addressOf(options);
    this.tokens = new TokenSource(options.token);
  }

  get limits(): Limits {
    return this.attached?.limits ?? DEFAULT_LIMITS;
  }

  start(): void {
    this.isOn = true;
    void this.#run();
  }

  stop(): void {
    this.#end({ state: "idle" });
  }

  send(...frames: ClientFrame[]): boolean {
    for (const frame of frames) this.request(frame, { once: true }).catch(this.report);
    return true;
  }

  request<F extends ClientFrame>(
    frame: F,
    { once: isOnce = false }: RequestOptions = {},
  ): Promise<ResultOf<F>> {
    return new Promise((done, fail) => {
      this.#ref += 1;
      const ref = this.#ref;
      const text = JSON.stringify({ ref, ...frame });
      const most = this.limits.frameBytes;
      if (!this.isOn) {
        fail(this.#over());
      } else if (text.length * 3 > most && new Blob([text]).size > most) {
        const message = `unable to send; stream what has more than ${most} bytes`;
        fail(new SessileError("too-large", message));
      } else {
        this.waiting.push({ ref, text, isOnce, done, fail });
        // What is asked for in one go goes out together (P13.6).
        queueMicrotask(() => this.flush());
      }
    });
  }

  /** Sends what waits, if it can. */
  protected abstract flush(): void;

  /** Connects and hears until the connection is lost; gives what no coming back can help. */
  protected abstract hear(): Promise<SessileError | undefined>;

  protected readonly report = (error: SessileError): void => {
    if (error.code !== "disconnected") this.#owner.failed?.(error);
  };

  /** The query of a connection (P3.3). */
  protected query(): URLSearchParams {
    const since = this.#owner.position();
    return new URLSearchParams({ names: `${this.options.names}`, ...(since && { since }) });
  }

  /** The frames of one message. */
  protected take(frames: ServerFrame[]): void {
    for (const frame of frames) {
      if (frame.type === "attached") this.attached = frame;
      if (frame.type === "nack" && frame.ref === null) {
        this.refusal = SessileError.of(frame.error);
        this.report(this.refusal);
      }
    }
    this.#owner.take(frames);
    if (!frames.some(({ type }) => type === "caught-up")) return;
    this.#failures = 0;
    this.#show({ state: "connected" });
  }

  protected settle({ done, fail }: Pending, answer: { result?: unknown; error?: ErrorInfo }): void {
    if (answer.error) fail(SessileError.of(answer.error));
    else done(answer.result as never);
  }

  /** Nobody knows whether these arrived; those that are not sent twice are told so. */
  protected unsure(sent: Iterable<Pending> = []): void {
    const all = [...sent, ...this.waiting];
    this.waiting = all.filter(({ isOnce }) => !isOnce);
    const error = new SessileError("disconnected", "the connection was lost");
    for (const { isOnce, fail } of all) if (isOnce) fail(error);
  }

  /** What a close code says (P13.3), if it says that coming back is of no use. */
  protected closed(code: number): SessileError | undefined {
    const isFinal = /44(00|03|10|13)/.test(`${code}`) || (code === 4401 && !this.tokens.canRenew);
    if (!isFinal) return undefined;
    return this.refusal ?? new SessileError("session-closed", `the session closed with ${code}`);
  }

  /** Full jitter (P13.3). */
  protected pause(failures: number): Promise<void> {
    const { backoffMs = BACKOFF_MS, backoffMostMs = BACKOFF_MOST_MS } = this.options.timing ?? {};
    const most = Math.min(backoffMostMs, backoffMs * 2 ** failures);
    return new Promise((done) => setTimeout(done, Math.random() * most));
  }

  async #run(): Promise<void> {
    while (this.isOn) {
      this.#show({ state: "connecting" });
      let error: SessileError | undefined;
      this.refusal = error;
      try {
        const final = await this.hear();
        if (final) this.#end({ state: "closed", error: final });
      } catch (problem) {
        error = problem as SessileError;
      }
      if (!this.isOn) return;
      this.unsure();
      this.#show({ state: "waiting", reason: "lost", error: error ?? this.refusal });
      await this.pause(this.#failures++);
    }
  }

  #over(): SessileError {
    return this.status.error ?? new SessileError("session-closed", "the session was closed");
  }

  #end(status: ConnectionStatus): void {
    this.isOn = false;
    this.#show(status);
    this.quit?.();
    for (const { fail } of this.waiting.splice(0)) fail(this.#over());
  }

  #show(status: ConnectionStatus): void {
    this.status = status;
    this.#owner.changed(status);
  }
}
