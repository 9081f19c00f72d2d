// P13.4 for an hour: random frames by all roles, a new session every minute.

import { test } from "node:test";
import { useServer } from "../support/fixture.ts";
import { FUZZ_LIMITS, fuzz } from "../support/fuzz.ts";
import { Random } from "../support/random.ts";

const MINUTES = Number(process.env.SESSILE_FUZZ_MINUTES ?? 60);
const MINUTE_MS = 60_000;
const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(FUZZ_LIMITS) } });

test(`P13.4 ${MINUTES} minutes of random frames change nothing without a right`, async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  let all = 0;
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const { frames, taken } = await fuzz(fixture, random, MINUTE_MS);
    all += frames;
    t.diagnostic(`${all} frames; of the last ${frames}, ${taken} were taken`);
  }
});
