// The cost of one client to a session's owner in an hour at all its bounds (docs/bounds.md):
// measured for some seconds, by the storage's own count, and extrapolated.

import { Connection, diagnostics, freshSession, openSocket, tokenOf } from "./client.ts";
import { atMost, type Bench, type Family, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startSessile } from "./sides.ts";

/** The platform's prices in dollars for a million, beyond what is included. */
const PRICE = { written: 1, read: 0.001, requests: 0.15 };
/** Dollars for an hour of an object that is awake: 0.128 GB at $12.50 a million GB-seconds. */
const AWAKE = 0.006;
/** WebSocket messages that are billed as one request. */
const MESSAGES_A_REQUEST = 20;
const HOUR = 3600;
/** Each row read counts as 256 bytes of `effectBytesPerSecond` (P14). */
const ROWS_READ_A_SECOND = (32 * 1024 * 1024) / 256;

/** As many connections as one client has rates for (`clientRates`). */
const CONNECTIONS = 8;
/** Of one connection: `framesPerSecond` and `framesBurst`. */
const FRAMES = { perSecond: 200, burst: 1000 };
/** `streamingMessages` and `sessionBytes`. */
const [STREAMS, BYTES] = [256, 1024 ** 3];
/** The window of a reader that does not say. */
const WINDOW_MS = 40;
/** More turns and messages than a replay or a conversation looks at, and as many as it brings. */
const LONG = { turns: 2_100, messages: 22_000, changed: 990 };
const CAUGHT_UP = Buffer.from('"caught-up"');

/** The bound that was asked for. */
interface Asked {
  requests?: number;
  messages?: number;
}

interface Cost {
  written: number;
  read: number;
  /** Seconds of the measurement. */
  seconds: number;
  dollars: number;
}

/** One client's connections, as many as count; they follow nothing of what they write. */
async function connections(server: Server, session: string, sub: string, cap: string) {
  const token = await tokenOf(sub, [cap]);
  const open = () => Connection.open(server, session, "?rewind=0&names=none", token);
  const all = await Promise.all(Array.from({ length: CONNECTIONS }, open));
  for (const connection of all) connection.onNack = () => {};
  return all;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

class Meter {
  private readonly bench: Bench;
  private readonly server: Server;
  readonly rows: Row[] = [];

  constructor(bench: Bench, server: Server) {
    this.bench = bench;
    this.server = server;
  }

  /** Does something again and again for some seconds; what an hour of it costs. */
  async hour(session: string, act: (isOver: () => boolean) => Promise<Asked>): Promise<Cost> {
    const before = await diagnostics(this.server, session);
    const from = performance.now();
    const end = from + (this.bench.quick ? 2_000 : 10_000);
    const { requests = 0, messages = 0 } = await act(() => performance.now() > end);
    const ms = performance.now() - from;
    const times = (HOUR * 1000) / ms;
    const after = await diagnostics(this.server, session);
    const written = (after.rowsWritten - before.rowsWritten) * times;
    const read = (after.rowsRead - before.rowsRead) * times;
    const billed = (requests + messages / MESSAGES_A_REQUEST) * times;
    const rows = written * PRICE.written + read * PRICE.read;
    const dollars = (rows + billed * PRICE.requests) / 1e6 + AWAKE;
    return { written, read, seconds: ms / 1000, dollars };
  }

  /** A row: dollars beside those of the table in docs/bounds.md. */
  told(what: string, cost: Cost, table: number): void {
    this.log(what, cost);
    this.rows.push(atMost(`bounds: ${what}`, "$/hour", cost.dollars, table, 1));
  }

  /** A row: the rows read beside the bound, which allows a second's worth at once. */
  toldReads(what: string, cost: Cost): void {
    this.log(what, cost);
    const allowed = ROWS_READ_A_SECOND * HOUR * (1 + 1 / cost.seconds);
    this.rows.push(atMost(`bounds: ${what}`, "rows/hour", cost.read, allowed, 1.05));
  }

  private log(what: string, { written, read, dollars }: Cost): void {
    const millions = (rows: number) => `${(rows / 1e6).toFixed(1)} million rows`;
    const rows = `${millions(written)} written, ${millions(read)} read`;
    this.bench.log(`${what}: ${rows}, $${dollars.toFixed(2)} in an hour`);
  }
}

/** A log that is as dear to read as any; gives its first serial and its last, of one turn. */
async function fill(server: Server, session: string): Promise<[string, string]> {
  const agents = await connections(server, session, "scribe", "agent");
  const [agent] = agents as [Connection];
  await agent.request({ type: "turn.start", id: "open", leaseMs: 600_000 });
  const message = async (data: string): Promise<string> => {
    const { messages } = await agent.request({
      type: "publish",
      messages: [{ turn: "open", data }],
    });
    return messages?.[0]?.serial ?? "";
  };
  const first = await message("the first");
  const share = (total: number) => Math.ceil(total / agents.length);
  for (const [index, one] of agents.entries()) {
    for (let count = 0; count < share(LONG.messages); count += 100) {
      const messages = Array.from({ length: 100 }, () => ({ data: "x" }));
      await one.request({ type: "publish", messages });
    }
    for (let count = 0; count < share(LONG.turns); count += 1) {
      const id = `${index}-${count}`;
      await one.request({ type: "turn.start", id });
      await one.request({ type: "turn.end", turn: id, status: "complete" });
    }
  }
  const last = await message("the last");
  for (const one of agents) one.close();
  return [first, last];
}

/** A log of which a reader missed as many changes as it is brought; gives its position. */
async function change(server: Server, session: string): Promise<string> {
  const agents = await connections(server, session, "scribe", "agent");
  const [agent] = agents as [Connection];
  const serials: string[] = [];
  while (serials.length < LONG.changed) {
    const messages = Array.from({ length: 90 }, () => ({ data: "x" }));
    const result = await agent.request({ type: "publish", messages });
    serials.push(...(result.messages ?? []).map(({ serial }) => serial));
  }
  for (const [index, serial] of serials.entries()) {
    await agents[index % agents.length]?.request({ type: "update", serial, data: "y" });
  }
  for (const one of agents) one.close();
  return serials.at(-1) ?? "";
}

/** Attaches, or asks, in as many loops as there are connections. */
async function loops(isOver: () => boolean, once: () => Promise<unknown>): Promise<Asked> {
  let requests = 0;
  const loop = async (): Promise<void> => {
    for (; !isOver(); requests += 1) await once();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, loop));
  return { requests };
}

async function reading(meter: Meter, server: Server): Promise<void> {
  const token = await tokenOf("victor", ["viewer"]);
  const [long, changed] = [freshSession(), freshSession()];
  const [first, last] = await fill(server, long);
  const since = await change(server, changed);
  const attach = (session: string, query: string) =>
    meter.hour(session, (isOver) =>
      loops(isOver, async () => {
        const socket = await openSocket(server, session, query, token);
        await new Promise<void>((resolve) => {
          socket.onClose = () => resolve();
          socket.onMessage = (payload) => {
            if (payload.includes(CAUGHT_UP)) resolve();
          };
        });
        socket.close();
      }),
    );
  const get = (path: string) =>
    meter.hour(long, (isOver) =>
      loops(isOver, async () => {
        const url = `http://127.0.0.1:${server.port}/v1/sessions/${long}/${path}`;
        const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
        await response.arrayBuffer();
      }),
    );
  const scanned = await attach(long, `?since=${first}&names=rare`);
  const replayed = await attach(changed, `?since=${since}`);
  meter.toldReads("a viewer's attaches that scan for a name", scanned);
  meter.toldReads("a viewer's attaches that replay changes", replayed);
  const pages = await get("messages?limit=1000");
  const conversations = await get(`messages?to=${last}&limit=1000`);
  meter.toldReads("a viewer's pages of history", pages);
  meter.toldReads("a viewer's pages of a conversation", conversations);
}

/** Calls `act` for each connection, so often in a second. */
async function paced(
  isOver: () => boolean,
  all: Connection[],
  perSecond: number,
  act: (connection: Connection, index: number) => number,
): Promise<Asked> {
  let messages = 0;
  const from = performance.now();
  for (let round = 0; !isOver(); ) {
    for (const due = ((performance.now() - from) * perSecond) / 1000; round < due; round += 1) {
      for (const [index, connection] of all.entries()) messages += act(connection, index);
    }
    await pause(5);
  }
  return { messages };
}

/** Refusals, presence and probes: whatever somebody may send who may write nothing. */
async function looking(meter: Meter, server: Server): Promise<void> {
  const session = freshSession();
  const all = await connections(server, session, "victor", "viewer");
  const frames = [
    { type: "presence.set", data: { at: "x".repeat(3000) } },
    { type: "seen", n: 1 },
  ];
  const cost = await meter.hour(session, (isOver) =>
    paced(isOver, all, FRAMES.perSecond, (connection) => {
      for (const frame of frames) connection.socket.send(JSON.stringify(frame));
      connection.socket.send('{"type":"update","serial":"aaaa00000001","data":1}');
      return frames.length + 1;
    }),
  );
  for (const one of all) one.close();
  if (cost.written > 0) throw new Error(`${cost.written} rows written by a viewer in an hour`);
  meter.told(`a viewer's presence, probes and refused frames`, cost, 0.2);
}

async function writing(meter: Meter, server: Server): Promise<void> {
  const session = freshSession();
  const all = await connections(server, session, "mallory", "user");
  const [user] = all as [Connection];
  const before = await diagnostics(server, session);
  const messages = Array.from({ length: 100 }, () => ({ data: 1 }));
  for (let count = 0; count < 100; count += 1) await user.request({ type: "publish", messages });
  const filled = await diagnostics(server, session);
  const share = BYTES / (filled.databaseBytes - before.databaseBytes);
  const written = (filled.rowsWritten - before.rowsWritten) * share;
  const read = (filled.rowsRead - before.rowsRead) * share;
  const dollars = (written * PRICE.written + read * PRICE.read) / 1e6;
  meter.told("a user fills a session, once", { written, read, seconds: HOUR, dollars }, 17);

  const { messages: own } = await user.request({ type: "publish", messages });
  const serials = (own ?? []).map(({ serial }) => serial);
  const update = (connection: Connection, index: number): number => {
    const serial = serials[index % serials.length];
    connection.socket.send(JSON.stringify({ type: "update", serial, data: 1 }));
    return 1;
  };
  // A burst is available once: it is spent before anything is measured.
  for (const [index, connection] of all.entries()) {
    for (let count = 0; count < FRAMES.burst; count += 1) update(connection, index);
    await user.request({ type: "signal", name: "spent", data: null }).catch(() => {});
  }
  const cost = await meter.hour(session, (isOver) => paced(isOver, all, FRAMES.perSecond, update));
  meter.told("a user updates messages", cost, 12);
  for (const one of all) one.close();
}

async function streaming(meter: Meter, server: Server): Promise<void> {
  const session = freshSession();
  const all = await connections(server, session, "scribe", "agent");
  const reader = await Connection.open(server, session);
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, async (_, index) => {
      const connection = all[index % all.length] as Connection;
      return { connection, serial: await connection.begin() };
    }),
  );
  const cost = await meter.hour(session, (isOver) =>
    paced(isOver, all, 1000 / WINDOW_MS, (connection) => {
      const own = streams.filter((stream) => stream.connection === connection);
      const appends = own.map(({ serial }) => ({ type: "append", serial, data: "x" }));
      connection.socket.send(JSON.stringify(appends));
      return 1;
    }),
  );
  meter.told("an agent streams as many messages as may stream", cost, 23);
  for (const one of [...all, reader]) one.close();
}

async function run(bench: Bench): Promise<Row[]> {
  const server = await startSessile("bounds");
  const meter = new Meter(bench, server);
  for (const part of [reading, looking, writing, streaming]) await part(meter, server);
  await server.kill();
  return meter.rows;
}

export const bounds: Family[] = [{ name: "bounds", run }];
