// The base of nearly every file of the workerd layer: a server of its own, sessions of new names,
// and the proof after each test that nothing pins a session in memory.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { call, field } from "./http.ts";
import { type Server, type ServerOptions, startServer } from "./server.ts";

export interface Fixture {
  readonly server: Server;
  /** A session nobody used; it is evicted after the test, which fails if that cannot be done. */
  session: (name?: string) => string;
  /**
   * The same for wires that are cut without a word. It is not evicted: of a socket that is reset
   * while it is being opened the runtime lets go only after half a minute.
   */
  cutSession: () => string;
}

/** One server for a file; started before its tests and gone after them. */
export function useServer(options: ServerOptions = {}): Fixture {
  let server: Server | undefined;
  let used: string[] = [];
  let count = 0;
  const need = (): Server => {
    if (server === undefined) throw new Error("the server has not started");
    return server;
  };
  before(async () => {
    server = await startServer(options);
  });
  afterEach(async () => {
    const sessions = used;
    used = [];
    for (const session of sessions) await need().evict(session);
  });
  after(async () => {
    await server?.stop();
  });
  return {
    get server() {
      return need();
    },
    session(name = "s") {
      count += 1;
      const session = `${name}-${count}`;
      used.push(session);
      return session;
    },
    cutSession() {
      count += 1;
      return `cut-${count}`;
    },
  };
}

/** How a connection began, and what it was refused. */
export interface Trace {
  attachedAt?: number;
  resumed?: boolean;
  reason?: string;
  frames: number;
  bytes: number;
  refused: Record<string, number>;
}

export interface Diagnostics {
  rowsWritten: number;
  rowsRead: number;
  databaseBytes: number;
  memoryBytes: number;
  connections: {
    connection: string;
    client: string;
    kind: string;
    window: number;
    unsent: number;
    trace: Trace;
  }[];
  serial: string;
  traces: {
    attached: number;
    resumed: number;
    frames: number;
    bytes: number;
    refused: Record<string, number>;
    closed: Record<string, number>;
    gone: { client: string; serial: string; code?: number; reason?: string; trace: Trace }[];
  };
  presence: { at: number; what: string; client: string; connection: string }[];
  deliveries: {
    pending: number;
    failing: { id: string; target: string; attempts: number; reason: string }[];
    dead: { id: string; target: string; attempts: number; reason: string }[];
  };
}

/** The session's own figures (P11.4); they count from when it woke. */
export async function diagnostics(server: Server, session: string): Promise<Diagnostics> {
  const answer = await call(server, session, "GET", "/diagnostics");
  assert.equal(answer.status, 200, answer.text);
  assert.equal(typeof field(answer, "rowsWritten"), "number", answer.text);
  return answer.body as Diagnostics;
}

export async function rowsWritten(server: Server, session: string): Promise<number> {
  return (await diagnostics(server, session)).rowsWritten;
}
