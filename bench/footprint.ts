// How big the Worker is, and whether its memory grows with what has passed through it.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Connection, diagnostics, freshSession } from "./client.ts";
import { atMost, type Bench, type Family, type Row } from "./row.ts";
import { buildFile } from "./server.ts";
import { RAISED, startSessile, TOKEN_TEXT } from "./sides.ts";

/** As `npm run check` has it. */
const WASM_KB = 600;
const SESSIONS = 100;
const APPENDS_A_ROUND = 1000;
/** Sessions that are busy at once: the heap keeps the mark of the most that it ever held. */
const AT_ONCE = 10;
/**
 * The heap grows by pages, so that a busier moment may add a few. A tenth of some 3 MB is a third
 * of a byte for each of the 900 000 appends: anything kept of an append would pass it.
 */
const GROWTH_MAX = 1.1;

async function size(): Promise<Row[]> {
  const wasm = readFileSync(buildFile("index_bg.wasm"));
  const kilobytes = gzipSync(wasm, { level: 9 }).length / 1024;
  return [atMost(`wasm, gzipped: at most ${WASM_KB} KB`, "KB", kilobytes, WASM_KB, 1)];
}

interface Pair {
  session: string;
  agent: Connection;
  reader: Connection;
}

/** A streaming message of a thousand appends in one session, from its beginning to its end. */
async function round({ agent }: Pair): Promise<void> {
  const serial = await agent.begin();
  const frame = (_: unknown, index: number) =>
    `{"type":"append","serial":"${serial}","data":"${TOKEN_TEXT}","seq":${index + 1}}`;
  const frames = Array.from({ length: APPENDS_A_ROUND }, frame);
  for (let at = 0; at < APPENDS_A_ROUND; at += 100) {
    agent.socket.send(`[${frames.slice(at, at + 100).join()}]`);
  }
  await agent.complete(serial);
}

/** The wasm memory after a million appends over a hundred watched sessions, in ten rounds. */
async function memory(bench: Bench): Promise<Row[]> {
  const server = await startSessile("raised");
  const pairs: Pair[] = [];
  for (let count = 0; count < SESSIONS; count += 1) {
    const session = freshSession();
    const agent = await Connection.open(server, session);
    pairs.push({ session, agent, reader: await Connection.open(server, session) });
  }
  const sizes: number[] = [];
  for (let count = 0; count < (bench.quick ? 4 : 10); count += 1) {
    for (let from = 0; from < SESSIONS; from += AT_ONCE) {
      await Promise.all(pairs.slice(from, from + AT_ONCE).map(round));
    }
    const { memoryBytes } = await diagnostics(server, pairs[0]?.session ?? "");
    sizes.push(memoryBytes);
    bench.log(
      `memory: ${memoryBytes} bytes after ${(count + 1) * SESSIONS * APPENDS_A_ROUND} appends`,
    );
  }
  for (const { agent, reader } of pairs) {
    agent.close();
    reader.close();
  }
  await server.kill();
  const [first = Number.NaN, last = Number.NaN] = [sizes[0], sizes.at(-1)];
  const appends = `${sizes.length}00 000 appends over ${SESSIONS} sessions`;
  const name = `wasm memory after ${appends}, and after the first 100 000 ${RAISED}`;
  return [atMost(name, "bytes", last, first, GROWTH_MAX)];
}

export const footprint: Family[] = [
  { name: "wasm", run: size },
  { name: "memory", run: memory },
];
