// P10.1, P10.2: Web Push by its standards, read by a service and by decoders that are not ours.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { importJWK, jwtVerify } from "jose";
import { Endpoint, taken } from "../support/endpoint.ts";
import { NOTICE, Pusher, subscribe, vapidKey } from "../support/push.ts";
import { python } from "../support/python.ts";
import { ROOT } from "../support/server.ts";
import { within } from "../support/wait.ts";

const require = createRequire(import.meta.url);
const ece: { decrypt(body: Buffer, how: object): Buffer } = require("http_ece");

const vapid = vapidKey();
const subject = "mailto:ops@example.com";
const pusher = new Pusher();
const endpoint = new Endpoint();
before(async () => {
  await endpoint.start();
  await pusher.start({ SESSILE_VAPID_KEY: vapid.scalar, SESSILE_VAPID_SUBJECT: subject });
});
afterEach(() => {
  endpoint.answer = taken;
  endpoint.calls.length = 0;
});
after(() => {
  pusher.stop();
  endpoint.stop();
});

function decrypted(body: Buffer, { pair, auth }: ReturnType<typeof subscribe>) {
  const how = { version: "aes128gcm", privateKey: pair, authSecret: auth };
  return JSON.parse(ece.decrypt(body, how).toString("utf8"));
}

async function pushed(more: Parameters<Pusher["push"]>[1] = {}) {
  const device = subscribe(endpoint.url("/p"));
  const answer = await pusher.push({ web: device.subscription }, more);
  const [called] = endpoint.calls;
  return { device, answer, called };
}

describe("Web Push", () => {
  test("P10.1 the public key is that of the private scalar", async () => {
    assert.deepEqual(await pusher.ask("/key"), { key: vapid.point });
  });

  test("P10.2 decoders of npm and of PyPI read the notice", async () => {
    const { device, answer, called } = await pushed();
    assert.deepEqual(answer, { status: 204 });
    assert.ok(called);
    assert.equal(called.bytes.length, 4096, "its length tells nothing of what is in it");
    const shown = { ...NOTICE, tag: called.headers.topic };
    assert.deepEqual(decrypted(called.bytes, device), shown);
    const asked = {
      body: called.bytes.toString("base64url"),
      key: device.pair.getPrivateKey("base64url"),
      auth: device.auth.toString("base64url"),
    };
    const program = join(ROOT, "tests/support/decrypt.py");
    const text = execFileSync(await python(), [program], { input: JSON.stringify(asked) });
    assert.deepEqual(JSON.parse(text.toString("utf8")), shown);
    const other = { ...subscribe("https://a.example/"), auth: device.auth };
    assert.throws(() => decrypted(called.bytes, other), "another key does not open it");
  });

  test("P10.1 the headers are those of RFC 8030, and no name shows in them", async () => {
    const { called } = await pushed({ options: { ttlS: 0, urgency: "very-low" } });
    const { headers = {} } = called ?? {};
    assert.equal(headers.ttl, "0");
    assert.equal(headers.urgency, "very-low");
    assert.equal(headers["content-encoding"], "aes128gcm");
    assert.match(headers.topic ?? "", /^[A-Za-z0-9_-]{32}$/);
    const again = await pushed({ options: { collapse: "another" } });
    assert.notEqual(again.called?.headers.topic, undefined);
    const [first, second] = endpoint.calls.map((call) => call.headers.topic);
    assert.notEqual(first, second);
  });

  test("P10.1 the signature is that of RFC 8292: the service, the contact, and a day", async () => {
    const { called } = await pushed();
    const [, token = "", key = ""] =
      /^vapid t=([^,]+), k=(\S+)$/.exec(called?.headers.authorization ?? "") ?? [];
    assert.equal(key, vapid.point);
    const point = Buffer.from(key, "base64url");
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) =>
      half.toString("base64url"),
    );
    const verifier = await importJWK({ kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, "ES256");
    const audience = new URL(endpoint.url()).origin;
    const { payload } = await jwtVerify(token, verifier, { audience, subject });
    const hours = (Number(payload.exp) - Date.now() / 1000) / 3600;
    assert.ok(10 < hours && hours <= 12, `${hours} hours`);
  });

  test("P10.1 a notice that is too large goes without its data, then cut short", async () => {
    const large = await pushed({ notice: { data: "x".repeat(4000) } });
    const { data: _, ...rest } = NOTICE;
    const { tag, ...cut } = decrypted(large.called?.bytes ?? Buffer.of(), large.device);
    assert.deepEqual([cut, tag], [rest, large.called?.headers.topic]);
    endpoint.calls.length = 0;
    const long = await pushed({ notice: { body: "ä".repeat(5000) } });
    const read = decrypted(long.called?.bytes ?? Buffer.of(), long.device);
    assert.equal(read.body, `${"ä".repeat(399)}…`);
    assert.deepEqual(read.decide, NOTICE.decide);
    endpoint.calls.length = 0;
    const url = `https://a.example/${"x".repeat(5000)}`;
    const { answer } = await pushed({ notice: { url } });
    assert.equal(answer.status, 413);
    assert.equal(endpoint.calls.length, 0);
  });

  test("P10.1 a subscription that is none, or is gone, is to be forgotten", async () => {
    for (const status of [404, 410]) {
      endpoint.answer = (response) => void response.writeHead(status).end();
      assert.deepEqual((await pushed()).answer, { status, gone: true });
    }
    const { subscription } = subscribe(endpoint.url());
    for (const keys of [{ p256dh: "AAAA", auth: subscription.keys.auth }, {}, undefined]) {
      const answer = await pusher.push({ web: { ...subscription, keys } });
      assert.deepEqual([answer.gone, answer.status], [true, 0]);
    }
  });
});

describe("a push service that is not ours", () => {
  let service: ChildProcess;
  let url = "";
  before(async () => {
    const program = join(ROOT, "tests/support/push-service.cjs");
    service = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
    const port = new Promise<string>((done) => service.stdout?.once("data", (data) => done(data)));
    url = `http://127.0.0.1:${String(await within(port, "the push service")).trim()}`;
  });
  after(() => service.kill());

  const ask = async (path: string, body: object = {}) => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    return (await fetch(url + path, init)).text();
  };

  test("P10.2 it takes, checks and decrypts each notice, and says when one is gone", async () => {
    const applicationServerKey = vapid.point;
    const said = await ask("/subscribe", { userVisibleOnly: "true", applicationServerKey });
    const { clientHash, ...subscription } = JSON.parse(said).data;
    for (const title of ["one", "two"]) {
      const answer = await pusher.push({ web: subscription }, { notice: { title } });
      assert.deepEqual(answer, { status: 201 });
    }
    const { messages } = JSON.parse(await ask("/get-notifications", { clientHash })).data;
    const titles = messages.map((message: string) => JSON.parse(message).title);
    assert.deepEqual(titles, ["one", "two"]);
    await ask(`/expire-subscription/${clientHash}`);
    const answer = await pusher.push({ web: subscription });
    assert.deepEqual(answer, { status: 410, gone: true });
  });
});
