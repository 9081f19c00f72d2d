// How long an isolate takes to start: from the start of the process to the first answer of a
// session, beside a bare JavaScript Worker whose process starts the same way. All that is between
// the two is the wasm: to compile it, to make an instance of it, and to run it cold.

import { diagnostics, freshSession } from "./client.ts";
import { atMost, type Bench, type Family, median, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startBare, startSessile } from "./sides.ts";

/** The required bound for the wasm alone. */
const BOUND_MS = 50;
/** How many times the bare Worker's start ours may take. */
const TIMES = 2;

async function first(start: () => Promise<Server>, ask: (server: Server) => Promise<unknown>) {
  const from = performance.now();
  const server = await start();
  await ask(server);
  const took = performance.now() - from;
  await server.kill();
  return took;
}

async function run(bench: Bench): Promise<Row[]> {
  const sides = {
    theirs: () =>
      first(startBare, async ({ port }) => {
        const url = `http://127.0.0.1:${port}/${freshSession()}?as=diagnostics`;
        await (await fetch(url)).json();
      }),
    ours: () =>
      first(
        () => startSessile("default"),
        (server) => diagnostics(server, freshSession()),
      ),
  };
  const took = { ours: [] as number[], theirs: [] as number[] };
  const rounds = bench.quick ? 5 : 21;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of ["theirs", "ours"] as const) {
      const ms = await sides[name]();
      // The first of each reads its program from the disk.
      if (round > 0) took[name].push(ms);
    }
  }
  const [ours, theirs] = [median(took.ours), median(took.theirs)];
  bench.log(`start to first answer: ours ${ours.toFixed(1)} ms, bare ${theirs.toFixed(1)} ms`);
  const whole = "start of the process to the first answer of a session";
  const alone = `start of the isolate, without what the bare one takes: at most ${BOUND_MS} ms`;
  return [
    atMost(whole, "ms", ours, theirs, TIMES),
    atMost(alone, "ms", Math.max(0, ours - theirs), BOUND_MS, 1),
  ];
}

export const starting: Family[] = [{ name: "start", run }];
