// How many tokens a session takes and passes on, against the bare object.
//
// A token is five characters. Its rate is taken from the first one sent until every reader holds
// the last one, with a bound on how many are in flight: sent by the agent, not yet held by the
// first reader. Both sides acknowledge every append or, where the row does not say so, neither.

import { intakeByBody } from "./body.ts";
import { type Rate, type Saturation, saturate } from "./load.ts";
import { atLeast, type Bench, type Family, median, type Row } from "./row.ts";
import { bare, RAISED, type Side, sessile, startBare, startSessile } from "./sides.ts";

async function sides(): Promise<{ ours: Side; theirs: Side }> {
  return { ours: sessile(await startSessile("raised")), theirs: bare(await startBare()) };
}

/** Runs the loads of both sides in turn and gives the median rate of each. */
async function compare(
  bench: Bench,
  what: string,
  ours: () => Promise<Rate>,
  theirs: () => Promise<Rate>,
): Promise<{ ours: number; theirs: number }> {
  const rates = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < (bench.quick ? 3 : 7); round += 1) {
    for (const [side, run] of [
      ["theirs", theirs],
      ["ours", ours],
    ] as const) {
      const rate = await run();
      rates[side].push(rate.tokensPerSecond);
      bench.log(
        `${what}: ${side} ${Math.round(rate.tokensPerSecond)} tokens/s, ` +
          `cpu: client ${rate.clientCpu.toFixed(2)}, workerd ${rate.serverCpu.toFixed(2)}`,
      );
    }
  }
  return { ours: median(rates.ours), theirs: median(rates.theirs) };
}

async function appends(bench: Bench): Promise<Row[]> {
  const { ours, theirs } = await sides();
  const rows: Row[] = [];
  for (const [how, inFlight, acked, aim] of [
    ["64 in flight", 64, false, 10],
    ["64 in flight, each acknowledged", 64, true, 10],
    ["1 in flight", 1, false, 0.9],
  ] as const) {
    const load: Saturation = { readers: 1, rollup: 0, inFlight, acked, seconds: 1.5 };
    const rate = await compare(
      bench,
      how,
      () => saturate(ours, load),
      () => saturate(theirs, load),
    );
    const name = `appends to one reader, window 0, ${how} ${RAISED}`;
    rows.push(atLeast(name, "appends/s", rate.ours, rate.theirs, aim));
  }
  await Promise.all([ours.server.kill(), theirs.server.kill()]);
  return rows;
}

/**
 * A hundred readers at the default window. A side is offered tokens, one WebSocket message each,
 * as fast as it takes them: enough in flight that it never waits for the agent. For the bare
 * object 64 is enough (more only lengthens its queue); ours must have more than a window's worth.
 */
async function fanOut(bench: Bench): Promise<Row[]> {
  const { ours, theirs } = await sides();
  const readers = 100;
  const seconds = 2;
  const rate = await compare(
    bench,
    "100 readers",
    () => saturate(ours, { readers, rollup: 40, inFlight: 8192, seconds }),
    () => saturate(theirs, { readers, rollup: 0, inFlight: 64, seconds }),
  );
  await Promise.all([ours.server.kill(), theirs.server.kill()]);
  const name = `tokens × readers, 100 readers, default rollup ${RAISED}`;
  return [atLeast(name, "deliveries/s", rate.ours * readers, rate.theirs * readers, 100)];
}

/** One agent and one reader at the default window; the bare object takes one token a frame. */
async function intake(bench: Bench): Promise<Row[]> {
  const { ours, theirs } = await sides();
  const seconds = 1.5;
  const bareLoad = { readers: 1, rollup: 0, inFlight: 1024, seconds };
  const batched = { readers: 1, rollup: 40, inFlight: 32_000, seconds, batch: 100 };
  const rows: Row[] = [];
  for (const [how, run, aim] of [
    ["arrays of 100 frames", () => saturate(ours, batched), 50],
    ["a streamed body, a token a chunk", () => intakeByBody(ours.server, bench.quick), 15],
  ] as const) {
    const rate = await compare(bench, how, run, () => saturate(theirs, bareLoad));
    const name = `tokens taken from one agent by ${how} ${RAISED}`;
    rows.push(atLeast(name, "tokens/s", rate.ours, rate.theirs, aim));
  }
  await Promise.all([ours.server.kill(), theirs.server.kill()]);
  return rows;
}

export const throughput: Family[] = [
  { name: "appends", run: appends },
  { name: "fan-out", run: fanOut },
  { name: "intake", run: intake },
];
