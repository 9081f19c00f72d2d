// A back end that the session layer calls: hooks and wakings, on a port of this machine.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { TestingError } from "./errors.ts";
import { holding } from "./unheld.ts";

const HOST = "127.0.0.1";
/** A signature is good for five minutes, before and after. */
const TOLERANCE_S = 300;
/** How long `stop` waits for work, in milliseconds: an agent may wait for a person for ever. */
const WORK_MS = 1_000;
/** How long `next` waits by itself, in milliseconds. */
const WAIT_MS = 10_000;

/** One call that came and was signed as it should be. */
export interface Call {
  /** `input` for a waking, else the event: `turn.end`, `approval.request`, … (P10.3, P10.4). */
  type: string;
  session: string;
  /** The same for a repeat of the same call. */
  id: string;
  body: Record<string, unknown>;
  headers: Headers;
}

/**
 * Answers a call as a Worker would, `serveWebhook` of `sessile/wake` for one. There is no `env`;
 * `stop` waits for a second for what `waitUntil` was told of.
 */
export type Handler = (
  request: Request,
  env: undefined,
  context: { waitUntil(work: Promise<unknown>): void },
) => Response | Promise<Response>;

/** A server for the session layer's calls: name `url` as a session's `agent`, or in its `hooks`. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** All calls so far that were signed, the oldest first; repeats too. */
  readonly calls: readonly Call[];
  /** How many came without a good signature; they got 401. */
  readonly unsigned: number;
  /**
   * The oldest call that no `next` has had, and that matches; waits for it, 10 s unless told.
   * Throws a `TestingError` with `timeout`.
   */
  next(matching?: (call: Call) => boolean, ms?: number): Promise<Call>;
  stop(): Promise<void>;
}

export class HttpReceiver implements Receiver {
  readonly calls: Call[] = [];
  unsigned = 0;
  readonly #server: Server = createServer((asked, answer) => void this.#take(asked, answer));
  readonly #secret: string;
  readonly #handler: Handler;
  readonly #now: () => number;
  readonly #waiting = new Set<() => void>();
  readonly #had = new Set<Call>();
  readonly #work = new Set<Promise<unknown>>();

  private constructor(secret: string, handler: Handler, now: () => number) {
    this.#secret = secret;
    this.#handler = handler;
    this.#now = now;
  }

  static async start(secret: string, handler: Handler, now: () => number): Promise<HttpReceiver> {
    const receiver = new HttpReceiver(secret, handler, now);
    await new Promise<void>((done) => receiver.#server.listen(0, HOST, done));
    receiver.#server.unref();
    return receiver;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}/`;
  }

  async next(matching: (call: Call) => boolean = () => true, ms = WAIT_MS): Promise<Call> {
    const end = performance.now() + ms;
    for (;;) {
      const found = this.calls.find((call) => !this.#had.has(call) && matching(call));
      if (found !== undefined) {
        this.#had.add(found);
        return found;
      }
      const left = end - performance.now();
      if (left <= 0) {
        const types = this.calls.map(({ type }) => type).join(", ") || "none";
        throw new TestingError("timeout", `no such call in ${ms} ms; so far came ${types}`);
      }
      await this.#anotherCall(left);
    }
  }

  #anotherCall(ms: number): Promise<void> {
    return new Promise((done) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        done();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(end);
    });
  }

  async #take(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    asked.socket.unref();
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of asked) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString("utf8");
      const headers = new Headers();
      for (const [name, value] of Object.entries(asked.headers)) headers.set(name, String(value));
      const { status, text } = await this.#answer(body, headers);
      answer.writeHead(status).end(text);
    } catch (error) {
      // As a server whose handler throws.
      answer.writeHead(500).end(String(error));
    }
  }

  async #answer(body: string, headers: Headers): Promise<{ status: number; text: string }> {
    if (!this.#isSigned(body, headers)) {
      this.unsigned += 1;
      return { status: 401, text: "the signature is not valid" };
    }
    const parsed = JSON.parse(body) as Record<string, unknown>;
    const of = (name: string) => String(parsed[name] ?? "");
    this.calls.push({
      ...{ type: of("type"), session: of("session"), id: of("id") },
      ...{ body: parsed, headers },
    });
    for (const end of this.#waiting) end();
    const request = this.#forHandler(of("id"), headers, body);
    const response = await this.#handler(request, undefined, {
      waitUntil: (work) => this.#work.add(work.catch(() => {})),
    });
    return { status: response.status, text: await response.text() };
  }

  /** Signed now: a handler knows nothing of the clock that a test has moved. */
  #forHandler(id: string, came: Headers, body: string): Request {
    const now = new Date();
    const headers = new Headers(came);
    headers.set("webhook-timestamp", String(Math.floor(now.getTime() / 1000)));
    headers.set("webhook-signature", new Webhook(this.#secret).sign(id, now, body));
    return new Request(this.url, { method: "POST", headers, body });
  }

  /** Against the clock of the session layer, which a test may have moved. */
  #isSigned(body: string, headers: Headers): boolean {
    const id = headers.get("webhook-id") ?? "";
    const seconds = Number(headers.get("webhook-timestamp"));
    if (!(Math.abs(this.#now() / 1000 - seconds) <= TOLERANCE_S)) return false;
    const expected = new Webhook(this.#secret).sign(id, new Date(seconds * 1000), body);
    return (headers.get("webhook-signature") ?? "").split(" ").includes(expected);
  }

  async stop(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((done) => {
      timer = setTimeout(done, WORK_MS);
    });
    await Promise.race([Promise.all(this.#work), late]).finally(() => clearTimeout(timer));
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    this.#server.closeAllConnections();
    await holding(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
