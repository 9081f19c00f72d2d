// A WebSocket over a bare TCP socket: it can cut without a goodbye, stop reading, and send bytes
// that no decent client sends.

import { createHash, randomBytes } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import type { Socket as TcpSocket } from "node:net";
import { within } from "./wait.ts";

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Closed {
  /** 1006 where the connection went without a close frame. */
  code: number;
  reason: string;
}

export interface Opened {
  socket: RawSocket;
  protocol: string | undefined;
}

/** The server's answer where it did not switch protocols. */
export class Refused extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the WebSocket was refused with ${status}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

function mask(payload: Buffer, key: Buffer): Buffer {
  const masked = Buffer.from(payload);
  for (let at = 0; at < masked.length; at += 1) {
    masked[at] = (masked[at] ?? 0) ^ (key[at & 3] ?? 0);
  }
  return masked;
}

export class RawSocket {
  readonly closed: Promise<Closed>;
  bytesRead = 0;
  #onText: ((text: string) => void) | undefined;
  #tcp: TcpSocket;
  #buffer: Buffer;
  #parts: Buffer[] = [];
  #settle: (closed: Closed) => void = () => {};
  #sentClose = false;

  constructor(tcp: TcpSocket, head: Buffer) {
    this.#tcp = tcp;
    this.#buffer = head;
    tcp.setNoDelay(true);
    this.closed = new Promise((done) => {
      this.#settle = done;
      tcp.once("close", () => done({ code: 1006, reason: "" }));
    });
    tcp.on("error", () => {});
    tcp.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  /** Hands over what came so far and what comes; until then it is kept. */
  begin(onText: (text: string) => void): void {
    this.#onText = onText;
    this.#take(Buffer.alloc(0));
  }

  send(text: string): void {
    this.sendRaw(OPCODE.text, Buffer.from(text, "utf8"));
  }

  /** One frame as given; `isFinal: false` begins or continues a fragmented message. */
  sendRaw(opcode: number, payload: Buffer, isFinal = true): void {
    const length = payload.length;
    const header = [(isFinal ? 0x80 : 0) | opcode];
    if (length < 126) header.push(0x80 | length);
    else if (length < 65_536) header.push(0x80 | 126, length >> 8, length & 255);
    else {
      const size = Buffer.alloc(8);
      size.writeBigUInt64BE(BigInt(length));
      header.push(0x80 | 127, ...size);
    }
    const key = randomBytes(4);
    if (this.#tcp.destroyed) return;
    this.#tcp.write(Buffer.concat([Buffer.from(header), key, mask(payload, key)]));
  }

  /** Bytes straight to the wire, not even a WebSocket frame. */
  sendBytes(bytes: Buffer): void {
    this.#tcp.write(bytes);
  }

  /** Bytes sent and not yet taken by the kernel. */
  get unsent(): number {
    return this.#tcp.writableLength;
  }

  /** Stops reading: what the server sends piles up, in the kernel and then in the session. */
  stall(): void {
    this.#tcp.pause();
  }

  unstall(): void {
    this.#tcp.resume();
  }

  /** The network goes: a reset, and no close frame. */
  cut(): void {
    if (this.#tcp.writableEnded) this.#tcp.destroy();
    else this.#tcp.resetAndDestroy();
  }

  close(code = 1000): void {
    if (this.#sentClose) return;
    this.#sentClose = true;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.sendRaw(OPCODE.close, payload);
  }

  #take(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    if (this.#onText === undefined) return;
    let start = 0;
    for (;;) {
      const next = this.#frame(start);
      if (next === undefined) break;
      start = next;
    }
    if (start > 0) this.#buffer = this.#buffer.subarray(start);
  }

  /** Reads the frame at `start`; gives where the next begins, or undefined if more must come. */
  #frame(start: number): number | undefined {
    const buffer = this.#buffer;
    if (buffer.length < start + 2) return undefined;
    const first = buffer.readUInt8(start);
    let length = buffer.readUInt8(start + 1) & 127;
    let at = start + 2;
    if (length === 126) {
      if (buffer.length < at + 2) return undefined;
      length = buffer.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      if (buffer.length < at + 8) return undefined;
      length = Number(buffer.readBigUInt64BE(at));
      at += 8;
    }
    if (buffer.length < at + length) return undefined;
    this.#handle(first & 15, (first & 0x80) !== 0, buffer.subarray(at, at + length));
    return at + length;
  }

  #handle(opcode: number, isFinal: boolean, payload: Buffer): void {
    if (opcode === OPCODE.ping) {
      this.sendRaw(OPCODE.pong, payload);
      return;
    }
    if (opcode === OPCODE.pong) return;
    if (opcode === OPCODE.close) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      // The runtime may end TCP seconds later, where the other side never sent a frame.
      this.#settle({ code, reason: payload.subarray(2).toString("utf8") });
      this.close(code === 1005 ? 1000 : code);
      this.#tcp.end();
      return;
    }
    this.#parts.push(payload);
    if (!isFinal) return;
    const whole = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#onText?.(new TextDecoder("utf-8", { fatal: true }).decode(whole));
  }
}

function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((done, fail) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk;
    });
    response.on("end", () => done(body));
    response.on("error", fail);
  });
}

/** Opens a WebSocket at an `http:` address; `Refused` where the server answers otherwise. */
export function openSocket(
  url: string,
  headers: Record<string, string> = {},
  protocols: readonly string[] = [],
): Promise<Opened> {
  const key = randomBytes(16).toString("base64");
  const opened = new Promise<Opened>((done, fail) => {
    const outgoing = request(url, {
      headers: {
        ...headers,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": key,
        ...(protocols.length === 0 ? {} : { "sec-websocket-protocol": protocols.join(", ") }),
      },
    });
    outgoing.once("upgrade", (response, tcp, head) => {
      const expected = createHash("sha1")
        .update(key + MAGIC)
        .digest("base64");
      if (response.headers["sec-websocket-accept"] !== expected) {
        fail(new Error("the server's sec-websocket-accept is wrong"));
        return;
      }
      const protocol = response.headers["sec-websocket-protocol"];
      done({ socket: new RawSocket(tcp as TcpSocket, head), protocol });
    });
    outgoing.once("response", (response) => {
      readBody(response).then((body) => fail(new Refused(response.statusCode ?? 0, body)), fail);
    });
    outgoing.once("error", fail);
    outgoing.end();
  });
  return within(opened, `a WebSocket at ${url}`);
}
