// P10.1, P10.2: apps hear of an approval by FCM and by APNs; a device that is gone is removed.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, describe, test } from "node:test";
import { Endpoint } from "../support/endpoint.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { until } from "../support/wait.ts";

const pem = (key: { privateKey: { export(how: object): unknown } }) =>
  String(key.privateKey.export({ type: "pkcs8", format: "pem" }));
const endpoint = new Endpoint();
// The server's configuration has its address.
await endpoint.start();
after(() => endpoint.stop());
const url = endpoint.url("");
const fixture = useServer({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_FCM_ACCOUNT: JSON.stringify({
      project_id: "a-project",
      client_email: "push@a-project.example",
      private_key: pem(generateKeyPairSync("rsa", { modulusLength: 2048 })),
    }),
    SESSILE_FCM_URL: url,
    SESSILE_APNS_KEY: pem(generateKeyPairSync("ec", { namedCurve: "P-256" })),
    SESSILE_APNS_KEY_ID: "ABCDE12345",
    SESSILE_APNS_TEAM: "TEAM123456",
    SESSILE_APNS_TOPIC: "com.example.app",
    SESSILE_APNS_URL: url,
  },
});

const SEND = "/v1/projects/a-project/messages:send";
const ANN = { sub: "ann", caps: { "*": ["user"] } };

async function register(id: string, json: object) {
  return call(fixture.server, "", "PUT", `/v1/push/devices/${id}`, { ...ANN, json });
}

async function services(): Promise<string[]> {
  const list = await call(fixture.server, "", "GET", "/v1/push/devices", ANN);
  return (field(list, "devices") as { service: string }[]).map(({ service }) => service).sort();
}

describe("the apps of a client that is away", () => {
  test("P10.2 hear of an approval with its actions; one that is gone is removed", async () => {
    const session = fixture.session();
    endpoint.answer = (response, { path }) => {
      if (path === "/token") {
        const token = { access_token: "ya29.x", expires_in: 3600 };
        return void response.writeHead(200).end(JSON.stringify(token));
      }
      if (path === SEND) return void response.writeHead(200).end("{}");
      response.writeHead(410).end(JSON.stringify({ reason: "Unregistered" }));
    };
    for (const [id, json] of [
      ["android", { fcm: { token: "device-token" } }],
      ["iphone", { apns: { token: "00ff" } }],
    ] as const) {
      const answer = await register(id, json);
      assert.equal(answer.status, 200, answer.text);
    }
    assert.deepEqual(await services(), ["apns", "fcm"]);
    const json = { title: "Refund 40 €?", assignees: ["ann"] };
    const asked = await call(fixture.server, session, "POST", "/approvals", { json });
    const { id } = field(asked, "approval") as { id: string };

    const at = (path: string) => endpoint.calls.filter((called) => called.path === path);
    const [sent] = await until(
      () => at(SEND),
      (all) => all.length === 1,
      "a message of FCM",
    );
    const { token, data } = JSON.parse(sent?.body ?? "{}").message;
    assert.deepEqual([token, data.approval, data.title], ["device-token", id, "Refund 40 €?"]);
    const decide = JSON.parse(data.decide);
    const [alerted] = await until(
      () => at("/3/device/00ff"),
      (all) => all.length === 1,
      "an alert of APNs",
    );
    assert.equal(JSON.parse(alerted?.body ?? "{}").aps.alert.title, "Refund 40 €?");
    await until(services, (left) => left.join() === "fcm", "the device that is gone to be removed");

    const headers = { authorization: `Bearer ${decide.token}`, "content-type": "application/json" };
    const body = JSON.stringify({ decision: "approve" });
    const decided = await fetch(decide.url, { method: "POST", headers, body });
    assert.equal(decided.status, 200, await decided.text());
  });

  test("P10.1 have no Web Push where the deployment has no key for it", async () => {
    const web = { endpoint: endpoint.url(), keys: { p256dh: "x", auth: "y" } };
    assertRefused(await register("browser", { web }), 503, "not-configured");
  });
});
