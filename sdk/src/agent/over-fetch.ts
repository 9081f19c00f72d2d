// The link to a session where there are no WebSockets: it publishes by HTTP, one request after
// another, and hears by server-sent events (P12.1, P3.8).

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
  CLOSE,
  type ClientFrame,
  DEFAULT_LIMITS,
  type ErrorInfo,
  type Limits,
  type ResultOf,
  type ServerFrame,
  SessileError,
} from "../protocol/index.ts";
import { readEvents } from "./sse.ts";

const BACKOFF_MS = 250;
const BACKOFF_MOST_MS = 15_000;
/** A comment comes every 20 s (P3.8). */
const SILENCE_MS = 45_000;
/** Frames in one request, and their length; a request is answered when all of it is taken. */
const MOST_FRAMES = 100;
const MOST_LENGTH = 200_000;
/** Refusals of a request that no repeat can help. */
const FINAL = [400, 403, 404, 410, 413];

interface Pending {
  text: string;
  isOnce: boolean;
  done: (result: unknown) => void;
  fail: (error: SessileError) => void;
}

type Answer = { type: "ack"; result: unknown } | { type: "nack"; error: ErrorInfo };

function pause(failures: number): Promise<void> {
  const most = Math.min(BACKOFF_MOST_MS, BACKOFF_MS * 2 ** failures);
  return new Promise((done) => setTimeout(done, Math.random() * most));
}

function lost(): SessileError {
  return new SessileError("disconnected", "unable to tell; the request was lost");
}

class FetchLink implements Link {
  readonly #options: ConnectionOptions;
  readonly #owner: Owner;
  readonly #address: string;
  readonly #tokens: TokenSource;
  readonly #fetch: typeof fetch;
  #status: ConnectionStatus = { state: "idle" };
  #attached: AttachedFrame | undefined;
  #queue: Pending[] = [];
  #isPosting = false;
  #listening: AbortController | undefined;

  constructor(options: ConnectionOptions, owner: Owner) {
    this.#options = options;
    this.#owner = owner;
    this.#address = addressOf(options);
    this.#tokens = new TokenSource(options.token);
    this.#fetch = options.fetch ?? fetch.bind(globalThis);
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
    if (this.#listening) return;
    this.#listening = new AbortController();
    void this.#listen(this.#listening.signal);
  }

  stop(): void {
    this.#end({ state: "idle" }, new SessileError("session-closed", "unable to go on; closed"));
  }

  send(...frames: ClientFrame[]): boolean {
    for (const frame of frames) this.request(frame, { once: true }).catch(this.#report);
    return true;
  }

  request<F extends ClientFrame>(frame: F, options?: RequestOptions): Promise<ResultOf<F>> {
    return new Promise((done, fail) => {
      const text = JSON.stringify(frame);
      const isOnce = options?.once ?? false;
      if (!this.#listening) {
        return fail(this.#status.error ?? new SessileError("session-closed", "unable to send"));
      }
      this.#queue.push({ text, isOnce, done: done as Pending["done"], fail });
      // What is asked for in one go is one request.
      queueMicrotask(() => void this.#post());
    });
  }

  read<T>(path: string, init?: RequestInit): Promise<T> {
    const url = `${this.#address}${path && !path.startsWith("?") ? "/" : ""}${path}`;
    return readJson<T>(url, this.#tokens, this.#fetch, init);
  }

  readonly #report = (error: unknown): void => {
    if (error instanceof SessileError) this.#owner.failed?.(error);
  };

  #show(status: ConnectionStatus): void {
    this.#status = status;
    this.#owner.changed(status);
  }

  /** Nothing more is heard or said. */
  #end(status: ConnectionStatus, error: SessileError): void {
    this.#listening?.abort();
    this.#listening = undefined;
    for (const { fail } of this.#queue.splice(0)) fail(error);
    this.#show(status);
  }

  /** One request at a time, so that frames keep their order; the next takes what waits. */
  async #post(): Promise<void> {
    if (this.#isPosting) return;
    this.#isPosting = true;
    for (let failures = 0; this.#queue.length > 0; ) {
      const batch = this.#batch();
      try {
        const body = `[${batch.map(({ text }) => text).join(",")}]`;
        const headers = { "content-type": "application/json" };
        const init = { method: "POST", body, headers };
        const answers = await this.read<Answer[]>("frames", init);
        failures = 0;
        this.#queue = this.#queue.filter((one) => !batch.includes(one));
        batch.forEach(({ done, fail }, at) => {
          const answer = answers[at];
          if (answer?.type === "ack") done(answer.result);
          else fail(answer ? SessileError.of(answer.error) : lost());
        });
      } catch (error) {
        await this.#unanswered(batch, error as SessileError, failures);
        failures += 1;
      }
    }
    this.#isPosting = false;
  }

  #batch(): Pending[] {
    let length = 0;
    const fits = this.#queue.findIndex(({ text }, at) => {
      length += text.length;
      return at > 0 && (at >= MOST_FRAMES || length > MOST_LENGTH);
    });
    return this.#queue.slice(0, fits < 0 ? undefined : fits);
  }

  /** The request failed as a whole, and may have been taken. */
  async #unanswered(batch: Pending[], error: SessileError, failures: number): Promise<void> {
    const isFinal = FINAL.includes(error.status) || error.code === "wrong-url";
    const gone = this.#queue.filter((one) => (isFinal ? batch.includes(one) : one.isOnce));
    this.#queue = this.#queue.filter((one) => !gone.includes(one));
    // Told before the pause, so that what is sent again comes before what is new.
    for (const { fail } of gone) fail(isFinal ? error : lost());
    if (!isFinal) await pause(failures);
  }

  async #listen(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      this.#show({ state: "connecting" });
      try {
        await this.#hear(signal, () => {
          failures = 0;
        });
        this.#show({ state: "waiting", reason: "lost" });
      } catch (error) {
        if (signal.aborted) return;
        const known = error instanceof SessileError ? error : lost();
        if (FINAL.includes(known.status) || (known.status === 401 && !this.#tokens.canRenew)) {
          this.#end({ state: "closed", error: known }, known);
          return;
        }
        this.#show({ state: "waiting", reason: "lost", error: known });
      }
      await pause(failures);
    }
  }

  async #hear(signal: AbortSignal, heard: () => void): Promise<void> {
    const { names, rollup } = this.#options;
    const given = { since: this.#owner.position(), rewind: 0, names: names?.join(","), rollup };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined) query.set(name, String(value));
    }
    const stop = new AbortController();
    const quit = () => stop.abort();
    signal.addEventListener("abort", quit);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const headers = { authorization: `Bearer ${await this.#tokens.get()}` };
      const url = `${this.#address}/events?${query}`;
      const response = await this.#fetch(url, { headers, signal: stop.signal });
      const { body } = response;
      if (!response.ok || !body) {
        const { error } = (await response.json()) as { error: ErrorInfo };
        throw SessileError.of(error);
      }
      const alive = new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          clearTimeout(timer);
          timer = setTimeout(quit, SILENCE_MS);
          controller.enqueue(chunk);
        },
      });
      let group: ServerFrame[] = [];
      for await (const { id, data } of readEvents(body.pipeThrough(alive))) {
        const frame = JSON.parse(data) as ServerFrame | { type: "closing"; code: number };
        if (frame.type === "closing") return this.#closing(frame.code);
        if (frame.type === "attached") this.#attached = frame;
        group.push(frame);
        // The frames of an array belong together; only its last event has an id.
        if (id === undefined && isOfLog(frame)) continue;
        this.#owner.take(group);
        group = [];
        heard();
        if (frame.type === "caught-up") this.#show({ state: "connected" });
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", quit);
      quit();
    }
  }

  #closing(code: number): void {
    if (code !== CLOSE.gone && code !== CLOSE.forbidden && code !== CLOSE.protocolError) return;
    const gone = code === CLOSE.gone;
    const message = `unable to go on; the session ${gone ? "was deleted" : "refuses this token"}`;
    throw SessileError.of({ code: gone ? "gone" : "forbidden", status: 410, message });
  }
}

/** Whether a frame has a place in the log, and so may be one of several of an array. */
function isOfLog({ type }: ServerFrame): boolean {
  return /^(message|turn)\.|^log/.test(type);
}

/** Publishes by HTTP and hears by server-sent events: give it to `createAgentSession` as `link`. */
export function overFetch(options: ConnectionOptions, owner: Owner): Link {
  return new FetchLink(options, owner);
}
