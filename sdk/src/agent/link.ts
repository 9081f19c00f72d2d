// What both of an agent's links have in common: what waits to be sent, and coming back.
// A page's connection shows more of itself and looks after more; a server has no use for that.

import { addressOf, readJson } from "../connection/http.ts";
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
  type ErrorCode,
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

/** What trying again cannot help (P13.3), by close code or the status of a request. */
const FINAL: Record<number, ErrorCode> = {
  4400: "invalid-frame",
  4403: "forbidden",
  4410: "gone",
  4413: "too-large",
};

export function isFinal({ status, code }: SessileError): boolean {
  return 4000 + status in FINAL || code === "wrong-url";
}

export abstract class AgentLink implements Link {
  status: ConnectionStatus = { state: "idle" };
  attached: AttachedFrame | undefined;
  /** What is to be sent, in order. */
  protected waiting: Pending[] = [];
  protected readonly options: ConnectionOptions;
  protected readonly owner: Owner;
  protected readonly address: string;
  protected readonly tokens: TokenSource;
  /** Leaves the present connection. */
  protected quit: (() => void) | undefined;
  /** What the session said before it closed the connection. */
  protected refusal: SessileError | undefined;
  #isOn = false;
  #failures = 0;
  #ref = 0;

  constructor(options: ConnectionOptions, owner: Owner) {
    this.options = options;
    this.owner = owner;
    this.address = addressOf(options);
    this.tokens = new TokenSource(options.token);
  }

  get limits(): Limits {
    return this.attached?.limits ?? DEFAULT_LIMITS;
  }

  start(): void {
    this.#isOn = true;
    void this.#run();
  }

  stop(): void {
    this.#end({ state: "idle" }, new SessileError("session-closed", "the session was closed"));
  }

  send(...frames: ClientFrame[]): boolean {
    for (const frame of frames) this.request(frame, { once: true }).catch(this.report);
    return true;
  }

  request<F extends ClientFrame>(frame: F, options?: RequestOptions): Promise<ResultOf<F>> {
    return new Promise((done, fail) => {
      this.#ref += 1;
      const ref = this.#ref;
      const text = JSON.stringify({ ref, ...frame });
      const most = this.limits.frameBytes;
      if (!this.#isOn) {
        fail(this.status.error ?? new SessileError("session-closed", "the session was closed"));
      } else if (text.length * 3 > most && new TextEncoder().encode(text).length > most) {
        const message = `unable to send; a frame has at most ${most} bytes: stream what is larger`;
        fail(new SessileError("too-large", message));
      } else {
        this.waiting.push({ ref, text, isOnce: options?.once ?? false, done, fail });
        // What is asked for in one go goes out together (P13.6).
        queueMicrotask(() => this.flush());
      }
    });
  }

  read<T>(path: string, init?: RequestInit): Promise<T> {
    const get = this.options.fetch ?? fetch.bind(globalThis);
    return readJson<T>(`${this.address}/${path}`, this.tokens, get, init);
  }

  /** Sends what waits, if it can. */
  protected abstract flush(): void;

  /** Connects, and hears until the connection is lost. */
  protected abstract hear(): Promise<void>;

  protected readonly report = (error: SessileError): void => {
    if (error.code !== "disconnected") this.owner.failed?.(error);
  };

  /** The query of a connection (P3.3). */
  protected query(): string {
    const { names, rollup } = this.options;
    const given = { since: this.owner.position(), rewind: 0, names, rollup };
    const known = Object.entries(given).filter(([, value]) => value !== undefined);
    return `${new URLSearchParams(known.map(([name, value]) => [name, String(value)]))}`;
  }

  /** The frames of one message. */
  protected take(frames: ServerFrame[]): void {
    for (const frame of frames) if (frame.type === "attached") this.attached = frame;
    this.owner.take(frames);
    if (frames.some(({ type }) => type === "caught-up")) {
      this.#failures = 0;
      this.#show({ state: "connected" });
    }
  }

  protected settle(pending: Pending, answer: { result?: unknown; error?: ErrorInfo }): void {
    if (answer.error) pending.fail(SessileError.of(answer.error));
    else pending.done(answer.result as never);
  }

  /** Nobody knows whether these arrived; those that are not sent twice are told so. */
  protected unsure(sent: Pending[]): void {
    const all = [...sent, ...this.waiting];
    this.waiting = all.filter(({ isOnce }) => !isOnce);
    const error = new SessileError("disconnected", "the connection was lost");
    for (const { isOnce, fail } of all) if (isOnce) fail(error);
  }

  /** Throws if the close means that coming back is of no use. */
  protected closed(status: number): void {
    const code = FINAL[status];
    const isFinal = code || (status === 4401 && !this.tokens.canRenew);
    const message = `unable to go on; the session closed the connection with ${status}`;
    if (isFinal) throw this.refusal ?? new SessileError(code ?? "unauthorized", message);
  }

  /** Full jitter (P13.3). */
  protected pause(failures: number): Promise<void> {
    const { backoffMs = BACKOFF_MS, backoffMostMs = BACKOFF_MOST_MS } = this.options.timing ?? {};
    const most = Math.min(backoffMostMs, backoffMs * 2 ** failures);
    return new Promise((done) => setTimeout(done, Math.random() * most));
  }

  async #run(): Promise<void> {
    while (this.#isOn) {
      this.#show({ state: "connecting" });
      const lost: ConnectionStatus = { state: "waiting", reason: "lost" };
      let error: SessileError | undefined;
      try {
        await this.hear();
      } catch (problem) {
        if (problem instanceof SessileError) error = problem;
      }
      if (!this.#isOn) return;
      this.unsure([]);
      const isOver = error && (isFinal(error) || error === this.refusal);
      if (error && isOver) this.#end({ state: "closed", error }, error);
      else this.#show({ ...lost, ...(error && { error }) });
      await this.pause(this.#failures++);
    }
  }

  #end(status: ConnectionStatus, error: SessileError): void {
    this.#isOn = false;
    this.quit?.();
    for (const { fail } of this.waiting.splice(0)) fail(error);
    this.#show(status);
  }

  #show(status: ConnectionStatus): void {
    this.status = status;
    this.owner.changed(status);
  }
}
