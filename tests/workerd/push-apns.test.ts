// P10.1: APNs in its documented form, against a server that checks it.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import { jwtVerify } from "jose";
import { type Called, Endpoint } from "../support/endpoint.ts";
import { NOTICE, Pusher } from "../support/push.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const endpoint = new Endpoint();
const pusher = new Pusher();
before(async () => {
  await endpoint.start();
  await pusher.start({
    SESSILE_APNS_KEY: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    SESSILE_APNS_KEY_ID: "ABCDE12345",
    SESSILE_APNS_TEAM: "TEAM123456",
    SESSILE_APNS_TOPIC: "com.example.app",
    SESSILE_APNS_URL: endpoint.url("/"),
  });
});
const taken = (status = 200, reason?: string) => {
  endpoint.answer = (response) =>
    void response.writeHead(status).end(reason && JSON.stringify({ reason, timestamp: 1 }));
};
afterEach(() => {
  endpoint.calls.length = 0;
});
after(() => {
  pusher.stop();
  endpoint.stop();
});

const DEVICE = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const device = { apns: { token: DEVICE } };

async function checkToken(called: Called | undefined): Promise<string> {
  const token = /^bearer (\S+)$/.exec(called?.headers.authorization ?? "")?.[1] ?? "";
  const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
    issuer: "TEAM123456",
    algorithms: ["ES256"],
  });
  assert.equal(protectedHeader.kid, "ABCDE12345");
  const age = Date.now() / 1000 - Number(payload.iat);
  assert.ok(0 <= age && age < 3600, `the token is ${age} s old`);
  return token;
}

describe("APNs", () => {
  test("P10.1 the request has its form, and its token is used again", async () => {
    taken();
    const before = Math.floor(Date.now() / 1000);
    assert.deepEqual(await pusher.push(device), { status: 200 });
    const other = { apns: { token: DEVICE, topic: "com.example.other" } };
    const calm = { id: "notice-2", urgency: "low", ttlS: 0 };
    assert.deepEqual(await pusher.push(other, { options: calm }), { status: 200 });
    const [first, second] = endpoint.calls;
    assert.equal(first?.path, `/3/device/${DEVICE}`);
    const { headers = {} } = first ?? {};
    assert.equal(headers["apns-topic"], "com.example.app");
    assert.equal(headers["apns-push-type"], "alert");
    assert.equal(headers["apns-priority"], "10");
    assert.match(headers["apns-id"] ?? "", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.match(headers["apns-collapse-id"] ?? "", /^[A-Za-z0-9_-]{43}$/);
    const expires = Number(headers["apns-expiration"]) - before;
    assert.ok(600 <= expires && expires < 660, `after ${expires} s`);
    const { aps, ...rest } = JSON.parse(first?.body ?? "{}");
    const { title, body, ...notice } = NOTICE;
    assert.deepEqual(rest, notice);
    const alert = { title, body };
    assert.deepEqual(aps, { alert, "thread-id": "s 1", category: "approval.request" });
    assert.equal(second?.headers["apns-topic"], "com.example.other");
    assert.deepEqual(
      [second?.headers["apns-priority"], second?.headers["apns-expiration"]],
      ["5", "0"],
    );
    assert.notEqual(second?.headers["apns-id"], headers["apns-id"]);
    assert.equal(await checkToken(first), await checkToken(second));
  });

  test("P10.1 the same notice has the same id again", async () => {
    taken();
    await pusher.push(device);
    await pusher.push(device);
    const [first, second] = endpoint.calls.map((called) => called.headers["apns-id"]);
    assert.ok(first !== undefined && first === second);
  });

  test("P10.1 gone, too often and out of order are told apart", async () => {
    for (const [status, reason] of [
      [410, "Unregistered"],
      [400, "BadDeviceToken"],
    ] as const) {
      taken(status, reason);
      assert.deepEqual(await pusher.push(device), { status, gone: true, reason });
    }
    for (const [status, reason] of [
      [400, "DeviceTokenNotForTopic"],
      [400, "BadTopic"],
      [403, "InvalidProviderToken"],
      [429, "TooManyRequests"],
      [503, "ServiceUnavailable"],
    ] as const) {
      taken(status, reason);
      assert.deepEqual(await pusher.push(device), { status, reason });
    }
  });

  test("P10.1 a device whose token or topic is none is to be forgotten, unasked", async () => {
    taken();
    for (const apns of [
      { token: "../../x" },
      { token: "" },
      { token: DEVICE, topic: "a\r\nb: c" },
    ]) {
      const answer = await pusher.push({ apns });
      assert.deepEqual([answer.status, answer.gone], [0, true]);
    }
    assert.equal(endpoint.calls.length, 0);
  });

  test("P10.1 a payload has 4096 bytes at most", async () => {
    taken();
    await pusher.push(device, { notice: { body: "ä".repeat(3000) } });
    const { bytes = Buffer.of() } = endpoint.calls[0] ?? {};
    assert.ok(1000 < bytes.length && bytes.length <= 4096);
    assert.deepEqual(JSON.parse(bytes.toString()).decide, NOTICE.decide);
  });
});
