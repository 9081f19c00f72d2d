// The shell of the reducer: one connection at a time, one timer, and the requests that wait for
// answers. Its two kinds, over a socket and over `fetch`, carry the frames.

import {
  type AttachedFrame,
  type ClientFrame,
  DEFAULT_LIMITS,
  type Limits,
  type ResultOf,
  type ServerFrame,
  SessileError,
} from "../protocol/index.ts";
import { addressOf, readJson } from "./http.ts";
import {
  deadline,
  type Effect,
  IDLE,
  type Input,
  isAttached,
  type State,
  shift,
  statusOf,
  step,
  TIMING,
} from "./reducer.ts";
import { type Outgoing, Requests } from "./requests.ts";
import { telling } from "./telling.ts";
import { advised, mayPass, TokenSource } from "./token.ts";
import type {
  ConnectionOptions,
  ConnectionStatus,
  Link,
  Owner,
  ReadInit,
  RequestOptions,
  Timing,
} from "./types.ts";

export abstract class Connection implements Link {
  readonly options: ConnectionOptions;
  readonly address: string;
  readonly tokens: TokenSource;
  protected readonly owner: Owner;
  protected readonly requests = new Requests();
  readonly #timing: Timing;
  readonly #tell: ReturnType<typeof telling>;
  #state: State = IDLE;
  #status: ConnectionStatus = statusOf(IDLE);
  #attached: AttachedFrame | undefined;
  #limits = DEFAULT_LIMITS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The time of the last decision: a clock may be set back. */
  #decidedAt = 0;
  #isStopped = false;
  #isFlushing = false;

  constructor(options: ConnectionOptions, owner: Owner, timing: Partial<Timing> = {}) {
    this.options = options;
    this.owner = owner;
    this.address = addressOf(options);
    this.#timing = { ...TIMING, ...options.timing, ...timing };
    this.tokens = new TokenSource(options.token);
    this.#tell = telling(options);
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get attached(): AttachedFrame | undefined {
    return this.#attached;
  }

  get limits(): Limits {
    return this.#limits;
  }

  start(): void {
    this.#isStopped = false;
    this.#listen("addEventListener");
    this.take({ type: "start" });
  }

  stop(): void {
    // Requests made a moment ago are still in flight.
    this.flush();
    this.#isStopped = true;
    this.#listen("removeEventListener");
    this.take({ type: "stop" });
    this.requests.failAll(stopped());
  }

  /** Checks at once whether the network is back or the peer still there. */
  readonly nudge = (): void => this.take({ type: "nudge" });

  send(...frames: ClientFrame[]): boolean {
    if (!this.canSend) return false;
    for (const frame of frames) this.requests.tell(frame, this.limits.frameBytes);
    this.#flushSoon();
    return true;
  }

  request<F extends ClientFrame>(
    frame: F,
    { once: isOnce = false }: RequestOptions = {},
  ): Promise<ResultOf<F>> {
    const { error } = this.#state;
    if (this.#state.phase === "closed" && error) return Promise.reject(error);
    if (this.#isStopped) return Promise.reject(stopped());
    if (isOnce && !this.canSend) {
      const message = "not sent: there is no connection now";
      return Promise.reject(new SessileError("disconnected", message));
    }
    const asked = this.requests.ask(frame, isOnce, this.limits.frameBytes);
    this.#flushSoon();
    return asked;
  }

  read<T>(path: string, init?: ReadInit): Promise<T> {
    const url = `${this.address}${path && !path.startsWith("?") ? "/" : ""}${path}`;
    return readJson<T>(url, this.tokens, this.fetch, init);
  }

  protected get fetch(): typeof fetch {
    return this.options.fetch ?? fetch.bind(globalThis);
  }

  protected get isAttached(): boolean {
    return isAttached(this.#state);
  }

  /** Whether to connect, and whether trying is of use. */
  protected get isOn(): boolean {
    return this.#state.phase !== "idle" && this.#state.phase !== "closed";
  }

  /** Whether a frame could be sent now. */
  protected abstract get canSend(): boolean;

  /** Begins to connect; the outcome is an input. */
  protected abstract open(token: string): void;

  /** Abandons the present connection, whose events are ignored from now on. */
  protected abstract leave(): void;

  protected abstract ping(): void;

  /** Replaces the token of the connection. */
  protected abstract renew(): Promise<void>;

  /** Sends the waiting frames, if it can. */
  protected abstract flush(): void;

  protected take(input: Input): void {
    const now = Date.now();
    const was = now < this.#decidedAt ? shift(this.#state, now - this.#decidedAt) : this.#state;
    this.#decidedAt = now;
    const { canRenew } = this.tokens;
    const crowd = crowdIn(this.#attached);
    const at = { now, random: Math.random(), timing: this.#timing, canRenew, crowd };
    const [state, effects] = step(was, input, at);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    // A later input may have come from within an effect.
    if (this.#state !== state) return;
    this.#arm();
    if (state !== was) this.#show();
  }

  /** The frames of one message. */
  protected hear(frames: readonly ServerFrame[]): void {
    this.#tell.log("heard", frames);
    for (const frame of frames) if (frame.type === "attached") this.#attach(frame);
    const { since } = this.#state;
    this.owner.take(frames);
    for (const frame of frames) {
      // The owner may have stopped, or the session may have been given up.
      if (!this.isOn || this.#state.since !== since) return;
      this.#answer(frame);
    }
  }

  /** Nobody knows whether the frames sent have arrived. */
  protected lose(): void {
    this.requests.lose();
    this.owner.lost?.();
  }

  /** Frames that go out together in one array (P13.6). */
  protected bodyOf(batch: readonly Outgoing[]): string {
    const body = `[${batch.map(({ text }) => text)}]`;
    this.#tell.log("said", body);
    return body;
  }

  protected readonly refused = (refusal: SessileError): void => {
    const error = advised(refusal);
    // Before `attached` the frame gives the reason of the coming close (P2.5).
    if (!this.isAttached) this.take({ type: "refused", error });
    this.owner.failed?.(error);
  };

  #do(effect: Effect): void {
    if (effect === "token") void this.#open();
    else if (effect === "drop") {
      this.tokens.forget();
      this.leave();
    } else if (effect === "ping") this.ping();
    else if (effect === "renew") void this.#renew();
    else void this.#look();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const at = deadline(this.#state, this.#timing);
    // While there is a connection the next ping is due soon: no timer is too long for the platform.
    if (at === Infinity) return;
    this.#timer = setTimeout(() => this.take({ type: "tick" }), Math.max(0, at - Date.now()));
  }

  #show(): void {
    const was = this.#status;
    const now = statusOf(this.#state);
    const names = Object.keys(now) as (keyof ConnectionStatus)[];
    if (names.every((name) => was[name] === now[name])) return;
    this.#status = now;
    this.#tell.status(now);
    if (now.state === "closed" && now.error) this.requests.failAll(now.error);
    this.owner.changed(now);
  }

  async #open(): Promise<void> {
    const { since } = this.#state;
    const isAsked = () => this.#state.phase === "token" && this.#state.since === since;
    try {
      const token = await this.tokens.get();
      if (!isAsked()) return;
      this.owner.opening?.(token);
      this.take({ type: "opening" });
      this.open(token);
    } catch (problem) {
      const error = problem as SessileError;
      if (isAsked()) this.take({ type: "tokenless", error, mayPass: mayPass(error) });
    }
  }

  /** The query of a connection (P3.3). */
  protected query(): string {
    const { rollup, names } = this.options;
    const rewind = this.owner.rewind?.() ?? this.options.rewind;
    const given = { since: this.owner.position(), rewind, rollup, names: names?.join() };
    // Undefined values are left out.
    return new URLSearchParams(JSON.parse(JSON.stringify(given))).toString();
  }

  #attach(frame: AttachedFrame): void {
    // Another caller's request needs no answer here.
    const was = this.#attached?.client ?? frame.client;
    if (was !== frame.client) {
      const text = `not sent as ${frame.client}; ${was} asked for it`;
      this.requests.failAll(new SessileError("disconnected", text));
    }
    this.#attached = frame;
    // A server that does not tell it has the default.
    this.#limits = { ...DEFAULT_LIMITS, ...frame.limits };
    this.take({ type: "attached", protocol: frame.protocol, forMs: lastsMs(frame) });
    this.#flushSoon();
  }

  #answer(frame: ServerFrame): void {
    if (frame.type === "caught-up") this.take({ type: "caught-up" });
    else if (frame.type === "probe") this.send({ type: "seen", n: frame.n });
    else if (frame.type === "token-expiring") void this.#renew();
    else if (frame.type === "ack" || frame.type === "nack") {
      const isKnown = this.requests.settle(frame);
      if (!isKnown && frame.type === "nack") this.refused(SessileError.of(frame.error));
    }
  }

  async #renew(): Promise<void> {
    if (!this.tokens.canRenew) return;
    try {
      await this.renew();
    } catch (error) {
      // The old token stays until it expires, and a new one is requested before that.
      if (error instanceof SessileError && error.code !== "disconnected") {
        this.owner.failed?.(error);
      }
    }
  }

  /** Browsers do not say why a WebSocket cannot be opened; HTTP does. */
  async #look(): Promise<void> {
    try {
      await this.read("?rewind=0");
    } catch (error) {
      if (error instanceof SessileError) this.take({ type: "looked", error: advised(error) });
    }
  }

  /** Requests of one tick are sent together (P13.6). */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  #listen(method: "addEventListener" | "removeEventListener"): void {
    // Servers have a navigator, too, but it knows nothing of a network.
    if (globalThis.navigator?.onLine === undefined) return;
    globalThis[method]("online", this.nudge);
    globalThis[method]("pageshow", this.nudge);
    globalThis.document?.[method]("visibilitychange", this.nudge);
  }
}

/**
 * The remaining life of a token, in milliseconds. `expiresAt` is a time of the session's clock,
 * and a device's own may be hours off, so the session tells its time (P3.4).
 */
export function lastsMs({
  expiresAt,
  at = Date.now(),
}: {
  expiresAt: number;
  at?: number;
}): number {
  return expiresAt - at;
}

/** The number of connections told by the session, or else of members. */
function crowdIn({ connections, presenceCount, presence }: Partial<AttachedFrame> = {}): number {
  return connections ?? presenceCount ?? presence?.length ?? 0;
}

function stopped(): SessileError {
  return new SessileError("session-closed", "the session was closed");
}
