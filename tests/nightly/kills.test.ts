// P3.2 a thousand times: kill -9 of plain workerd under load, a new session every fifty.

import assert from "node:assert/strict";
import { test } from "node:test";
import { crash } from "../support/crash.ts";
import { useServer } from "../support/fixture.ts";
import { Random } from "../support/random.ts";

const KILLS = Number(process.env.SESSILE_KILLS ?? 1000);
const A_SESSION = 50;
const fixture = useServer({
  vars: { SESSILE_LIMITS: JSON.stringify({ framesPerSecond: 1e6, framesBurst: 1e6 }) },
});

test(`P3.2 ${KILLS} kills lose nothing that was acked or seen`, async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  let acks = 0;
  for (let done = 0; done < KILLS; done += A_SESSION) {
    const kills = Math.min(A_SESSION, KILLS - done);
    acks += await crash(fixture.server, fixture.session("nightly"), kills, random);
    t.diagnostic(`${done + kills} kills, ${acks} acks kept`);
  }
  assert.ok(acks >= KILLS);
});
