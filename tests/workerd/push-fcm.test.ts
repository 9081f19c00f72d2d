// P10.1: FCM's HTTP v1 in its documented form, against a server that checks it.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { jwtVerify } from "jose";
import { type Called, Endpoint } from "../support/endpoint.ts";
import { NOTICE, Pusher } from "../support/push.ts";
import { until } from "../support/wait.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ACCOUNT = {
  type: "service_account",
  project_id: "a-project",
  private_key_id: "key-1",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
  client_email: "push@a-project.iam.gserviceaccount.com",
  token_uri: "https://oauth2.googleapis.com/token",
};
const SEND = "/v1/projects/a-project/messages:send";

const endpoint = new Endpoint();
let pusher: Pusher;
/** The answers of the next calls, of both kinds. */
let token = (response: ServerResponse) => json(response, 200, access(3600));
let message = (response: ServerResponse) => json(response, 200, { name: "projects/a/messages/1" });

const access = (expires_in: number) => ({ access_token: "ya29.x", expires_in, token_type: "B" });
function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
const problem = (code: number, status: string, errorCode: string) => ({
  error: {
    code,
    message: "refused",
    status,
    details: [{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode }],
  },
});

before(() => endpoint.start());
const fresh = async (): Promise<void> => {
  pusher = new Pusher();
  const url = endpoint.url("").replace(/\/$/, "");
  await pusher.start({ SESSILE_FCM_ACCOUNT: JSON.stringify(ACCOUNT), SESSILE_FCM_URL: url });
  endpoint.calls.length = 0;
  token = (response) => json(response, 200, access(3600));
  message = (response) => json(response, 200, { name: "projects/a/messages/1" });
  endpoint.answer = (response, called) => {
    if (called.path === "/token") token(response);
    else message(response);
  };
};
afterEach(() => pusher.stop());
after(() => endpoint.stop());

const device = { fcm: { token: "device-token" } };
const calls = (path: string) => endpoint.calls.filter((called) => called.path === path);
const sent = (at = 0) => JSON.parse(calls(SEND)[at]?.body ?? "{}").message;

async function checkAssertion(called: Called | undefined): Promise<void> {
  assert.equal(called?.headers["content-type"], "application/x-www-form-urlencoded");
  const form = new URLSearchParams(called?.body);
  assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const { payload, protectedHeader } = await jwtVerify(form.get("assertion") ?? "", publicKey, {
    issuer: ACCOUNT.client_email,
    audience: ACCOUNT.token_uri,
    algorithms: ["RS256"],
  });
  assert.equal(protectedHeader.kid, "key-1");
  assert.equal(payload.scope, "https://www.googleapis.com/auth/firebase.messaging");
  const { iat = 0, exp = 0 } = payload;
  assert.ok(iat < exp && exp - iat <= 3600, "an hour at most");
}

describe("FCM", () => {
  test("P10.1 the account's token is asked for once, and the message has its form", async () => {
    await fresh();
    const plain = { actions: undefined, decide: undefined };
    assert.deepEqual(await pusher.push(device, { notice: plain }), { status: 200 });
    assert.deepEqual(await pusher.push(device, { notice: plain }), { status: 200 });
    assert.equal(calls("/token").length, 1);
    await checkAssertion(calls("/token")[0]);
    const [called] = calls(SEND);
    assert.equal(called?.headers.authorization, "Bearer ya29.x");
    assert.equal(called?.headers["content-type"], "application/json");
    const { token: to, notification, data, android, apns, ...rest } = sent();
    assert.deepEqual(rest, {});
    assert.equal(to, "device-token");
    assert.deepEqual(notification, { title: NOTICE.title, body: NOTICE.body });
    assert.ok(Object.values(data).every((value) => typeof value === "string"));
    assert.equal(data.at, "1800000000000");
    assert.deepEqual(JSON.parse(data.data), NOTICE.data);
    const collapse = android.collapse_key;
    assert.match(collapse, /^[A-Za-z0-9_-]{32}$/);
    const shown = { tag: collapse };
    const form = { collapse_key: collapse, ttl: "600s", priority: "HIGH", notification: shown };
    assert.deepEqual(android, form);
    assert.equal(apns.headers["apns-collapse-id"], collapse);
    assert.equal(apns.headers["apns-priority"], "10");
  });

  test("P10.2 with actions it is data for the app, and an alert for Apple's devices", async () => {
    await fresh();
    await pusher.push(device, { options: { urgency: "low", ttlS: 10_000_000 } });
    const { notification, data, android, apns } = sent();
    assert.equal(notification, undefined);
    assert.equal(android.notification, undefined);
    assert.deepEqual([android.priority, android.ttl], ["NORMAL", "2419200s"]);
    assert.deepEqual(JSON.parse(data.actions), NOTICE.actions);
    assert.deepEqual(JSON.parse(data.decide), NOTICE.decide);
    assert.equal(apns.payload.aps.alert.title, NOTICE.title);
    assert.equal(apns.payload.aps.category, "approval.request");
  });

  test("P10.1 pushes of several objects at once wait for one access token", async () => {
    await fresh();
    let answer = () => {};
    token = (response) => {
      answer = () => json(response, 200, access(3600));
    };
    const pushes = ["a", "b", "c", "d"].map((object) => pusher.push(device, { object }));
    const underWay = async () => (await pusher.ask("/under-way")).count;
    await until(underWay, (count) => count === 4, "four pushes under way");
    await until(
      () => calls("/token"),
      (all) => 0 < all.length,
      "an access token to be asked for",
    );
    answer();
    assert.deepEqual(await Promise.all(pushes), Array(4).fill({ status: 200 }));
    assert.equal(calls("/token").length, 1);
  });

  test("P10.1 one whose token never comes holds the others up for one call at most", async () => {
    await fresh();
    token = () => {
      token = (response) => json(response, 200, access(3600));
    };
    const first = pusher.push(device, { object: "a", ms: 500 });
    const second = pusher.push(device, { object: "b", ms: 5_000 });
    assert.deepEqual(await first, { status: 0, reason: "it did not answer within 500 ms" });
    assert.deepEqual(await second, { status: 200 });
  });

  test("P10.1 a token that expires within a minute is not used again, nor a bad one", async () => {
    await fresh();
    token = (response) => json(response, 200, access(59));
    await pusher.push(device);
    await pusher.push(device);
    assert.equal(calls("/token").length, 2);
    token = (response) => json(response, 200, access(3600));
    message = (response) => json(response, 401, problem(401, "UNAUTHENTICATED", "AUTH"));
    assert.equal((await pusher.push(device)).status, 401);
    assert.equal((await pusher.push(device)).status, 401);
    assert.equal(calls("/token").length, 4);
    token = (response) => json(response, 400, { error: "invalid_grant" });
    const refused = await pusher.push(device);
    assert.deepEqual(refused, { status: 0, reason: "the account gets no access token (400)" });
  });

  test("P10.1 gone, too often and out of order are told apart", async () => {
    await fresh();
    message = (response) => json(response, 404, problem(404, "NOT_FOUND", "UNREGISTERED"));
    assert.deepEqual(await pusher.push(device), {
      status: 404,
      gone: true,
      reason: "UNREGISTERED",
    });
    const wrong = { error: { code: 404, message: "no project", status: "NOT_FOUND" } };
    message = (response) => json(response, 404, wrong);
    assert.deepEqual(await pusher.push(device), { status: 404, reason: "NOT_FOUND" });
    message = (response) => {
      response.setHeader("retry-after", "7");
      json(response, 429, problem(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"));
    };
    const often = await pusher.push(device);
    assert.deepEqual(often, { status: 429, retryAfterMs: 7_000, reason: "QUOTA_EXCEEDED" });
    message = (response) => json(response, 503, problem(503, "UNAVAILABLE", "UNAVAILABLE"));
    assert.deepEqual(await pusher.push(device), { status: 503, reason: "UNAVAILABLE" });
    message = (response) => void response.writeHead(500).end("<html>");
    assert.deepEqual(await pusher.push(device), { status: 500 });
  });

  test("P10.1 a message has 4096 bytes at most", async () => {
    await fresh();
    await pusher.push(device, { notice: { body: "ä".repeat(3000) } });
    assert.ok((calls(SEND)[0]?.bytes.length ?? 0) <= 4096);
    assert.equal(sent().data.decide, JSON.stringify(NOTICE.decide));
  });
});
