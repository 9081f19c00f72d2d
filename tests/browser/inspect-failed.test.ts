// A session that failed on purpose: each cause is read from the inspector's page alone.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { attach, connect } from "../support/client.ts";
import { Endpoint, taken } from "../support/endpoint.ts";
import { call, field } from "../support/http.ts";
import { finding, oneLine, part, rows, useInspector } from "../support/inspector.ts";
import { subscribe, vapidKey } from "../support/push.ts";
import { AGENT, settings, spawnAgent, untilNoneIsOpen } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const MIB = 1024 * 1024;
const limits = {
  unsentBytes: 64 * MIB,
  clientUnsentBytes: 4 * MIB,
  textBytesPerSecond: 256 * MIB,
  frameBytes: MIB,
};
const endpoint = new Endpoint();
const inspectors = useInspector({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
    SESSILE_VAPID_KEY: vapidKey().scalar,
    SESSILE_VAPID_SUBJECT: "mailto:ops@example.com",
    SESSILE_LIMITS: JSON.stringify(limits),
  },
});

const SESSION = "support-4711";
/** The push service refuses her device. */
const ANN = { sub: "ann", caps: { "*": ["user"] } };
/** Shown everything, the devices of others among it (P10.1). */
const OPS = { sub: "ops", caps: { "*": ["admin"] } };

/** The answers of the world outside: two hooks and a push service, each broken in its own way. */
function brokenWorld() {
  endpoint.answer = (response, { path }) => {
    if (path === "/failing") response.writeHead(503).end("down for repair");
    else if (path === "/gone") response.writeHead(410).end();
    else if (path === "/push") response.writeHead(400).end("UnauthorizedRegistration");
    else taken(response, { path, headers: {}, body: "", bytes: Buffer.alloc(0) }, 1);
  };
}

async function post(path: string, json: object, who: object) {
  const answer = await call(inspectors.server, SESSION, "POST", path, { ...who, json });
  assert.ok(answer.status < 300, answer.text);
  return answer;
}

/** An answer for somebody who has left, whose device is behind a service that refuses. */
async function refusedPush() {
  const { server } = inspectors;
  const json = { web: subscribe(endpoint.url("/push")).subscription };
  const device = { ...ANN, json };
  const registered = await call(server, "", "PUT", "/v1/push/devices/phone", device);
  assert.equal(registered.status, 200, registered.text);
  const said = await post("/messages", { data: "hello" }, ANN);
  const [first] = field(said, "messages") as { serial: string }[];
  await post("/turns", { id: "answered", input: first?.serial }, AGENT);
  await post("/turns/answered/end", { attempt: 1, status: "complete" }, AGENT);
  await until(
    () => endpoint.calls.filter(({ path }) => path === "/push").length,
    (count) => count > 0,
    "the push service to be asked",
  );
}

async function frozenReader() {
  const { server } = inspectors;
  const writer = await connect(server, SESSION, { sub: "loader", keep: false });
  const frozen = await connect(server, SESSION, { sub: "frozen" });
  frozen.socket.stall();
  for (let count = 0; count < 10; count += 1) await writer.publish("x".repeat(MIB - 4096));
  // The session measures what its readers lag behind, and may do so only with the next message.
  await until(
    async () => {
      await writer.publish("more");
      return (await call(server, SESSION, "GET", "/diagnostics", OPS)).text;
    },
    (text) => text.includes('"code":4429'),
    "the reader to be dropped",
  );
  await writer.close();
}

describe("a session that failed on purpose", () => {
  let page: Page;

  before(async () => {
    await endpoint.start();
    brokenWorld();
    const { server } = inspectors;
    const hooks = ["/failing", "/gone"].map((path) => ({ url: endpoint.url(path) }));
    await settings(server, SESSION, { hooks });
    await refusedPush();
    const agent = await spawnAgent(server, SESSION, 1000);
    await agent.kill9();
    await untilNoneIsOpen(server, SESSION);
    await frozenReader();
  });
  after(() => endpoint.stop());

  test("tells why, of each, in plain words and with the rule", async () => {
    page = await inspectors.open(SESSION, { token: OPS });
    const lost = await finding(page, /stopped answering/);
    assert.match(lost, /^Broken The agent scribe stopped answering .* when its connection ended; /);
    assert.match(lost, /; turn turn-\w+ was failed by its lease .* P6\.8 Show$/);
    const frozen = await finding(page, /frozen/);
    assert.match(frozen, /^Broken The reader frozen took too little of what it was sent/);
    assert.match(frozen, /was dropped as too slow .* P13\.7 Show$/);
    const failing = await finding(page, /\/failing/);
    assert.match(failing, /^Broken Webhook http:.*\/failing has failed (once|twice|\d+ times), /);
    assert.match(failing, /last: it answered 503; .* The next try is .* P10\.4 Show$/);
    const dead = await finding(page, /\/gone/);
    assert.match(dead, /^Broken Webhook http:.*\/gone was given up .* failed once, /);
    assert.match(dead, /last: it wants nothing more \(410\); \d+ dead letters?\. P10\.4 Show$/);
    const push = await finding(page, /push notice/);
    assert.match(push, /^Broken A push notice to the device phone of ann was refused .*, /);
    assert.match(push, /last: it answered 400.* P10\.2 Show$/);
  });

  test("shows the same in its parts", async () => {
    page = await inspectors.open(SESSION, { token: OPS });
    const deliveries = part(page, "Deliveries");
    const failed = await rows(deliveries.getByRole("table", { name: "Deliveries that failed" }));
    const failing = failed.find(([, target]) => target?.endsWith("/failing"));
    assert.deepEqual([failing?.[0], failing?.[3]], ["failing", "it answered 503"]);
    assert.match(failing?.[4] ?? "", /^in |ago|just now/);
    const dead = failed.find(([, target]) => target?.endsWith("/gone"));
    assert.deepEqual([dead?.[0], dead?.[3]], ["dead letter", "it wants nothing more (410)"]);
    assert.match(dead?.[4] ?? "", /^none: given up/);
    const gone = part(page, "Connections").getByRole("table", { name: /gone/ });
    const frozen = (await rows(gone)).find(([client]) => client === "frozen");
    assert.match(frozen?.[4] ?? "", /the session closed it: 4429 .*too slow/);
    const notices = deliveries.getByRole("table", { name: "Notices that failed" });
    assert.match((await rows(notices))[0]?.[4] ?? "", /it answered 400/);
    const turn = page.locator('.turn[data-status="failed"]');
    assert.equal(await turn.count(), 1, "the failed turn stands in the timeline");
  });

  test("links each finding to its rule", async () => {
    page = await inspectors.open(SESSION, { token: OPS });
    await finding(page, /stopped answering/);
    const rule = part(page, "Summary").getByRole("link", { name: "P6.8" }).first();
    const [opened] = await Promise.all([page.waitForEvent("popup"), rule.click()]);
    const text = oneLine(await opened.locator("#P6\\.8").textContent());
    assert.match(text, /^P6\.8 Health: an active turn has a lease/);
    assert.equal(await opened.evaluate(() => document.querySelector(":target")?.id), "P6.8");
  });
});

test("a healthy session has nothing to tell", async () => {
  const { server } = inspectors;
  const { client } = await attach(server, "healthy", { sub: "ann" });
  await client.publish("hello");
  const page = await inspectors.open("healthy");
  await part(page, "Summary").getByText("Nothing is wrong").waitFor();
  await client.close();
});
