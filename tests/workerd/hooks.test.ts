// P10.4, P10.5: a back end is told that a session was deleted, whatever fails in between.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { connect } from "../support/client.ts";
import { broken, Endpoint, silent, taken } from "../support/endpoint.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { until, within } from "../support/wait.ts";

const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const fixture = useServer({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_WEBHOOK_SECRETS: `${OLD} ${NEW}`,
    SESSILE_LIMITS: JSON.stringify({ deliveryMs: 1_000 }),
  },
});
const endpoint = new Endpoint();
before(() => endpoint.start());
afterEach(() => {
  endpoint.answer = taken;
});
after(() => endpoint.stop());

async function hook(session: string, url = endpoint.url()): Promise<void> {
  const json = { settings: { hooks: [{ url, events: ["session.delete"] }] } };
  const answer = await call(fixture.server, session, "PATCH", "", { json });
  assert.equal(answer.status, 200, answer.text);
}

async function remove(session: string): Promise<void> {
  const answer = await call(fixture.server, session, "DELETE");
  assert.deepEqual([answer.status, answer.text], [200, "{}"]);
}

/** Nothing of the session is stored. Its file is locked while it is being emptied. */
async function isEmpty(session: string): Promise<void> {
  const tables = () => fixture.server.tables(session).catch(() => ["locked"]);
  await until(tables, (names) => names.length === 0, "nothing of the session in storage");
}

async function publish(session: string, data: string): Promise<void> {
  const answer = await call(fixture.server, session, "POST", "/messages", { json: { data } });
  assert.equal(answer.status, 201, answer.text);
}

describe("a hook", () => {
  test("P10.4 hears that the session was deleted, and nothing is left", async () => {
    const session = fixture.session();
    await hook(session);
    await publish(session, "the content");
    const before = Date.now();
    await remove(session);
    const [called] = await endpoint.called(session, 1);
    const { id, at, serial, ...rest } = JSON.parse(called?.body ?? "");
    assert.deepEqual(rest, { type: "session.delete", session });
    assert.equal(called?.headers["webhook-id"], id);
    assert.equal(called?.headers["content-type"], "application/json");
    assert.ok(before - 1_000 <= at && at <= Date.now() + 1_000);
    assert.equal(typeof serial, "string");
    await isEmpty(session);
    assert.equal(endpoint.about(session).length, 1);
  });

  test("P10.4 a verifier that is not ours takes it, and nothing altered or old", async () => {
    const session = fixture.session();
    await hook(session);
    await remove(session);
    const [called] = await endpoint.called(session, 1);
    assert.ok(called);
    const { body, headers } = called;
    for (const secret of [OLD, NEW]) {
      const webhook = new Webhook(secret);
      assert.deepEqual(webhook.verify(body, headers), JSON.parse(body));
      const refuses = (text: string, more: Record<string, string>) =>
        assert.throws(() => webhook.verify(text, { ...headers, ...more }));
      refuses(body.replace("delete", "create"), {});
      refuses(body, { "webhook-id": "another" });
      const old = String(Number(headers["webhook-timestamp"]) - 600);
      refuses(body, { "webhook-timestamp": old });
    }
    const other = new Webhook(`whsec_${Buffer.alloc(32, 8).toString("base64")}`);
    assert.throws(() => other.verify(body, headers));
  });

  test("P11.2 DELETE does not wait for it, and only the word of it stays meanwhile", async () => {
    const session = fixture.session();
    endpoint.answer = silent;
    await hook(session);
    await publish(session, "the content");
    await remove(session);
    await endpoint.called(session, 1);
    assert.deepEqual(await fixture.server.tables(session), ["delivery"]);
    const [row] = await fixture.server.query(session, "SELECT * FROM delivery");
    assert.ok(!JSON.stringify(row).includes("the content"));
    const snapshot = await call(fixture.server, session, "GET");
    assert.equal(JSON.parse(snapshot.text).createdAt, undefined, "as one that never was");
    endpoint.answer = taken;
    await isEmpty(session);
  });

  test("P10.4 what failed comes again under the same id, in order, over a new life", async () => {
    const session = fixture.session();
    endpoint.answer = broken;
    await hook(session);
    await remove(session);
    await endpoint.called(session, 1);
    // Another life of the session begins and ends meanwhile.
    await hook(session);
    await publish(session, "again");
    await remove(session);
    await endpoint.called(session, 2);
    endpoint.answer = taken;
    await isEmpty(session);
    const ids = endpoint.about(session).map((called) => called.headers["webhook-id"]);
    const [first, second] = [...new Set(ids)];
    assert.ok(first !== undefined && second !== undefined && first !== second);
    assert.equal(ids.lastIndexOf(first) + 1, ids.indexOf(second), "the second after the first");
  });

  test("P10.4 the deletion of a session that expires is told as well", async () => {
    const session = fixture.session();
    await hook(session);
    const json = { settings: { idleExpiryMs: 1_000 } };
    assert.equal((await call(fixture.server, session, "PATCH", "", { json })).status, 200);
    await endpoint.called(session, 1);
    await isEmpty(session);
  });

  test("P10.3 410 ends it: a dead letter, which an administrator sees", async () => {
    const session = fixture.session();
    endpoint.answer = (response) => void response.writeHead(410).end();
    await hook(session);
    await remove(session);
    await endpoint.called(session, 1);
    const letters = await until(
      async () => (await diagnostics(fixture.server, session)).deliveries,
      (deliveries) => deliveries.dead.length === 1,
      "a dead letter",
    );
    const [letter] = letters.dead;
    assert.deepEqual(
      [letter?.target, letter?.attempts, letter?.reason, letters.pending],
      [endpoint.url(), 1, "it wants nothing more (410)", 0],
    );
    assert.equal(endpoint.about(session).length, 1);
  });
});

describe("kill -9", () => {
  test("P10.4 at any moment of it: the word arrives, with nobody there", async () => {
    const { server } = fixture;
    for (let round = 0; round < 12; round += 1) {
      const session = fixture.session(`killed-${round}`);
      endpoint.answer = round % 3 === 0 ? silent : round % 3 === 1 ? broken : taken;
      await hook(session);
      // Before the answer, right after it, or once the hook was called.
      const removed = call(server, session, "DELETE").catch(() => undefined);
      if (round % 2 === 0) await removed;
      if (round % 4 === 0) await endpoint.called(session, 1);
      await server.restart();
      const answer = await removed;
      endpoint.answer = taken;
      if (answer === undefined) {
        // Nobody was told that it is done: it is asked again, as after any lost answer.
        const again = await call(server, session, "GET");
        if (JSON.parse(again.text).createdAt !== undefined) await remove(session);
      }
      const calls = await endpoint.called(session, 1);
      await isEmpty(session);
      const ids = new Set(calls.map((called) => called.headers["webhook-id"]));
      assert.equal(ids.size, 1, `round ${round}: one event, one id`);
    }
  });
});

describe("an endpoint that misbehaves", () => {
  test("P10.5 a redirect is not followed", async () => {
    const session = fixture.session();
    endpoint.answer = (response) =>
      void response.writeHead(307, { location: endpoint.url("/elsewhere") }).end();
    await hook(session);
    await remove(session);
    await endpoint.called(session, 2);
    endpoint.answer = taken;
    await isEmpty(session);
    assert.ok(endpoint.about(session).every((called) => called.path === "/hook"));
  });

  test("P10.5 one that never answers is given up in time, and keeps nobody waiting", async () => {
    const session = fixture.session();
    endpoint.answer = silent;
    await hook(session);
    await remove(session);
    await endpoint.called(session, 1);
    const client = await connect(fixture.server, session);
    for (let count = 0; count < 20; count += 1) {
      await within(client.publish(`message ${count}`), "an answer beside it", 900);
    }
    client.cut();
    await endpoint.called(session, 2);
    endpoint.answer = taken;
    await call(fixture.server, session, "DELETE");
    await isEmpty(session);
  });

  test("P10.5 one that answers without an end is read up to 4 KiB", async () => {
    const session = fixture.session();
    let sent = 0;
    const cut = new Promise<void>((done) => {
      endpoint.answer = (response) => {
        response.writeHead(200);
        const timer = setInterval(() => {
          response.write("x".repeat(1024));
          sent += 1024;
        }, 20);
        response.on("close", () => {
          clearInterval(timer);
          done();
        });
      };
    });
    await hook(session);
    await remove(session);
    await within(cut, "the end of it");
    assert.ok(sent < 16 * 1024, `${sent} bytes`);
    await isEmpty(session);
    assert.equal(endpoint.about(session).length, 1, "its status said that it was taken");
  });

  test("P10.3 Retry-After is kept to", async () => {
    const session = fixture.session();
    const times: number[] = [];
    endpoint.answer = (response) => {
      times.push(Date.now());
      if (times.length === 1) response.writeHead(429, { "retry-after": "3" }).end();
      else response.writeHead(200).end();
    };
    await hook(session);
    await remove(session);
    await endpoint.called(session, 2);
    const [first = 0, second = 0] = times;
    assert.ok(2_900 <= second - first, `${second - first} ms`);
    await isEmpty(session);
  });
});
