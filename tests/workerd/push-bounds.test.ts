// P10.5: no push service holds an object up, leads it elsewhere or fills its memory.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import { broken, Endpoint, silent, taken } from "../support/endpoint.ts";
import { Pusher, subscribe, vapidKey } from "../support/push.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const endpoint = new Endpoint();
const pusher = new Pusher();
before(async () => {
  await endpoint.start();
  await pusher.start({
    SESSILE_VAPID_KEY: vapidKey().scalar,
    SESSILE_VAPID_SUBJECT: "https://example.com/contact",
    SESSILE_APNS_KEY: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    SESSILE_APNS_KEY_ID: "ABCDE12345",
    SESSILE_APNS_TEAM: "TEAM123456",
    SESSILE_APNS_TOPIC: "com.example.app",
    SESSILE_APNS_URL: endpoint.url("").replace(/\/$/, ""),
  });
});
afterEach(() => {
  endpoint.answer = taken;
  endpoint.calls.length = 0;
});
after(() => {
  pusher.stop();
  endpoint.stop();
});

const LARGE = Buffer.alloc(64 * 1024, "x");

for (const [name, device] of [
  ["Web Push", () => ({ web: subscribe(endpoint.url("/p")).subscription })],
  ["APNs", () => ({ apns: { token: "00ff" } })],
] as const) {
  describe(name, () => {
    test("P10.5 a target that never answers is left after its time", async () => {
      endpoint.answer = silent;
      const answer = await pusher.push(device(), { ms: 400 });
      assert.deepEqual(answer, { status: 0, reason: "it did not answer within 400 ms" });
    });

    test("P10.5 an answer that never ends counts by its status", async () => {
      endpoint.answer = (response) => void response.writeHead(201).write("{");
      assert.deepEqual(await pusher.push(device(), { ms: 400 }), { status: 201 });
    });

    test("P10.5 of an answer of 10 MB four kilobytes are read", async () => {
      let written = 0;
      const isClosed = new Promise<void>((done) => {
        endpoint.answer = (response) => {
          response.once("close", done);
          response.writeHead(503, { "retry-after": "2" });
          const more = (): void => {
            while (written < 160 * LARGE.length) {
              written += LARGE.length;
              if (!response.write(LARGE)) return void response.once("drain", more);
            }
            response.end();
          };
          more();
        };
      });
      const answer = await pusher.push(device());
      assert.deepEqual(answer, { status: 503, retryAfterMs: 2_000 });
      await isClosed;
      assert.ok(written < 160 * LARGE.length, "the rest was not taken");
    });

    test("P10.5 a redirect is not followed", async () => {
      endpoint.answer = (response) =>
        void response.writeHead(307, { location: endpoint.url("/elsewhere") }).end();
      assert.deepEqual(await pusher.push(device()), { status: 307 });
      assert.equal(endpoint.calls.length, 1);
    });

    test("P10.1 429 waits as told, by seconds or by date", async () => {
      const retry = (value: string) => {
        endpoint.answer = (response) =>
          void response.writeHead(429, { "retry-after": value }).end();
        return pusher.push(device());
      };
      assert.deepEqual(await retry("120"), { status: 429, retryAfterMs: 120_000 });
      const { retryAfterMs = 0 } = await retry(new Date(Date.now() + 60_000).toUTCString());
      assert.ok(50_000 < retryAfterMs && retryAfterMs <= 60_000, `${retryAfterMs}`);
      for (const value of ["soon", "-1", "Thu, 01 Jan 1970 00:00:00 GMT"]) {
        assert.deepEqual(await retry(value), { status: 429 });
      }
    });

    test("P10.5 one that is broken or not there is told by no address", async () => {
      endpoint.answer = broken;
      assert.deepEqual(await pusher.push(device()), { status: 500 });
      endpoint.answer = (response) => void response.destroy();
      const lost = await pusher.push(device());
      assert.deepEqual(lost, { status: 0, reason: "it could not be reached" });
    });
  });
}
