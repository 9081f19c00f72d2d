// The two sides of a comparison behind one face: one agent, some readers, tokens of one length.

import { Connection, freshSession, parse, SIGNING_KEY } from "./client.ts";
import { buildFile, Server } from "./server.ts";
import { Socket } from "./socket.ts";

/** One token: five characters, near the mean of real ones, so that lengths count tokens. */
export const TOKEN_TEXT = " word";
export const TOKEN_CHARS = TOKEN_TEXT.length;

/** P14's bounds on speed, lifted out of the way of what is measured. */
const UNLIMITED = {
  messagesPerSecond: 1e9,
  messagesBurst: 1e9,
  textBytesPerSecond: 1e12,
  effectBytesPerSecond: 1e12,
  framesPerSecond: 1e9,
  framesBurst: 1e9,
};

/** Says in a row's name that its side ran with `UNLIMITED`. */
export const RAISED = "(P14 flood limits raised)";

/** One agent that streams to some readers. */
export interface Stream {
  /** Sends one token as one WebSocket message. */
  append(): void;
  /** Sends many tokens as one WebSocket message, where the side knows how to. */
  appendMany(count: number): void;
  /** Sends now what was queued in this turn of the event loop. */
  flush(): void;
  /** Reader `reader` holds `tokens` tokens; it learned of the last of them at `at`. */
  onDelivery: (reader: number, tokens: number, at: number) => void;
  close(): void;
}

export interface Open {
  readers: number;
  /** The readers' window in milliseconds; the bare object has none. */
  rollup: number;
  /** Every append asks for an ack of its own. */
  acked?: boolean;
}

export interface Side {
  server: Server;
  open(options: Open): Promise<Stream>;
}

/** Everybody here is one client, who may take what a crowd of clients may. */
const ONE_CLIENT = { clientConnections: 10_000, clientUnsentBytes: 64 * 1024 * 1024 };

/** Sessile with the bounds of one client among many, of a crowd, or exactly those of P14. */
export function startSessile(
  limits: "default" | "raised" | "bounds",
  inboxes = false,
): Promise<Server> {
  const sets = { default: ONE_CLIENT, raised: { ...ONE_CLIENT, ...UNLIMITED }, bounds: {} };
  const set = sets[limits];
  const vars = { SESSILE_SIGNING_KEY: SIGNING_KEY, SESSILE_LIMITS: JSON.stringify(set) };
  return Server.start({
    modules: [
      { name: "index.js", file: buildFile("index.js"), kind: "esModule" },
      { name: "./index_bg.wasm", file: buildFile("index_bg.wasm"), kind: "wasm" },
    ],
    binding: "SESSIONS",
    className: "SessionObject",
    ...(inboxes && { beside: { binding: "INBOXES", className: "InboxObject" } }),
    vars,
  });
}

export function startBare(): Promise<Server> {
  return Server.start({
    modules: [{ name: "bare.js", file: "bench/bare.js", kind: "esModule" }],
    binding: "BARE",
    className: "Bare",
    vars: {},
  });
}

export function sessile(server: Server): Side {
  return { server, open: (options) => openSessile(server, options) };
}

export function bare(server: Server): Side {
  return { server, open: (options) => openBare(server, options) };
}

async function openSessile(server: Server, options: Open): Promise<Stream> {
  const { readers, rollup, acked = false } = options;
  const session = freshSession();
  const agent = await Connection.open(server, session);
  const serial = await agent.begin();
  let seq = 0;
  const append = (): string => {
    seq += 1;
    const ref = acked ? `,"ref":${seq}` : "";
    return `{"type":"append","serial":"${serial}","data":"${TOKEN_TEXT}","seq":${seq}${ref}}`;
  };
  const all: Connection[] = [];
  const stream: Stream = {
    append: () => agent.socket.send(append()),
    appendMany: (count) => {
      agent.socket.send(`[${Array.from({ length: count }, append).join()}]`);
    },
    flush: () => agent.socket.flush(),
    onDelivery: () => {},
    close: () => {
      for (const connection of [agent, ...all]) connection.close();
    },
  };
  for (let reader = 0; reader < readers; reader += 1) {
    const connection = await Connection.open(server, session, `?rollup=${rollup}`);
    connection.onFrame = (frame, at) => {
      if (frame.type !== "message.append" || frame.serial !== serial) return;
      const held = (frame.offset ?? 0) + (frame.data ?? "").length;
      stream.onDelivery(reader, held / TOKEN_CHARS, at);
    };
    all.push(connection);
  }
  return stream;
}

export function openBareSocket(server: Server, name: string, as: string): Promise<Socket> {
  return Socket.open(server.port, `/${name}?as=${as}`, {});
}

async function openBare(server: Server, { readers, acked }: Open): Promise<Stream> {
  const token = `{"type":"append","data":"${TOKEN_TEXT}"${acked ? ',"ref":1' : ""}}`;
  const name = freshSession();
  const agent = await openBareSocket(server, name, "agent");
  const all: Socket[] = [];
  const stream: Stream = {
    append: () => agent.send(token),
    appendMany: () => {
      throw new Error("the bare object takes one token a frame");
    },
    flush: () => agent.flush(),
    onDelivery: () => {},
    close: () => {
      for (const socket of [agent, ...all]) socket.close();
    },
  };
  for (let reader = 0; reader < readers; reader += 1) {
    const socket = await openBareSocket(server, name, "reader");
    let tokens = 0;
    socket.onMessage = (payload, at) => {
      tokens += parse(payload).length;
      stream.onDelivery(reader, tokens, at);
    };
    all.push(socket);
  }
  return stream;
}
