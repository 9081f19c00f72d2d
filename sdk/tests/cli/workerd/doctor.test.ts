// `doctor` with deployments that are not well.

import assert from "node:assert/strict";
import { test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { sessile } from "../io.ts";

const broken = useServer({ vars: { SESSILE_SIGNING_KEY: undefined } });
const VAPID = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";
const pushing = useServer({
  vars: { SESSILE_VAPID_KEY: VAPID, SESSILE_VAPID_SUBJECT: "mailto:ops@example.com" },
});

const developing = useServer({ vars: { SESSILE_DEV: "1" } });

async function doctor(url: string) {
  const env = { SESSILE_TOKEN: await makeToken(), SESSILE_URL: url };
  return sessile(["doctor"], { env });
}

test("doctor says that a deployment has no keys", async () => {
  const { code, out } = await doctor(broken.server.url);
  assert.equal(code, 1);
  assert.match(out, /^ok +reachable/m);
  assert.match(out, /^failed +keys .*SESSILE_SIGNING_KEY/m);
});

test("doctor finds Web Push where it is set up", async () => {
  const { code, out } = await doctor(pushing.server.url);
  assert.match(out, /^ok +push /m);
  assert.equal(code, 0, out);
});

test("doctor knows a clock that is wrong", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 120_000 });
  const { code, out } = await doctor(pushing.server.url);
  assert.equal(code, 1, out);
  assert.match(out, /^failed +clock .* 1[12]\d s off/m);
});

test("doctor finds a development server, which a machine elsewhere must not be", async () => {
  const local = await doctor(developing.server.url);
  assert.match(local.out, /^ok +development +SESSILE_DEV is set/m);
  assert.equal(local.code, 0, local.out);
  // The same server by an address that does not say that it is this machine.
  const { port } = developing.server;
  const elsewhere = await doctor(`http://[::ffff:127.0.0.1]:${port}`);
  assert.match(elsewhere.out, /^failed +development .*remove the variable/m);
  assert.equal(elsewhere.code, 1, elsewhere.out);
  assert.doesNotMatch((await doctor(pushing.server.url)).out, /development/);
});
