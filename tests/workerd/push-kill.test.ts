// P10.2 through `kill -9`: nothing that is owed to a device is forgotten, and nothing comes twice
// to a receiver that knows ids.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Endpoint, silent } from "../support/endpoint.ts";
import { useServer } from "../support/fixture.ts";
import { call, field } from "../support/http.ts";
import { subscribe, vapidKey } from "../support/push.ts";
import { Random } from "../support/random.ts";
import { sleep, until } from "../support/wait.ts";

const require = createRequire(import.meta.url);
const ece: { decrypt(body: Buffer, how: object): Buffer } = require("http_ece");

const KILLS = Number(process.env.SESSILE_KILLS ?? 12);
const fixture = useServer({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_VAPID_KEY: vapidKey().scalar,
    SESSILE_VAPID_SUBJECT: "mailto:ops@example.com",
    SESSILE_LIMITS: JSON.stringify({ deliveryMs: 1_000 }),
  },
});
const endpoint = new Endpoint();
before(() => endpoint.start());
after(() => endpoint.stop());

const AGENT = { sub: "bot", caps: { "*": ["agent"] } };
const ANN = { sub: "ann", caps: { "*": ["user"] } };

interface Seen {
  id: string;
  approval: string;
  session: string;
}

test(`P10.2 ${KILLS} kills lose no notice, and make none twice`, async (t) => {
  const { server } = fixture;
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const device = subscribe(endpoint.url());
  const json = { web: device.subscription };
  const path = "/v1/push/devices/phone";
  const put = await call(server, "", "PUT", path, { ...ANN, json });
  assert.equal(put.status, 200, put.text);
  endpoint.answer = (response, called, count) => {
    if (random.between(0, 100) < 15) return silent(response, called, count);
    response.writeHead(random.between(0, 100) < 20 ? 503 : 201).end();
  };
  const sessions = Array.from({ length: 3 }, () => fixture.session("killed"));
  const ask = (session: string, id: string) => {
    const request = { id, title: "Buy?", assignees: [ANN.sub] };
    return call(server, session, "POST", "/approvals", { ...AGENT, json: request });
  };
  for (let round = 0; round < KILLS; round += 1) {
    // One that is cut off by the kill may have happened or not: the session knows.
    const asked = sessions.map((session) => ask(session, `a${round}`).catch(() => undefined));
    await sleep(random.between(0, 900));
    await server.restart();
    await Promise.all(asked);
  }
  endpoint.answer = (response) => void response.writeHead(201).end();
  const how = { version: "aes128gcm", privateKey: device.pair, authSecret: device.auth };
  const notices: Seen[] = [];
  const read = (): Seen[] => {
    for (const { bytes } of endpoint.calls.slice(notices.length)) {
      notices.push(JSON.parse(ece.decrypt(bytes, how).toString("utf8")));
    }
    return notices;
  };
  let wanted = 0;
  for (const session of sessions) {
    const answer = await call(server, session, "GET", "/approvals", AGENT);
    const approvals = (field(answer, "approvals") as { id: string }[]).map(({ id }) => id);
    const told = () => read().filter((seen) => seen.session === session);
    wanted += approvals.length;
    await until(
      () => approvals.filter((id) => !told().some(({ approval }) => approval === id)),
      (missing) => missing.length === 0,
      `each of ${approvals.length} approvals reached the device`,
      120_000,
    );
    for (const approval of approvals) {
      const ids = told().filter((seen) => seen.approval === approval);
      assert.equal(new Set(ids.map(({ id }) => id)).size, 1, `${approval} has one id`);
    }
  }
  assert.ok(KILLS <= wanted, `${wanted} approvals`);
  t.diagnostic(`${wanted} approvals, ${endpoint.calls.length} pushes`);
  const rest = await until(
    () => call(server, "", "GET", "/v1/push/devices", ANN),
    (answer) => field(answer, "pending") === 0,
    "nothing is owed any more",
  );
  assert.deepEqual(field(rest, "dead"), []);
});
