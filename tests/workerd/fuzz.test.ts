// P13.4: whatever is sent, by whomever: nothing fails, and nothing is done without a right.

import { test } from "node:test";
import { useServer } from "../support/fixture.ts";
import { FUZZ_LIMITS, fuzz } from "../support/fuzz.ts";
import { Random } from "../support/random.ts";

const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(FUZZ_LIMITS) } });
const DURATION_MS = Number(process.env.SESSILE_FUZZ_MS ?? 60_000);

test("P13.4 nothing that is sent by random fails, or is done without a right", async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const { frames, taken, slowest } = await fuzz(fixture, random, DURATION_MS);
  t.diagnostic(`${frames} frames, ${taken} taken, the slowest array in ${Math.round(slowest)} ms`);
});
