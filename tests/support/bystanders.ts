// Bystanders of an attack: in the session under attack, and in another one of the same isolate.
// They must stay connected, be answered, and cost the same as without the attack.

import assert from "node:assert/strict";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Client, connect } from "./client.ts";
import { diagnostics } from "./fixture.ts";
import { Reader } from "./reader.ts";
import type { Server } from "./server.ts";
import { sleep } from "./wait.ts";

/** Longer than anything of theirs may take beside an attack. */
const LATE_MS = 1000;
/** How long it is measured what share of a core a process gets here. */
const SHARE_MS = 150;
/** Bytes that the wasm of all sessions may take beside an attack. */
const MEMORY_BYTES = 32 * 1024 * 1024;
/** How many times the rows of the undisturbed stream a stream may cost beside an attack. */
const TIMES = 2;
const EVERY_MS = 100;
/** Rounds of the writer that count as undisturbed. */
const UNDISTURBED = 4;

/** The cost of a session while its writer went round so often. */
export interface Cost {
  rounds: number;
  written: number;
  read: number;
}

/** The same of the attacked session, and what as many rounds cost without an attack. */
export interface Attacked extends Cost {
  undisturbed: Cost;
}

export interface Besides {
  /** Whether the writers stream: not where the session takes no more. */
  isStreaming?: boolean;
}

/** One session: somebody who streams and waits for each answer, and readers. */
class Corner {
  readonly readers: Reader[] = [];
  writer: Client | undefined;
  latest = 0;
  rounds = 0;
  #server: Server;
  #session: string;
  #serial: string | undefined;
  /** How long this process itself was held up, by the attacker or what it reads. */
  #held = monitorEventLoopDelay({ resolution: 10 });

  constructor(server: Server, session: string) {
    this.#server = server;
    this.#session = session;
  }

  async begin(isStreaming: boolean): Promise<void> {
    const { query, ...who } = { sub: "writer", query: { rewind: 0 } };
    this.writer = await connect(this.#server, this.#session, { ...who, query, keep: false });
    for (let index = 0; index < 2; index += 1) {
      const reader = new Reader(this.#server, this.#session, { sub: `reader-${index}`, query });
      await reader.attach();
      this.readers.push(reader);
    }
    this.#held.enable();
    if (isStreaming) this.#serial = await this.writer.publish("", { status: "streaming" });
  }

  /** A signal, and a token that is stored and shown before it is acknowledged. */
  async ask(): Promise<void> {
    this.#held.reset();
    const began = performance.now();
    await this.writer?.ok({ type: "signal", name: "still here", data: null });
    if (this.#serial !== undefined) {
      await this.writer?.ok({ type: "append", serial: this.#serial, data: "." });
    }
    const took = performance.now() - began - this.#held.max / 1e6;
    this.latest = Math.max(this.latest, took);
    this.rounds += 1;
  }

  /** Counts rows from now on; gives a function that says how many there were. */
  async count(): Promise<() => Promise<Cost>> {
    const [before, rounds] = [await diagnostics(this.#server, this.#session), this.rounds];
    return async () => {
      const now = await diagnostics(this.#server, this.#session);
      return {
        rounds: this.rounds - rounds,
        written: now.rowsWritten - before.rowsWritten,
        read: now.rowsRead - before.rowsRead,
      };
    };
  }

  async check(lateMs: number): Promise<void> {
    const clients = [this.writer, ...this.readers.map(({ client }) => client)];
    for (const client of clients) assert.equal(client?.isClosed, false, "nobody is disconnected");
    for (const reader of this.readers) {
      if (this.#serial !== undefined) {
        await reader.holdsText(this.#serial, ".".repeat(this.rounds));
      }
      reader.fold.assertSound();
    }
    const said = `an answer came after ${Math.round(this.latest)} ms, late is ${lateMs} ms`;
    assert.ok(this.latest < lateMs, said);
  }

  async end(): Promise<void> {
    this.#held.disable();
    await this.writer?.close();
    for (const reader of this.readers) await reader.close();
  }
}

/** How many times longer anything takes than on a machine that does nothing else. */
function slowdown(): number {
  const [began, used] = [performance.now(), process.cpuUsage()];
  while (performance.now() - began < SHARE_MS);
  const { user, system } = process.cpuUsage(used);
  return Math.max(1, (SHARE_MS * 1000) / (user + system));
}

/** The cost of other so many rounds. */
function during(rounds: number, cost: Cost): Cost {
  const times = rounds / cost.rounds;
  return { rounds, written: cost.written * times, read: cost.read * times };
}

/**
 * Fails where a session cost more than twice its undisturbed stream, but for the rows that an
 * attack may read: it attached so often, or asked for so much.
 */
export function assertUndisturbed(cost: Attacked, mayRead = 0): void {
  const said = JSON.stringify(cost);
  assert.ok(cost.written <= TIMES * cost.undisturbed.written, `rows written: ${said}`);
  assert.ok(cost.read <= TIMES * cost.undisturbed.read + mayRead, `rows read: ${said}`);
}

/**
 * Runs something beside bystanders, and checks that it was nothing to them. Gives what the attacked
 * session cost meanwhile, with what the attack itself was allowed to do.
 */
export async function besides(
  server: Server,
  session: string,
  other: string,
  attack: () => Promise<void>,
  { isStreaming = true }: Besides = {},
): Promise<Attacked> {
  const before = slowdown();
  const corners = [new Corner(server, session), new Corner(server, other)] as const;
  const [attacked, elsewhere] = corners;
  await attacked.begin(isStreaming);
  await elsewhere.begin(true);
  const alone = await elsewhere.count();
  for (let round = 0; round < UNDISTURBED; round += 1) await elsewhere.ask();
  const undisturbed = await alone();
  const counts = [await attacked.count(), await elsewhere.count()] as const;
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
  const lateMs = Math.round(LATE_MS * Math.max(before, slowdown()));
  for (const corner of corners) await corner.check(lateMs);
  assert.ok(memory < MEMORY_BYTES, `the wasm took ${memory} bytes`);
  const [cost, rest] = [await counts[0](), await counts[1]()];
  assertUndisturbed({ ...rest, undisturbed: during(rest.rounds, undisturbed) });
  for (const corner of corners) await corner.end();
  return { ...cost, undisturbed: during(cost.rounds, undisturbed) };
}
