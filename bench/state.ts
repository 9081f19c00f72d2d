// A change of the shared state: rows, bytes and time, in a large tree beside a small one.

import { Connection, diagnostics, freshSession } from "./client.ts";
import { atMost, type Bench, type Family, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startSessile } from "./sides.ts";

/** Text of a large tree, in frames that the session takes: 1 MB in all. */
const PARTS = 5;
const PART = "x".repeat(200_000);
/** As a progress bar changes, or an agent that counts what it has found. */
const CHANGES_A_SECOND = 20;

interface Cost {
  rows: number;
  bytes: number;
  /** Milliseconds until a change is acknowledged, in the middle. */
  ms: number;
}

async function count(server: Server, isLarge: boolean, changes: number): Promise<Cost> {
  const session = freshSession();
  const agent = await Connection.open(server, session);
  const reader = await Connection.open(server, session);
  for (let part = 0; part < PARTS; part += 1) {
    const value = isLarge ? PART : "x";
    const op = { op: "set", path: ["parts", `p${part}`], value };
    await agent.request({ type: "state", ops: [op] });
  }
  const change = () =>
    agent.request({ type: "state", ops: [{ op: "increment", path: ["n"], by: 1 }] });
  await change();
  const before = await diagnostics(server, session);
  const times: number[] = [];
  for (let at = 0; at < changes; at += 1) {
    const sent = performance.now();
    await change();
    const took = performance.now() - sent;
    times.push(took);
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, 1000 / CHANGES_A_SECOND - took)),
    );
  }
  const after = await diagnostics(server, session);
  agent.close();
  reader.close();
  times.sort((a, b) => a - b);
  return {
    rows: (after.rowsWritten - before.rowsWritten) / changes,
    bytes: (after.databaseBytes - before.databaseBytes) / changes,
    ms: times[Math.floor(times.length / 2)] ?? Number.NaN,
  };
}

async function changes(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const times = bench.quick ? 100 : 600;
  const [large, small] = await Promise.all([
    count(server, true, times),
    count(server, false, times),
  ]);
  await server.kill();
  bench.log(`state: ${JSON.stringify({ large, small })}`);
  const what = `of a counter, ${CHANGES_A_SECOND}/s, in a tree of 1 MB beside one of 100 B`;
  return [
    atMost(`rows written by a change ${what}`, "rows", large.rows, small.rows, 1.05),
    atMost(`time of a change ${what}`, "ms", large.ms, small.ms, 2),
    atMost(`bytes that the database grows by a change ${what}`, "bytes", large.bytes, 256, 1),
  ];
}

export const state: Family[] = [{ name: "state", run: changes }];
