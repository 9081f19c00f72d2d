// A wire between a client and the session layer that a test can cut, freeze, slow and make fail.

import type { Server, ServerResponse } from "node:http";
import { Agent, type ClientRequest, createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { refuseRequest, refuseSocket } from "./farewell.ts";
import { carry, Pace } from "./pipe.ts";

const HOST = "127.0.0.1";

/** A way to the session layer, for WebSocket and HTTP alike. */
export interface Wire {
  /** The origin that clients on this wire are given, as `url`. */
  readonly url: string;
  /** How many connections there are. */
  readonly connections: number;
  /** Breaks every connection, without a goodbye. New ones get through: a network that changed. */
  cut(): void;
  /** The same, and nothing gets through until `mend`: no network. */
  drop(): void;
  /** Nothing moves in either direction, and nobody is told, until `mend`; then all of it comes. */
  freeze(): void;
  /** All that moves comes so many milliseconds later, in each direction. */
  slow(ms: number): void;
  /**
   * The next requests fail, WebSockets as well: with that status (503 by default), or without an
   * answer (`"reset"`).
   */
  fail(requests: number, how?: number | "reset"): void;
  /** All is well again: ends `drop`, `freeze`, `slow` and `fail`. */
  mend(): void;
}

/** Node keeps a socket for good, and cannot exit, that is reset while it connects or ends. */
function reset(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

export class ProxyWire implements Wire {
  readonly #port: () => number | undefined;
  readonly #server: Server = createServer();
  readonly #near = new Set<Socket>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #pace = new Pace();
  #failing = { left: 0, how: 503 as number | "reset" };
  #isDown = false;
  #isOver = false;

  private constructor(port: () => number | undefined) {
    this.#port = port;
    const server = this.#server;
    // A stream may be quiet for as long as it likes.
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.on("connection", (near) => this.#join(near));
    server.on("request", (asked, answer) => void this.#pass(asked, answer));
    server.on("upgrade", (asked, near, head) => void this.#open(asked, near as Socket, head));
  }

  /** A wire to the port that there is at each connection; none while nothing runs. */
  static async start(port: () => number | undefined): Promise<ProxyWire> {
    const wire = new ProxyWire(port);
    await new Promise<void>((done) => wire.#server.listen(0, HOST, done));
    wire.#server.unref();
    return wire;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#near.size;
  }

  cut(): void {
    for (const near of this.#near) reset(near);
  }

  drop(): void {
    this.#isDown = true;
    this.cut();
  }

  freeze(): void {
    this.#pace.freeze();
  }

  slow(ms: number): void {
    this.#pace.delayMs = ms;
  }

  fail(requests: number, how: number | "reset" = 503): void {
    this.#failing = { left: requests, how };
  }

  mend(): void {
    this.#isDown = false;
    this.slow(0);
    this.fail(0);
    this.#pace.thaw();
  }

  /** Its port stays, and sends everybody away: else clients that are left look for it for ever. */
  async stop(): Promise<void> {
    this.mend();
    this.#isOver = true;
    this.cut();
    this.#agent.destroy();
  }

  #join(near: Socket): void {
    if (this.#isDown) {
      reset(near);
      return;
    }
    this.#near.add(near);
    near.setNoDelay(true);
    // The clients keep the process; the wire does not.
    near.unref();
    near.on("error", () => {});
    near.on("close", () => this.#near.delete(near));
  }

  /** How this request fails, if it does. */
  #failure(): number | "reset" | undefined {
    if (this.#failing.left === 0) return undefined;
    this.#failing.left -= 1;
    return this.#failing.how;
  }

  /** One request, and its answer as it comes. */
  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const near = asked.socket;
    if (this.#isOver) return refuseRequest(answer);
    const how = this.#failure();
    await this.#pace.pass(this.#pace.due());
    if (how === "reset") return reset(near);
    if (how !== undefined) return refuse(asked, answer, how);
    const { method, url: path, rawHeaders: headers } = asked;
    const port = this.#port();
    if (port === undefined || near.destroyed) return reset(near);
    const far: ClientRequest = request({
      ...{ host: HOST, port, agent: this.#agent, method, path },
      // As they came, which the types do not know.
      headers: headers as unknown as NodeJS.Dict<string>,
    });
    far.setNoDelay(true);
    far.flushHeaders();
    far.on("socket", (socket) => socket.unref());
    far.on("error", () => reset(near));
    answer.on("close", () => answer.writableFinished || far.destroy());
    carry(asked, far, this.#pace);
    far.on("response", async (came) => {
      came.on("error", () => reset(near));
      await this.#pace.pass(this.#pace.due());
      if (near.destroyed) return;
      answer.sendDate = false;
      answer.writeHead(came.statusCode ?? 502, came.statusMessage, came.rawHeaders);
      answer.flushHeaders();
      carry(came, answer, this.#pace);
    });
  }

  /** A WebSocket: its first request as it came, then bytes. */
  async #open(asked: IncomingMessage, near: Socket, head: Buffer): Promise<void> {
    if (this.#isOver) return refuseSocket(asked, near);
    const how = this.#failure();
    await this.#pace.pass(this.#pace.due());
    const port = this.#port();
    if (how === "reset" || port === undefined || near.destroyed) return reset(near);
    if (how !== undefined) {
      near.end(`HTTP/1.1 ${how} Failed\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const far = connect(port, HOST).setNoDelay(true).unref();
    const lines = [`${asked.method} ${asked.url} HTTP/1.1`];
    for (let at = 0; at < asked.rawHeaders.length; at += 2) {
      lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
    }
    far.write(`${lines.join("\r\n")}\r\n\r\n`);
    far.write(head);
    join(near, far);
    carry(near, far, this.#pace);
    carry(far, near, this.#pace);
  }
}

/** The end of one side is the end of the other. */
function join(near: Socket, far: Socket): void {
  near.on("close", () => reset(far));
  far.on("error", () => reset(near));
}

function refuse(asked: Duplex | IncomingMessage, answer: ServerResponse, status: number): void {
  const error = { code: "unavailable", status, message: "a test made this request fail" };
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify({ error }));
  asked.resume();
}
