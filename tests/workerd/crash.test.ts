// P3.2: what was acknowledged or shown is never lost, whenever workerd dies.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crash } from "../support/crash.ts";
import { useServer } from "../support/fixture.ts";
import { Random } from "../support/random.ts";

const KILLS = Number(process.env.SESSILE_KILLS ?? 20);
const fixture = useServer({
  vars: { SESSILE_LIMITS: JSON.stringify({ framesPerSecond: 1e6, framesBurst: 1e6 }) },
});

describe("kill -9", () => {
  test(`P3.2 ${KILLS} times under load: all that was acked or seen is there, once`, async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const acks = await crash(fixture.server, fixture.session("crash"), KILLS, random);
    t.diagnostic(`${acks} acks were kept`);
    assert.ok(acks >= KILLS);
  });
});
