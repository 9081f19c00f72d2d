// The loss by `kill -9`: tokens that a reader had seen or that were acknowledged, and that are not
// in the history after the restart.

import { Connection, freshSession, http } from "./client.ts";
import { atMost, type Bench, type Family, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startSessile, TOKEN_CHARS } from "./sides.ts";

const TOKENS_PER_SECOND = 500;

/** A token that says which one it is, as long as all the others. */
function token(index: number): string {
  return String(index % 10_000).padStart(TOKEN_CHARS, " ");
}

function textOf(tokens: number): string {
  return Array.from({ length: tokens }, (_, index) => token(index)).join("");
}

/** Streams, kills after some `tokens` were seen, restarts, and counts what is missing. */
async function kill(server: Server, tokens: number, rollup: number): Promise<number> {
  const session = freshSession();
  const agent = await Connection.open(server, session);
  const reader = await Connection.open(server, session, `?rollup=${rollup}`);
  const serial = await agent.begin();
  let sent = 0;
  let acked = 0;
  let seen = 0;
  agent.onAck = (ref) => {
    acked = Math.max(acked, ref);
  };
  const timer = setInterval(() => {
    const data = token(sent);
    sent += 1;
    agent.socket.send(JSON.stringify({ type: "append", ref: sent, serial, data, seq: sent }));
  }, 1000 / TOKENS_PER_SECOND);
  await new Promise<void>((resolve) => {
    reader.onFrame = (frame) => {
      if (frame.type !== "message.append") return;
      seen = ((frame.offset ?? 0) + (frame.data ?? "").length) / TOKEN_CHARS;
      if (seen >= tokens) resolve();
    };
  });
  await server.kill();
  // Frames that were on their way when it was killed still count as seen.
  await new Promise((resolve) => setImmediate(resolve));
  clearInterval(timer);
  agent.close();
  reader.close();
  await server.run();
  const path = `${session}/messages/${serial}`;
  const { message } = await http<{ message: { data: string } }>(server, path);
  const stored = message.data.length / TOKEN_CHARS;
  if (message.data !== textOf(stored)) throw new Error("the text is not what was sent");
  return Math.max(0, seen - stored, acked - stored);
}

async function run(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const kills = bench.quick ? 3 : 6;
  let lost = 0;
  for (let count = 0; count < kills; count += 1) {
    lost += await kill(server, 50 + count * 37, count % 2 === 0 ? 40 : 0);
    bench.log(`loss: ${lost} tokens after ${count + 1} kills`);
  }
  await server.kill();
  const name = `tokens seen or acknowledged and gone after kill -9, ${kills} kills`;
  return [atMost(name, "tokens", lost, 0, 0)];
}

export const loss: Family[] = [{ name: "loss", run }];
