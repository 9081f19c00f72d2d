// How soon an agent has a cancel that somebody sends from another device, while it streams.

import { Connection, freshSession } from "./client.ts";
import { atMost, type Bench, type Family, median, quantile, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startSessile, TOKEN_TEXT } from "./sides.ts";

const TOKENS_PER_SECOND = 100;
/** The required bound: a person who presses stop must not wait. */
const BOUND_MS = 300;
const SESSIONS = 4;

/** Streams evenly into a message until the turn is cancelled; resolves with when that came. */
function streamUntilCancelled(agent: Connection, turn: string, serial: string): Promise<number> {
  return new Promise((resolve) => {
    let seq = 0;
    const timer = setInterval(() => {
      seq += 1;
      agent.socket.send(JSON.stringify({ type: "append", serial, data: TOKEN_TEXT, seq }));
    }, 1000 / TOKENS_PER_SECOND);
    agent.onFrame = (frame, at) => {
      if (frame.type !== "turn.cancel" || frame.turn?.id !== turn) return;
      clearInterval(timer);
      resolve(at);
    };
  });
}

/** Turns that are cancelled in the middle, each at another moment; how long each cancel took. */
async function cancels(server: Server, count: number): Promise<number[]> {
  const session = freshSession();
  const [agent, phone, laptop] = [
    await Connection.open(server, session),
    await Connection.open(server, session),
    await Connection.open(server, session),
  ];
  const took: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const turn = `turn-${index}`;
    await agent.request({ type: "turn.start", id: turn });
    const message = { turn, data: "", status: "streaming", role: "assistant" };
    const result = await agent.request({ type: "publish", messages: [message] });
    const serial = result.messages?.[0]?.serial ?? "";
    const cancelled = streamUntilCancelled(agent, turn, serial);
    // Anywhere between two tokens, and anywhere in a window.
    await new Promise((resolve) => setTimeout(resolve, 60 + ((index * 7) % 50)));
    const sentAt = performance.now();
    phone.socket.send(JSON.stringify({ type: "cancel", turn }));
    took.push((await cancelled) - sentAt);
    await agent.request({ type: "turn.end", turn, status: "cancelled" });
  }
  for (const connection of [agent, phone, laptop]) connection.close();
  return took;
}

async function run(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const count = bench.quick ? 25 : 150;
  const all = await Promise.all(Array.from({ length: SESSIONS }, () => cancels(server, count)));
  await server.kill();
  const took = all.flat();
  bench.log(
    `${took.length} cancels: p50 ${median(took).toFixed(2)} ms, ` +
      `p99 ${quantile(took, 0.99).toFixed(2)} ms, longest ${Math.max(...took).toFixed(2)} ms`,
  );
  const name = "p99 from a cancel on a second device to the agent's socket, 100 tokens/s streaming";
  return [atMost(name, "ms", quantile(took, 0.99), BOUND_MS, 1)];
}

export const cancel: Family[] = [{ name: "cancel", run }];
