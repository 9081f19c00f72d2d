// The shell of the reducer: one WebSocket at a time, one timer, and what waits for an answer.

import {
  type AttachedFrame,
  type ClientFrame,
  DEFAULT_LIMITS,
  type Limits,
  type ResultOf,
  readFrames,
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
  statusOf,
  step,
  TIMING,
  type Timing,
} from "./reducer.ts";
import { TokenSource } from "./token.ts";
import type {
  ConnectionOptions,
  ConnectionStatus,
  Link,
  Owner,
  ReadInit,
  RequestOptions,
} from "./types.ts";

interface Pending {
  text: string;
  isOnce: boolean;
  done(result: unknown): void;
  fail(error: SessileError): void;
}

export class Connection implements Link {
  readonly #options: ConnectionOptions;
  readonly #owner: Owner;
  readonly address: string;
  readonly #timing: Timing;
  readonly #tokens: TokenSource;
  readonly #pending = new Map<number, Pending>();
  #state: State = IDLE;
  #status: ConnectionStatus = statusOf(IDLE);
  #attached: AttachedFrame | undefined;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastRef = 0;

  constructor(options: ConnectionOptions, owner: Owner) {
    this.#options = options;
    this.#owner = owner;
    this.address = addressOf(options);
    this.#timing = { ...TIMING, ...options.timing };
    this.#tokens = new TokenSource(options.token);
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get attached(): AttachedFrame | undefined {
    return this.#attached;
  }

  get limits(): Limits {
    return this.#attached?.limits ?? DEFAULT_LIMITS;
  }

  start(): void {
    this.#listen("addEventListener");
    this.#take({ type: "start" });
  }

  stop(): void {
    this.#listen("removeEventListener");
    this.#take({ type: "stop" });
    this.#reject(new SessileError("session-closed", "the session was closed"));
  }

  /** Looks at once whether the network is back or the peer still there. */
  readonly nudge = (): void => this.#take({ type: "nudge" });

  send(...frames: ClientFrame[]): boolean {
    if (!isAttached(this.#state)) return false;
    this.#write(frames.map((frame) => this.#encode(frame)));
    return true;
  }

  request<F extends ClientFrame>(frame: F, options?: RequestOptions): Promise<ResultOf<F>> {
    return new Promise((done, fail) => {
      this.#lastRef += 1;
      const ref = this.#lastRef;
      const isOnce = options?.once ?? false;
      const text = this.#encode({ ref, ...frame });
      if (this.#state.phase === "closed") return fail(this.#state.error);
      if (isOnce && !isAttached(this.#state)) return fail(disconnected());
      this.#pending.set(ref, { text, isOnce, done: done as Pending["done"], fail });
      if (isAttached(this.#state)) this.#write([text]);
    });
  }

  read<T>(path: string, init?: ReadInit): Promise<T> {
    const url = `${this.address}${path && !path.startsWith("?") ? "/" : ""}${path}`;
    return readJson<T>(url, this.#tokens, this.#options.fetch ?? fetch.bind(globalThis), init);
  }

  #take(input: Input): void {
    const was = this.#state;
    const { canRenew } = this.#tokens;
    const at = { now: Date.now(), random: Math.random(), timing: this.#timing, canRenew };
    const [state, effects] = step(was, input, at);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    // A later input may have come from within an effect.
    if (this.#state !== state) return;
    this.#arm();
    if (state !== was) this.#show();
  }

  #do(effect: Effect): void {
    if (effect === "token") this.#open();
    else if (effect === "drop") this.#drop();
    else if (effect === "ping") this.#socket?.send("ping");
    else if (effect === "renew") this.#renew();
    else this.#look();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const at = deadline(this.#state, this.#timing);
    // While there is a connection the next ping is due soon: no timer is too long for the platform.
    if (at === Infinity) return;
    this.#timer = setTimeout(() => this.#take({ type: "tick" }), Math.max(0, at - Date.now()));
  }

  #show(): void {
    const was = this.#status;
    const now = statusOf(this.#state);
    const names = Object.keys(now) as (keyof ConnectionStatus)[];
    if (names.every((name) => was[name] === now[name])) return;
    this.#status = now;
    if (now.state === "closed" && now.error) this.#reject(now.error);
    this.#owner.changed(now);
  }

  async #open(): Promise<void> {
    const asking = this.#state;
    try {
      const token = await this.#tokens.get();
      if (this.#state !== asking) return;
      this.#connect(token);
      this.#take({ type: "opening" });
    } catch (error) {
      if (this.#state === asking) {
        this.#take({ type: "tokenless", error: error as SessileError });
      }
    }
  }

  #connect(token: string): void {
    const { rewind, rollup, names } = this.#options;
    const given = { since: this.#owner.position(), rewind, rollup, names: names?.join() };
    // What is undefined is left out.
    const query = new URLSearchParams(JSON.parse(JSON.stringify(given)));
    const url = `${this.address.replace(/^http/, "ws")}/connect?${query}`;
    const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
    const socket = new Socket(url, ["sessile.v1", `sessile.token.${token}`]);
    this.#socket = socket;
    // A socket that was dropped says nothing any more, whatever was still on its way.
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#hear(String(data));
    };
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) this.#take({ type: "lost", code });
    };
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#tokens.forget();
    socket?.close();
    for (const [ref, pending] of this.#pending) {
      if (!pending.isOnce) continue;
      this.#pending.delete(ref);
      pending.fail(disconnected());
    }
  }

  #hear(text: string): void {
    this.#take({ type: "heard" });
    if (text === "pong") return;
    const socket = this.#socket;
    const frames = readFrames(text);
    for (const frame of frames) if (frame.type === "attached") this.#attach(frame);
    this.#owner.take(frames);
    for (const frame of frames) {
      // The owner may have stopped, or the session may have been given up.
      if (this.#socket !== socket) return;
      this.#answer(frame);
    }
  }

  #attach(frame: AttachedFrame): void {
    this.#attached = frame;
    const { protocol, expiresAt } = frame;
    this.#take({ type: "attached", protocol, expiresAt });
    if (isAttached(this.#state)) this.#write([...this.#pending.values()].map(({ text }) => text));
  }

  #answer(frame: ServerFrame): void {
    if (frame.type === "caught-up") this.#take({ type: "caught-up" });
    else if (frame.type === "probe") this.send({ type: "seen", n: frame.n });
    else if (frame.type === "token-expiring") this.#renew();
    else if (frame.type === "ack" || frame.type === "nack") {
      const pending = this.#pending.get(frame.ref as number);
      this.#pending.delete(frame.ref as number);
      if (frame.type === "ack") pending?.done(frame.result);
      else (pending?.fail ?? this.#refused)(SessileError.of(frame.error));
    }
  }

  readonly #refused = (error: SessileError): void => {
    // Before `attached` it says why the connection is about to be closed (P2.5).
    if (!isAttached(this.#state)) this.#take({ type: "refused", error });
    this.#owner.failed?.(error);
  };

  async #renew(): Promise<void> {
    if (!this.#tokens.canRenew) return;
    try {
      const token = await this.#tokens.get();
      const { expiresAt } = await this.request({ type: "auth", token }, { once: true });
      this.#take({ type: "renewed", expiresAt });
    } catch (error) {
      // The old token stands until it expires, and is asked for again before.
      if (error instanceof SessileError && error.code !== "disconnected") {
        this.#owner.failed?.(error);
      }
    }
  }

  /** Browsers do not say why a WebSocket cannot be opened; HTTP does. */
  async #look(): Promise<void> {
    try {
      await this.read("?rewind=0");
    } catch (error) {
      if (error instanceof SessileError && this.#state.phase === "waiting") {
        this.#take({ type: "refused", error });
      }
    }
  }

  #encode(frame: object): string {
    const text = JSON.stringify(frame);
    const most = this.limits.frameBytes;
    if (text.length * 3 <= most) return text;
    const bytes = new TextEncoder().encode(text).length;
    if (bytes <= most) return text;
    throw new SessileError(
      "too-large",
      `unable to send; ${bytes} bytes are more than the ${most} of one frame: send several ` +
        "messages, or appends",
    );
  }

  /** Sends frames in order, in one array if that is no larger than one frame may be (P13.6). */
  #write(texts: readonly string[]): void {
    const all = `[${texts.join(",")}]`;
    const isOne = texts.length > 1 && all.length * 3 <= this.limits.frameBytes;
    for (const text of isOne ? [all] : texts) this.#socket?.send(text);
  }

  #reject(error: SessileError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { fail } of pending) fail(error);
  }

  #listen(method: "addEventListener" | "removeEventListener"): void {
    // Servers have a navigator, too, but it knows nothing of a network.
    if (!globalThis.navigator || !("onLine" in navigator)) return;
    globalThis[method]("online", this.nudge);
    globalThis[method]("pageshow", this.nudge);
    globalThis.document?.[method]("visibilitychange", this.nudge);
  }
}

function disconnected(): SessileError {
  return new SessileError("disconnected", "no answer came; the connection was lost");
}
