// Just enough of the protocol to load a session and to read it: tokens, attaching, acks, frames.

import { SignJWT } from "jose";
import type { Server } from "./server.ts";
import { Socket } from "./socket.ts";

export const SIGNING_KEY = "the benchmark's own signing key, good for nothing else";

export interface Frame {
  type: string;
  ref?: number | null;
  serial?: string;
  version?: string;
  offset?: number;
  data?: string;
  status?: string;
  resumed?: boolean;
  limits?: Record<string, number>;
  message?: { serial: string; version: string; data: string; status?: string };
  result?: Result;
  turn?: { id: string };
  error?: { code: string; message: string };
}

export interface Result {
  serial?: string;
  version?: string;
  messages?: { serial: string; version: string }[];
}

export interface Diagnostics {
  rowsWritten: number;
  rowsRead: number;
  databaseBytes: number;
  memoryBytes: number;
}

/** A token of a client with these operations or roles, in every session. */
export function tokenOf(sub: string, caps: string[]): Promise<string> {
  return new SignJWT({ caps: { "*": caps } })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime("6h")
    .sign(new TextEncoder().encode(SIGNING_KEY));
}

export const TOKEN = await tokenOf("bench", ["admin"]);

let names = 0;

/** A session name that was never used before. */
export function freshSession(): string {
  names += 1;
  return `bench-${process.pid}-${names}`;
}

/** Opens a WebSocket to a session as a browser would; nothing has been read from it yet. */
export function openSocket(
  server: Server,
  session: string,
  query = "",
  token = TOKEN,
): Promise<Socket> {
  return Socket.open(server.port, `/v1/sessions/${session}/connect${query}`, {
    "Sec-WebSocket-Protocol": `sessile.v1, sessile.token.${token}`,
  });
}

/** Reads or writes over HTTP, as JSON. */
export async function http<T>(server: Server, path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/sessions/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`unable to ${init.method ?? "GET"} ${path}; ${text}`);
  return JSON.parse(text) as T;
}

export function diagnostics(server: Server, session: string): Promise<Diagnostics> {
  return http(server, `${session}/diagnostics`);
}

/** A refusal in the middle of a measurement ends the run: it would be measuring something else. */
function refused(frame: Frame): void {
  throw new Error(`refused: ${frame.error?.code} (${frame.error?.message})`);
}

/** The frames of one WebSocket message. */
export function parse(payload: Buffer): Frame[] {
  const value = JSON.parse(payload.toString()) as Frame | Frame[];
  return Array.isArray(value) ? value : [value];
}

export class Connection {
  readonly socket: Socket;
  /** Frames that came before `caught-up`, `attached` first. */
  readonly replay: Frame[] = [];
  onFrame: (frame: Frame, at: number) => void = () => {};
  onAck: (ref: number) => void = () => {};
  onNack: (frame: Frame) => void = refused;
  private refs = 0;
  private readonly waiting = new Map<number, (result: Result) => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open(
    server: Server,
    session: string,
    query = "",
    token = TOKEN,
  ): Promise<Connection> {
    const connection = new Connection(await openSocket(server, session, query, token));
    await connection.attach();
    return connection;
  }

  private attach(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.onClose = (code) => reject(new Error(`closed with ${code} while attaching`));
      this.socket.onMessage = (payload, at) => {
        for (const frame of parse(payload)) {
          if (frame.type === "caught-up") {
            this.socket.onMessage = (live, time) => this.take(live, time);
            this.socket.onClose = () => {};
            resolve();
          } else if (this.socket.onMessage !== undefined) {
            this.replay.push(frame);
            this.onFrame(frame, at);
          }
        }
      };
    });
  }

  private take(payload: Buffer, at: number): void {
    for (const frame of parse(payload)) {
      if (frame.type === "ack") this.acknowledge(frame);
      else if (frame.type === "nack") this.onNack(frame);
      else this.onFrame(frame, at);
    }
  }

  private acknowledge(frame: Frame): void {
    const ref = frame.ref ?? -1;
    const settle = this.waiting.get(ref);
    if (settle === undefined) {
      this.onAck(ref);
      return;
    }
    this.waiting.delete(ref);
    settle(frame.result ?? {});
  }

  /** Sends a frame and waits for its ack. Refs count down from -1: appends count up. */
  request(frame: Record<string, unknown>): Promise<Result> {
    this.refs -= 1;
    const ref = this.refs;
    this.socket.send(JSON.stringify({ ...frame, ref }));
    return new Promise((resolve) => this.waiting.set(ref, resolve));
  }

  /** Begins a message that takes appends and returns its serial. */
  async begin(data = ""): Promise<string> {
    const message = { data, status: "streaming", role: "assistant" };
    const result = await this.request({ type: "publish", messages: [message] });
    const serial = result.messages?.[0]?.serial;
    if (serial === undefined) throw new Error("a publish was acknowledged without a serial");
    return serial;
  }

  /** Ends a streaming message. */
  complete(serial: string): Promise<Result> {
    return this.request({ type: "append", serial, data: "", status: "complete" });
  }

  close(): void {
    this.socket.close();
  }
}
