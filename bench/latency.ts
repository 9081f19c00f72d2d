// How late the slowest one in a hundred tokens is, from the agent's send to the reader's receipt,
// when tokens come evenly as a model gives them.

import { pace } from "./load.ts";
import { atMost, type Bench, type Family, median, quantile, type Row } from "./row.ts";
import { bare, type Side, sessile, startBare, startSessile } from "./sides.ts";

const TOKENS_PER_SECOND = 150;

async function round(side: Side, seconds: number): Promise<number[]> {
  const stream = await side.open({ readers: 1, rollup: 0 });
  const { latencies } = await pace(stream, TOKENS_PER_SECOND, TOKENS_PER_SECOND * seconds);
  stream.close();
  return latencies;
}

async function run(bench: Bench): Promise<Row[]> {
  const ours = sessile(await startSessile("default"));
  const theirs = bare(await startBare());
  const p99 = { ours: [] as number[], theirs: [] as number[] };
  const seconds = 3;
  for (let count = 0; count < (bench.quick ? 5 : 15); count += 1) {
    for (const [name, side] of [
      ["theirs", theirs],
      ["ours", ours],
    ] as const) {
      const latencies = await round(side, seconds);
      p99[name].push(quantile(latencies, 0.99));
      bench.log(
        `150 tokens/s: ${name} p50 ${median(latencies).toFixed(2)} ms, ` +
          `p99 ${quantile(latencies, 0.99).toFixed(2)} ms`,
      );
    }
  }
  await Promise.all([ours.server.kill(), theirs.server.kill()]);
  const name = "p99 from append to reader, 150 tokens/s evenly, window 0";
  return [atMost(name, "ms", median(p99.ours), median(p99.theirs), 1.5)];
}

export const latency: Family[] = [{ name: "latency", run }];
