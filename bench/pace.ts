// The rows of one answer as a model gives it, by the window of the page that watches it: what the
// pace of a page saves (docs/costs.md).

import { Connection, diagnostics, freshSession } from "./client.ts";
import { atMost, type Bench, type Family, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startSessile } from "./sides.ts";

/** A chunk each 60 ms, as long as a few words. */
const CHUNKS = 250;
const ANSWER_MS = 15_000;
const CHUNK = "and so a few words ";
/** The window that the React hooks and the adapters ask for, others, and nobody who watches. */
const PACED_MS = 320;
const WINDOWS = [undefined, 0, 40, 100, 250, PACED_MS];
/** The aim for the whole turn; others write about 40, and show text before that. */
const MOST_ROWS = 60;
/** Dollars for a row written, beyond the included amount. */
const ROW_DOLLARS = 1 / 1_000_000;

interface Cost {
  /** Rows of the turn, from its start to its end. */
  rows: number;
  /** Frames that brought text to the page. */
  frames: number;
  /** Milliseconds from the first chunk to the page that shows it. */
  firstMs: number;
}

async function turn(server: Server, windowMs: number | undefined): Promise<Cost> {
  const session = freshSession();
  const agent = await Connection.open(server, session);
  const query = `?rollup=${windowMs}`;
  const page = windowMs === undefined ? undefined : await Connection.open(server, session, query);
  const asked = await agent.request({ type: "publish", messages: [{ data: "What is a tide?" }] });
  const input = asked.messages?.[0]?.serial;
  const cost: Cost = { rows: 0, frames: 0, firstMs: Number.NaN };
  let begun = 0;
  const hear = ({ type }: { type: string }): void => {
    if (type !== "message.append") return;
    if (cost.frames === 0) cost.firstMs = performance.now() - begun;
    cost.frames += 1;
  };
  if (page) page.onFrame = hear;
  const before = await diagnostics(server, session);
  await agent.request({ type: "turn.start", id: "t", input });
  const message = { turn: "t", role: "assistant", data: "", status: "streaming" };
  const { messages } = await agent.request({ type: "publish", messages: [message] });
  const serial = messages?.[0]?.serial ?? "";
  begun = performance.now();
  for (let seq = 1; seq <= CHUNKS; seq += 1) {
    const dueMs = begun + ((seq - 1) * ANSWER_MS) / CHUNKS - performance.now();
    if (dueMs > 0) await new Promise((done) => setTimeout(done, dueMs));
    agent.socket.send(JSON.stringify({ type: "append", serial, seq, data: CHUNK }));
  }
  await agent.request({ type: "turn.end", turn: "t", status: "complete" });
  cost.rows = (await diagnostics(server, session)).rowsWritten - before.rowsWritten;
  agent.close();
  page?.close();
  return cost;
}

async function pace(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const costs = await Promise.all(WINDOWS.map((windowMs) => turn(server, windowMs)));
  await server.kill();
  costs.forEach(({ rows, frames, firstMs }, index) => {
    const dollars = (rows * 1_000_000 * ROW_DOLLARS).toFixed(0);
    const windowMs = WINDOWS[index];
    const reader = windowMs === undefined ? "nobody" : `${windowMs} ms`;
    bench.log(
      `pace: ${reader}: ${rows} rows, ${frames} frames, $${dollars} a million turns, ` +
        `first token after ${firstMs.toFixed(1)} ms`,
    );
  });
  const what = `rows of a turn of ${CHUNKS} chunks in 15 s, paced, at ${PACED_MS} ms`;
  return [atMost(what, "rows", costs.at(-1)?.rows ?? Number.NaN, MOST_ROWS, 1)];
}

export const rowsOfPace: Family[] = [{ name: "rows-pace", run: pace }];
