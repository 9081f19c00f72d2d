// P10.1, P2.7: the variables of push, and the key that pages subscribe with.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { assertRefused, call } from "../support/http.ts";
import { vapidKey } from "../support/push.ts";
import { ROOT, type Server, startServer } from "../support/server.ts";

const vapid = vapidKey();
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const pem = (key: "ec" | "rsa") =>
  String(
    (key === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 })
    ).privateKey.export({ type: "pkcs8", format: "pem" }),
  );
const SUBJECT = { SESSILE_VAPID_SUBJECT: "mailto:ops@example.com" };
const account = (more: object = {}) =>
  JSON.stringify({
    project_id: "p",
    client_email: "a@b.example",
    private_key: pem("rsa"),
    token_uri: "https://oauth2.googleapis.com/token",
    ...more,
  });
const APNS = {
  SESSILE_APNS_KEY: pem("ec"),
  SESSILE_APNS_KEY_ID: "ABCDE12345",
  SESSILE_APNS_TEAM: "TEAM123456",
  SESSILE_APNS_TOPIC: "com.example.app",
};

let server: Server | undefined;
after(() => server?.stop());
async function key(vars: Record<string, string>, sub = "alice") {
  await server?.stop();
  server = await startServer({ vars });
  return call(server, "s", "GET", "/v1/push/key", { sub });
}

describe("the variables of push", () => {
  test("P10.1 a page gets the public key, with a token alone", async () => {
    const all = { SESSILE_VAPID_KEY: vapid.scalar, SESSILE_FCM_ACCOUNT: account(), ...APNS };
    const answer = await key({ ...all, ...SUBJECT });
    assert.deepEqual([answer.status, answer.body], [200, { publicKey: vapid.point }]);
    assert.ok(server);
    const bare = await call(server, "s", "GET", "/v1/push/key", { token: null });
    assertRefused(bare, 401, "unauthorized");
    const posted = await call(server, "s", "POST", "/v1/push/key");
    assertRefused(posted, 405, "method-not-allowed");
  });

  test("P10.1 the command of the documentation makes a key", async () => {
    const [, args = ""] = /^npx sessile (.*) \| /m.exec(read("docs/push.md")) ?? [];
    const command = [join(ROOT, "sdk", "src", "cli", "main.ts"), ...args.split(" ")];
    const scalar = execFileSync(process.execPath, command, { encoding: "utf8" });
    const answer = await key({ SESSILE_VAPID_KEY: scalar, ...SUBJECT });
    assert.equal(answer.status, 200, answer.text);
  });

  test("P10.1 without Web Push there is no key, and everything else works", async () => {
    const refused = assertRefused(await key({}), 503, "not-configured");
    assert.ok(refused.message.includes("there is no SESSILE_VAPID_KEY"), refused.message);
    assert.ok(server);
    assert.equal((await call(server, "s", "GET")).status, 200);
  });

  test("P2.7 one that is wrong is refused by its name, without its value", async () => {
    const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA";
    const wrong: [Record<string, string>, string][] = [
      [{ SESSILE_VAPID_KEY: secret, ...SUBJECT }, "SESSILE_VAPID_KEY is not 32 bytes"],
      [{ SESSILE_VAPID_KEY: vapid.scalar }, "SESSILE_VAPID_SUBJECT is no address of"],
      [{ SESSILE_VAPID_KEY: "A".repeat(43), ...SUBJECT }, "SESSILE_VAPID_KEY cannot be used"],
      [{ SESSILE_FCM_ACCOUNT: secret }, "SESSILE_FCM_ACCOUNT is no service account's JSON"],
      [{ SESSILE_FCM_ACCOUNT: account({ private_key: secret }) }, "has a private_key that"],
      [{ SESSILE_FCM_ACCOUNT: account({ token_uri: "http://a.example" }) }, "has a token_uri"],
      [
        { SESSILE_FCM_ACCOUNT: account(), SESSILE_FCM_URL: "https://10.0.0.1/" },
        "SESSILE_FCM_URL: its host is not public",
      ],
      [{ ...APNS, SESSILE_APNS_KEY: secret }, "SESSILE_APNS_KEY is not the text of a .p8 file"],
      [{ ...APNS, SESSILE_APNS_TEAM: "" }, "SESSILE_APNS_TEAM is not 10 capital letters"],
      [{ ...APNS, SESSILE_APNS_TOPIC: "a b" }, "SESSILE_APNS_TOPIC is no bundle id"],
      [{ ...APNS, SESSILE_APNS_URL: "http://a.example" }, "SESSILE_APNS_URL: it is no address"],
    ];
    for (const [vars, reason] of wrong) {
      const { message } = assertRefused(await key(vars), 503, "not-configured");
      assert.ok(message.includes(reason), message);
      assert.ok(!message.includes(secret) && !message.includes("PRIVATE"), message);
    }
  });
});
