// A raw client of the protocol: it sends what it is told, keeps what comes, and waits on frames.

import assert from "node:assert/strict";
import { type Frame, type Outgoing, type Problem, parseFrames, type Result } from "./frames.ts";
import type { Server } from "./server.ts";
import { type Closed, openSocket, type RawSocket } from "./socket.ts";
import { makeToken, type TokenOptions } from "./token.ts";
import { within } from "./wait.ts";

export interface ConnectOptions extends TokenOptions {
  /** `since`, `rewind`, `rollup`, `names`; written as they are. */
  query?: Record<string, string | number>;
  /** A token as text; otherwise one is made from the other options. */
  token?: string;
  /** How the token is handed over (P2.4). */
  by?: "protocol" | "header" | "query" | "nothing";
  /** Another way to the server, such as a proxy. */
  base?: string;
  /** Whether frames that nobody waits for are kept; not so for readers of thousands. */
  keep?: boolean;
  /** Does not begin to read: the caller does, when it is ready for the first frame. */
  isPaused?: boolean;
}

type Waiter = { isWanted: (frame: Frame) => boolean; done: (frame: Frame) => void };

export class ClosedError extends Error {}

export class Client {
  readonly session: string;
  readonly socket: RawSocket;
  readonly protocol: string | undefined;
  readonly closed: Promise<Closed>;
  /** Every frame that came and was not taken by `next` or `request`. */
  inbox: Frame[] = [];
  /** WebSocket messages, not frames: an array counts once. */
  arrays = 0;
  bytes = 0;
  pongs = 0;
  isClosed = false;
  onFrames: (frames: Frame[]) => void = () => {};
  #keep: boolean;
  #waiters: Waiter[] = [];
  #fails = new Set<(error: Error) => void>();
  #pongWaiters: (() => void)[] = [];
  #answers = new Map<string | number, (frame: Frame) => void>();
  #nextRef = 1;

  constructor(session: string, socket: RawSocket, protocol: string | undefined, keep: boolean) {
    this.session = session;
    this.socket = socket;
    this.protocol = protocol;
    this.#keep = keep;
    this.closed = socket.closed;
    socket.closed.then(({ code, reason }) => {
      this.isClosed = true;
      const error = new ClosedError(`the connection closed with ${code} ${reason}`);
      for (const fail of this.#fails) fail(error);
    });
  }

  /** Begins to read; what came before was kept. */
  begin(): void {
    this.socket.begin((text) => this.#take(text));
  }

  #take(text: string): void {
    if (text === "pong") {
      this.pongs += 1;
      this.#pongWaiters.shift()?.();
      return;
    }
    this.arrays += 1;
    this.bytes += Buffer.byteLength(text);
    const frames = parseFrames(text);
    this.onFrames(frames);
    for (const frame of frames) this.#hand(frame);
  }

  #hand(frame: Frame): void {
    if ((frame.type === "ack" || frame.type === "nack") && frame.ref != null) {
      const answer = this.#answers.get(frame.ref);
      if (answer !== undefined) {
        this.#answers.delete(frame.ref);
        answer(frame);
        return;
      }
    }
    const at = this.#waiters.findIndex((waiter) => waiter.isWanted(frame));
    if (at >= 0) this.#waiters.splice(at, 1)[0]?.done(frame);
    else if (this.#keep) this.inbox.push(frame);
  }

  #orClosed<T>(start: (done: (value: T) => void) => void, what: string): Promise<T> {
    if (this.isClosed) return Promise.reject(new ClosedError(`closed; wanted ${what}`));
    let failing: ((error: Error) => void) | undefined;
    const promise = new Promise<T>((done, fail) => {
      failing = fail;
      this.#fails.add(fail);
      start(done);
    });
    return within(promise, what).finally(() => {
      if (failing !== undefined) this.#fails.delete(failing);
    });
  }

  send(frame: Outgoing | Outgoing[]): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The first frame, of those not yet taken, that is wanted: one that came, or one to come. */
  next(isWanted: string | ((frame: Frame) => boolean), what?: string): Promise<Frame> {
    const test = typeof isWanted === "string" ? (f: Frame) => f.type === isWanted : isWanted;
    const at = this.inbox.findIndex(test);
    const found = at < 0 ? undefined : this.inbox.splice(at, 1)[0];
    if (found !== undefined) return Promise.resolve(found);
    const name = what ?? (typeof isWanted === "string" ? isWanted : "a frame");
    return this.#orClosed((done) => this.#waiters.push({ isWanted: test, done }), name);
  }

  /** Sends a frame with a `ref` and gives its ack or nack. */
  request(frame: Outgoing): Promise<Frame> {
    const given = frame.ref;
    const ref = typeof given === "string" || typeof given === "number" ? given : this.#nextRef;
    this.#nextRef += 1;
    const answer = this.#orClosed<Frame>(
      (done) => this.#answers.set(ref, done),
      `the answer to ${frame.type}`,
    );
    this.send({ ref, ...frame });
    return answer;
  }

  /** The result of a frame that must be acknowledged. */
  async ok(frame: Outgoing): Promise<Result> {
    const answer = await this.request(frame);
    assert.equal(answer.type, "ack", `refused: ${JSON.stringify(answer.error)}`);
    return answer.result ?? {};
  }

  /** The error of a frame that must be refused with `code`. */
  async refused(frame: Outgoing, code: string): Promise<Problem> {
    const answer = await this.request(frame);
    assert.equal(answer.type, "nack", `${frame.type} was accepted: ${JSON.stringify(answer)}`);
    assert.ok(answer.error, "a nack carries an error");
    assert.equal(answer.error.code, code, answer.error.message);
    assert.ok(answer.error.message.length > 0, "an error says what is wrong");
    return answer.error;
  }

  /** Publishes one message and gives its serial. */
  async publish(data: unknown, fields: Record<string, unknown> = {}): Promise<string> {
    const result = await this.ok({ type: "publish", messages: [{ data, ...fields }] });
    const serial = result.messages?.[0]?.serial;
    assert.ok(serial, "a publish gives a serial");
    return serial;
  }

  /** Appends pieces one frame each, all in flight at once, and waits for every ack. */
  async appendAll(serial: string, pieces: readonly string[], firstSeq?: number): Promise<void> {
    await Promise.all(
      pieces.map((data, i) => {
        const seq = firstSeq === undefined ? {} : { seq: firstSeq + i };
        return this.ok({ type: "append", serial, data, ...seq });
      }),
    );
  }

  /** Asks for the automatic answer, which wakes nobody (P7.2). */
  ping(): Promise<void> {
    const pong = this.#orClosed<void>((done) => this.#pongWaiters.push(() => done()), "pong");
    this.socket.send("ping");
    return pong;
  }

  cut(): void {
    this.socket.cut();
  }

  async close(): Promise<void> {
    this.socket.close();
    await within(this.closed, "the close of a connection");
  }

  /** The close that the server is expected to send. */
  async closedWith(code: number): Promise<Closed> {
    const closed = await within(this.closed, `a close with ${code}`);
    assert.equal(closed.code, code, `closed with ${closed.code} ${closed.reason}`);
    return closed;
  }
}

/** Of something below a session, or of a whole path beginning with `/v1`. */
export function address(server: { url: string }, session: string, path = ""): string {
  if (path.startsWith("/v1/")) return server.url + path;
  return `${server.url}/v1/sessions/${encodeURIComponent(session)}${path}`;
}

/** Opens a connection and waits for nothing: `attached` is in the inbox when it comes. */
export function open(
  server: Pick<Server, "url">,
  session: string,
  options: ConnectOptions = {},
): Promise<Client> {
  const base = { url: options.base ?? server.url };
  return openAt(address(base, session, "/connect"), session, options);
}

/** The same at any address; `name` is what the other end is called. */
export async function openAt(
  url: string,
  name: string,
  options: ConnectOptions = {},
): Promise<Client> {
  const token = options.token ?? (await makeToken(options));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) query.set(name, String(value));
  const by = options.by ?? "protocol";
  if (by === "query") query.set("token", token);
  const search = query.size === 0 ? "" : `?${query}`;
  const headers: Record<string, string> =
    by === "header" ? { authorization: `Bearer ${token}` } : {};
  const protocols = by === "protocol" ? ["sessile.v1", `sessile.token.${token}`] : [];
  const { socket, protocol } = await openSocket(`${url}${search}`, headers, protocols);
  const client = new Client(name, socket, protocol, options.keep ?? true);
  if (options.isPaused !== true) client.begin();
  return client;
}

export interface Attached {
  client: Client;
  attached: Frame;
  caughtUp: Frame;
}

/** Opens a connection and waits until it is caught up; replayed frames stay in the inbox. */
export async function attach(
  server: Pick<Server, "url">,
  session: string,
  options: ConnectOptions = {},
): Promise<Attached> {
  const client = await open(server, session, { ...options, isPaused: true });
  const first = client.next(() => true, "attached");
  const last = client.next("caught-up");
  last.catch(() => {});
  client.begin();
  const attached = await first;
  assert.equal(attached.type, "attached", `the first frame is: ${JSON.stringify(attached)}`);
  const caughtUp = await last;
  return { client, attached, caughtUp };
}

/** A connection that writes: it asks for no replay, and its inbox is for the test. */
export async function connect(
  server: Pick<Server, "url">,
  session: string,
  options: ConnectOptions = {},
): Promise<Client> {
  const query = { rewind: 0, ...options.query };
  return (await attach(server, session, { ...options, query })).client;
}
