// P10.1, P10.2: everybody is away, and hears of it on a device; a press of a button decides.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, afterEach, before, describe, test } from "node:test";
import { connect, open } from "../support/client.ts";
import { broken, type Called, Endpoint, taken } from "../support/endpoint.ts";
import { useServer } from "../support/fixture.ts";
import { type Answer, assertRefused, call, field } from "../support/http.ts";
import { subscribe, vapidKey } from "../support/push.ts";
import { until } from "../support/wait.ts";

const require = createRequire(import.meta.url);
const ece: { decrypt(body: Buffer, how: object): Buffer } = require("http_ece");

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
afterEach(() => {
  endpoint.answer = taken;
  endpoint.calls.length = 0;
});
after(() => endpoint.stop());

const AGENT = { sub: "bot", caps: { "*": ["agent"] } };
let people = 0;

/** Somebody nobody knew, as a token says it. */
function person() {
  people += 1;
  return { sub: `ann-${people}`, caps: { "*": ["user"] } };
}

type Person = ReturnType<typeof person>;

function ask(session: string, who: object, path: string, json: object): Promise<Answer> {
  return call(fixture.server, session, "POST", path, { ...who, json });
}

/** A device of somebody; returns what decrypts for it. */
async function register(who: Person, id = "phone") {
  const device = subscribe(endpoint.url(`/${who.sub}/${id}`));
  const json = { web: device.subscription };
  const path = `/v1/push/devices/${id}`;
  const answer = await call(fixture.server, "", "PUT", path, { ...who, json });
  assert.equal(answer.status, 200, answer.text);
  return device;
}

function pushes(who: Person, id = "phone"): Called[] {
  return endpoint.calls.filter(({ path }) => path === `/${who.sub}/${id}`);
}

function decrypted({ bytes }: Called, { pair, auth }: ReturnType<typeof subscribe>) {
  const how = { version: "aes128gcm", privateKey: pair, authSecret: auth };
  return JSON.parse(ece.decrypt(bytes, how).toString("utf8"));
}

async function pushed(who: Person, count: number, id = "phone"): Promise<Called[]> {
  return until(
    () => pushes(who, id),
    (all) => count <= all.length,
    `push ${count} to ${who.sub}`,
  );
}

/** Somebody says something, and leaves; an agent begins to answer. */
async function began(session: string, who: Person, turn = "t1") {
  const said = await ask(session, who, "/messages", { data: "hello" });
  const [first] = field(said, "messages") as { serial: string }[];
  const input = first?.serial;
  const started = await ask(session, AGENT, "/turns", { id: turn, input });
  assert.equal(started.status, 201, started.text);
}

async function ended(session: string, turn = "t1"): Promise<void> {
  const end = { attempt: 1, status: "complete" };
  const answer = await ask(session, AGENT, `/turns/${turn}/end`, end);
  assert.equal(answer.status, 200, answer.text);
}

async function asked(session: string, who: Person, id = "a1"): Promise<void> {
  const json = { id, title: "Buy milk?", assignees: [who.sub] };
  const answer = await ask(session, AGENT, "/approvals", json);
  assert.equal(answer.status, 201, answer.text);
}

/** Asks with a token that is in no header of its own, as a service worker would. */
function press({ url, token }: { url: string; token: string }, json: object): Promise<Answer> {
  const path = url.slice(new URL(url).origin.length);
  return call(fixture.server, "", "POST", path, { token, json });
}

/** Every address there is, as refusals list them, but for the decision of `a1`. */
async function addresses(session: string): Promise<[string, string][]> {
  const nowhere = await call(fixture.server, "", "GET", "/v1/nothing");
  const { message } = assertRefused(nowhere, 404, "not-found");
  const [, below = "", beside = ""] = /below it are (.*); beside it are (.*)$/.exec(message) ?? [];
  const paths = [
    `/v1/sessions/${session}`,
    ...below.split(", ").map((path) => `/v1/sessions/${session}/${path}`),
    ...beside.split(" and "),
  ];
  const found: [string, string][] = [];
  for (const path of paths.map((one) => one.replaceAll(/{\w+}/g, "a1"))) {
    const answer = await call(fixture.server, "", "PROPFIND", path);
    assert.equal(answer.status, 405, `${path}: ${answer.text}`);
    for (const method of (answer.headers.get("allow") ?? "").split(", ")) {
      if (!path.endsWith("/approvals/a1/decide")) found.push([method, path]);
    }
  }
  assert.ok(40 < found.length, `${found.length} addresses`);
  return found;
}

describe("a client that is away", () => {
  test("P10.2 hears once that its answer is ready", async () => {
    const [session, ann] = [fixture.session(), person()];
    const device = await register(ann);
    await began(session, ann);
    await ended(session);
    const [called] = await pushed(ann, 1);
    assert.ok(called);
    const { id, at, tag, ...rest } = decrypted(called, device);
    assert.equal(tag, called.headers.topic);
    assert.deepEqual(rest, {
      type: "turn.end",
      title: "The answer is ready",
      session,
      turn: "t1",
      status: "complete",
      url: `${fixture.server.url}/v1/sessions/${session}`,
    });
    assert.ok(id.startsWith(session) && Math.abs(at - Date.now()) < 60_000);
    // A second one shows that the first came once.
    await began(session, ann, "t2");
    await ended(session, "t2");
    const titles = (await pushed(ann, 2)).map((one) => decrypted(one, device).turn);
    assert.deepEqual(titles, ["t1", "t2"]);
  });

  test("P10.2 decides with a button, without a page; a second press is harmless", async () => {
    const [session, ann] = [fixture.session(), person()];
    const device = await register(ann);
    await asked(session, ann);
    const [called] = await pushed(ann, 1);
    assert.ok(called);
    const { title, actions, decide } = decrypted(called, device);
    assert.equal(title, "Buy milk?");
    assert.deepEqual(
      actions.map(({ action }: { action: string }) => action),
      ["approve", "reject"],
    );
    const first = await press(decide, { decision: "approve" });
    assert.equal(first.status, 200, first.text);
    const again = await press(decide, { decision: "reject" });
    assertRefused(again, 409, "already-decided");
    const read = await call(fixture.server, session, "GET", "/approvals?status=all", AGENT);
    const [approval] = field(read, "approvals") as Record<string, unknown>[];
    assert.deepEqual([approval?.status, approval?.decidedBy], ["approved", ann.sub]);
  });

  test("P10.2 has a token that opens nothing else", async () => {
    const [session, ann] = [fixture.session(), person()];
    const device = await register(ann);
    await asked(session, ann, "a1");
    await asked(session, ann, "a2");
    const calls = await pushed(ann, 2);
    const notices = calls.map((one) => decrypted(one, device));
    const { decide } = notices.find(({ approval }) => approval === "a1") ?? {};
    const other = new URL(decide.url.replace("/a1/", "/a2/"));
    for (const [method, path] of await addresses(session)) {
      const json = method === "GET" ? {} : { json: { decision: "approve" } };
      const answer = await call(fixture.server, "", method, path, { token: decide.token, ...json });
      const { message } = assertRefused(answer, 403, "forbidden");
      assert.match(message, /good for one thing, to decide the approval a1/, `${method} ${path}`);
    }
    const elsewhere = await press({ ...decide, url: other.href }, { decision: "approve" });
    assertRefused(elsewhere, 403, "forbidden");
    const socket = await open(fixture.server, session, { token: decide.token });
    const nack = await socket.next((frame) => frame.type === "nack");
    assert.match(JSON.stringify(nack), /good for one thing/);
    assert.equal((await socket.closed).code, 4403);
    const [head = "", , signature = ""] = decide.token.split(".");
    const claims = { sub: ann.sub, exp: 9e9, caps: { "*": ["admin"] } };
    const forged = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const token = `${head}.${forged}.${signature}`;
    assertRefused(await call(fixture.server, session, "GET", "", { token }), 401, "unauthorized");
    assert.equal((await press(decide, { decision: "approve" })).status, 200);
  });
});

describe("a device", () => {
  test("P10.2 hears nothing while its client is connected, and of what comes later", async () => {
    const [session, ann] = [fixture.session(), person()];
    const device = await register(ann);
    const page = await connect(fixture.server, session, ann);
    await began(session, ann);
    await ended(session);
    await page.next("turn.end");
    await asked(session, ann, "a1");
    await page.next("approval.request");
    // Its inbox knows of both by now, and pushed nothing.
    await until(
      () => call(fixture.server, "", "GET", "/v1/approvals", ann),
      (answer) => answer.text.includes(`"${session}"`),
      "the inbox knows of the approval",
    );
    page.socket.close(1000);
    await page.closed;
    await asked(session, ann, "a2");
    const [called] = await pushed(ann, 1);
    assert.equal(called && decrypted(called, device).approval, "a2");
    assert.equal(pushes(ann).length, 1);
  });

  test("P10.2 that is gone is removed, and the others hear on", async () => {
    const [session, ann] = [fixture.session(), person()];
    await register(ann, "old");
    await register(ann, "new");
    endpoint.answer = (response, { path }) =>
      void response.writeHead(path.endsWith("/old") ? 410 : 201).end();
    await began(session, ann);
    await ended(session);
    const list = () => call(fixture.server, "", "GET", "/v1/push/devices", ann);
    await until(
      list,
      ({ text }) => !text.includes('"old"') && text.includes('"new"'),
      "one device is left",
    );
    await began(session, ann, "t2");
    await ended(session, "t2");
    await pushed(ann, 2, "new");
    assert.equal(pushes(ann, "old").length, 1);
  });

  test("P10.2 whose service is busy waits as long as that says", async () => {
    const [session, ann] = [fixture.session(), person()];
    await register(ann);
    endpoint.answer = (response, _, count) =>
      void response.writeHead(count === 1 ? 429 : 201, { "retry-after": "3" }).end();
    await began(session, ann);
    await ended(session);
    await pushed(ann, 1);
    const from = performance.now();
    await pushed(ann, 2);
    assert.ok(2_500 < performance.now() - from);
  });

  test("P10.1 and its failing notices are listed for its client and administrators", async () => {
    const [session, ann] = [fixture.session(), person()];
    await register(ann);
    endpoint.answer = (response) => void response.writeHead(503).end();
    await began(session, ann);
    await ended(session);
    await pushed(ann, 1);
    const path = `/v1/push/devices?client=${ann.sub}`;
    const admin = { sub: "ops", caps: { "*": ["admin"] } };
    const listed = await until(
      () => call(fixture.server, "", "GET", path, admin),
      (answer) => (field(answer, "failing") as unknown[]).length === 1,
      "the notice to have failed",
    );
    const own = await call(fixture.server, "", "GET", "/v1/push/devices", ann);
    assert.equal(listed.text, own.text);
    const [failing] = field(listed, "failing") as Record<string, unknown>[];
    assert.ok(String(failing?.id).startsWith(`${session}-`));
    assert.match(String(failing?.reason), /503/);
    const other = await call(fixture.server, "", "GET", path, person());
    assertRefused(other, 403, "forbidden");
    const changed = await call(fixture.server, "", "DELETE", path, admin);
    assert.equal(changed.status, 405);
  });

  test("P10.1 is registered with the operation push, and its client's alone", async () => {
    const [ann, eve] = [person(), person()];
    await register(ann);
    const path = "/v1/push/devices/phone";
    const read = await call(fixture.server, "", "GET", path, ann);
    const device = field(read, "device") as Record<string, unknown>;
    assert.deepEqual([device.id, device.service], ["phone", "web"]);
    assert.ok(!read.text.includes("http"), "its address is not shown");
    assertRefused(await call(fixture.server, "", "GET", path, eve), 404, "not-found");
    const viewer = { ...ann, caps: { "*": ["viewer"] } };
    const json = { web: subscribe(endpoint.url()).subscription };
    const refused = await call(fixture.server, "", "PUT", path, { ...viewer, json });
    assertRefused(refused, 403, "forbidden");
    const fcm = { ...ann, json: { fcm: { token: "t" } } };
    const missing = await call(fixture.server, "", "PUT", path, fcm);
    assertRefused(missing, 503, "not-configured");
    const removed = await call(fixture.server, "", "DELETE", path, ann);
    assert.deepEqual([removed.status, removed.text], [200, "{}"]);
    assertRefused(await call(fixture.server, "", "GET", path, ann), 404, "not-found");
  });

  test("P10.2 hears what an agent says to a client that took part", async () => {
    const [session, ann] = [fixture.session(), person()];
    const device = await register(ann);
    await began(session, ann);
    const notify = { type: "notify", client: ann.sub, title: "Found it", data: { page: 3 } };
    const frames = { ...notify, id: "n1" };
    for (const duplicate of [undefined, true]) {
      const answer = await ask(session, AGENT, "/frames", frames);
      assert.deepEqual(field(answer, "result"), duplicate ? { duplicate } : {}, answer.text);
    }
    const [called] = await pushed(ann, 1);
    assert.ok(called);
    const { type, title, data } = decrypted(called, device);
    assert.deepEqual([type, title, data], ["notify", "Found it", { page: 3 }]);
    await ended(session);
    await pushed(ann, 2);
    assert.equal(pushes(ann).length, 2);
  });

  test("P10.2 hears of it at the next attempt where the service is down", async () => {
    const [session, ann] = [fixture.session(), person()];
    const device = await register(ann);
    endpoint.answer = broken;
    await asked(session, ann);
    await pushed(ann, 1);
    endpoint.answer = taken;
    const [first, second] = await pushed(ann, 2);
    assert.ok(first && second);
    assert.equal(decrypted(first, device).id, decrypted(second, device).id);
  });
});
