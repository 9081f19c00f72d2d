// Those who have nothing to do with an attack: in the session that is attacked, and in another of
// the same isolate. Whatever somebody else does, they stay connected and are answered.

import assert from "node:assert/strict";
import { type Client, connect } from "./client.ts";
import { diagnostics } from "./fixture.ts";
import { Reader } from "./reader.ts";
import type { Server } from "./server.ts";
import { sleep } from "./wait.ts";

/** Longer than anything of theirs may take beside an attack. */
const LATE_MS = 1000;
/** Bytes that the wasm of all sessions may take beside an attack. */
const MEMORY_BYTES = 32 * 1024 * 1024;
const EVERY_MS = 100;

/** One session: somebody who writes and waits for each answer, and readers. */
class Corner {
  readonly readers: Reader[] = [];
  writer: Client | undefined;
  latest = 0;
  answers = 0;
  #server: Server;
  #session: string;

  constructor(server: Server, session: string) {
    this.#server = server;
    this.#session = session;
  }

  async begin(): Promise<void> {
    const { query, ...who } = { sub: "writer", query: { rewind: 0 } };
    this.writer = await connect(this.#server, this.#session, { ...who, query, keep: false });
    for (let index = 0; index < 2; index += 1) {
      const reader = new Reader(this.#server, this.#session, { sub: `reader-${index}`, query });
      await reader.attach();
      this.readers.push(reader);
    }
  }

  async ask(): Promise<void> {
    const began = performance.now();
    await this.writer?.ok({ type: "signal", name: "still here", data: null });
    this.latest = Math.max(this.latest, performance.now() - began);
    this.answers += 1;
  }

  check(): void {
    const clients = [this.writer, ...this.readers.map(({ client }) => client)];
    for (const client of clients) assert.equal(client?.isClosed, false, "nobody is disconnected");
    for (const reader of this.readers) reader.fold.assertSound();
    assert.ok(this.latest < LATE_MS, `an answer came after ${Math.round(this.latest)} ms`);
  }

  async end(): Promise<void> {
    await this.writer?.close();
    for (const reader of this.readers) await reader.close();
  }
}

/** Runs something beside bystanders, and checks that it was nothing to them. */
export async function besides(
  server: Server,
  session: string,
  other: string,
  attack: () => Promise<void>,
): Promise<void> {
  const corners = [new Corner(server, session), new Corner(server, other)];
  for (const corner of corners) await corner.begin();
  let isOver = false;
  let memory = 0;
  const watch = corners.map(async (corner) => {
    while (!isOver) {
      await corner.ask();
      await sleep(EVERY_MS);
    }
  });
  const look = (async () => {
    while (!isOver) {
      memory = Math.max(memory, (await diagnostics(server, other)).memoryBytes);
      await sleep(EVERY_MS);
    }
  })();
  try {
    await Promise.race([attack(), Promise.all([...watch, look])]);
  } finally {
    isOver = true;
  }
  await Promise.all([...watch, look]);
  for (const corner of corners) corner.check();
  assert.ok(memory < MEMORY_BYTES, `the wasm took ${memory} bytes`);
  for (const corner of corners) await corner.end();
}
