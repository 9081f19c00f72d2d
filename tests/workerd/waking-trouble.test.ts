// P10.3, P10.5: agents that misbehave, dead letters, and processes that are killed.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { answered, answering, ask, type Wake } from "../support/bot.ts";
import { type Answering, broken, Endpoint, silent, taken } from "../support/endpoint.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { settings, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { killsWhileWoken, SECRET } from "../support/woken-kills.ts";

const fixture = useServer({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_WEBHOOK_SECRETS: SECRET,
    SESSILE_LIMITS: JSON.stringify({ deliveryMs: 500 }),
  },
});
const endpoint = new Endpoint();
const server = () => fixture.server;
before(() => endpoint.start());
afterEach(() => {
  endpoint.answer = taken;
});
after(() => endpoint.stop());

const woken = (session: string, more: Record<string, unknown> = {}) =>
  settings(server(), session, { agent: { url: endpoint.url() }, ...more });

/** One that answers late, and without an end. */
const slow: Answering = (response) => {
  const timer = setInterval(() => response.write("x"), 100);
  response.on("close", () => clearInterval(timer));
  setTimeout(() => response.writeHead(500), 50);
};

/** Sends 10 MB, as fast as they are taken, and says how much that was. */
function long(sent: (bytes: number) => void): Answering {
  return (response) => {
    response.writeHead(500);
    let bytes = 0;
    const chunk = "x".repeat(64 * 1024);
    const more = () => {
      while (bytes < 10 * 1024 * 1024) {
        bytes += chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", more);
          return;
        }
      }
      response.end();
    };
    response.on("close", () => sent(bytes));
    more();
  };
}

describe("an agent that misbehaves", () => {
  const redirect: Answering = (response) =>
    void response.writeHead(307, { location: endpoint.url("/elsewhere") }).end();
  const wrong: [string, Answering, string][] = [
    ["never answers", silent, "it did not answer within 500 ms"],
    ["answers slowly", slow, "it "],
    ["redirects", redirect, "it answered 307"],
    ["is broken", broken, "it answered 500"],
    ["answers with 10 MB", long(() => {}), "it answered 500"],
  ];
  for (const [name, answer, reason] of wrong) {
    test(`P10.5 one that ${name} is named in diagnostics, and keeps nobody waiting`, async () => {
      const session = fixture.session();
      endpoint.answer = answer;
      await woken(session);
      const inputs = await ask(server(), session, 1);
      const report = async () => (await diagnostics(server(), session)).deliveries;
      const { failing } = await until(report, ({ failing }) => failing.length === 1, "a failure");
      assert.ok(failing[0]?.reason.startsWith(reason), failing[0]?.reason);
      assert.equal(failing[0]?.target, endpoint.url());
      const started = Date.now();
      assert.equal((await call(server(), session, "GET")).status, 200);
      assert.ok(Date.now() - started < 400, "it is answered beside the call");
      answering(endpoint, server, SECRET);
      await answered(server(), session, inputs);
      assert.ok(endpoint.about(session).every(({ path }) => path === "/hook"));
    });
  }

  test("P10.5 of an answer of 10 MB little is taken", async () => {
    const session = fixture.session();
    let done = (_: number) => {};
    const sent = new Promise<number>((resolve) => {
      done = resolve;
    });
    endpoint.answer = long((bytes) => done(bytes));
    await woken(session);
    await ask(server(), session, 1);
    const bytes = await sent;
    // The rest is in buffers of the two systems.
    assert.ok(bytes < 8 * 1024 * 1024, `${bytes} bytes`);
  });
});

describe("an input that is not taken", () => {
  test("P10.3 410 makes a dead letter, which an administrator sends again", async () => {
    const session = fixture.session();
    endpoint.answer = (response) => void response.writeHead(410).end();
    await woken(session);
    const inputs = await ask(server(), session, 2);
    const report = async () => (await diagnostics(server(), session)).deliveries;
    const { dead } = await until(report, ({ dead }) => dead.length === 2, "dead letters");
    assert.equal(dead[0]?.reason, "it wants nothing more (410)");
    answering(endpoint, server, SECRET);
    const wake = (options: object) => call(server(), session, "POST", "/wake", options);
    assertRefused(await wake(USER), 403, "forbidden");
    const [first = "", second = ""] = inputs;
    const one = await wake({ json: { input: second } });
    assert.deepEqual([one.status, one.body], [200, { woken: [{ input: second }] }]);
    const rest = await wake({});
    assert.deepEqual([rest.status, rest.body], [200, { woken: [{ input: first }] }]);
    await answered(server(), session, inputs);
    assertRefused(await wake({ json: { input: first } }), 404, "not-found");
    assert.equal((await report()).dead.length, 0, "a taken input is no dead letter");
  });

  test("P10.3 an agent that cannot be called is refused by name", async () => {
    for (const [agent, reason] of [
      [{}, "agent has not exactly one of url, service, queue, workflow and inbox"],
      [{ url: "ftp://a.example/" }, "agent.url: it is no address of https"],
      [{ queue: "JOBS" }, 'agent.queue: the deployment has no queue "JOBS"'],
      [{ inbox: "role:user" }, "agent.inbox is no client"],
    ] as const) {
      const json = { settings: { agent } };
      const refused = await call(server(), "refused", "PATCH", "", { json });
      const error = assertRefused(refused, 400, "invalid-frame");
      assert.ok(error.message.includes(reason), error.message);
    }
  });

  test("P10.3 it goes with its session, and the session then sleeps", async () => {
    const session = fixture.session();
    endpoint.answer = broken;
    await woken(session);
    await ask(server(), session, 1);
    await endpoint.called(session, 1);
    assert.equal((await call(server(), session, "DELETE")).status, 200);
    const tables = () =>
      server()
        .tables(session)
        .catch(() => ["locked"]);
    await until(tables, (names) => names.length === 0, "nothing to be left");
  });
});

describe("kill -9", () => {
  test("P10.3 at any moment: each input is taken once, under one id", async () => {
    const names = Array.from({ length: 6 }, (_, round) => fixture.session(`killed-${round}`));
    await killsWhileWoken(server(), endpoint, names);
  });
});

describe("a deployment", () => {
  test("P10.3 has an agent for each session that sets none", async () => {
    const { startServer } = await import("../support/server.ts");
    const own = await startServer({
      vars: {
        SESSILE_LOCAL_TARGETS: "1",
        SESSILE_WEBHOOK_SECRETS: SECRET,
        SESSILE_AGENT: JSON.stringify({ url: endpoint.url("/agent") }),
      },
    });
    try {
      answering(endpoint, () => own, SECRET);
      const inputs = await ask(own, "deployed", 1);
      await answered(own, "deployed", inputs);
      const [called] = endpoint.about("deployed");
      assert.equal(called?.path, "/agent");
      assert.equal((JSON.parse(called?.body ?? "") as Wake).input, inputs[0]);
    } finally {
      await own.stop();
    }
    const bad = await startServer({ vars: { SESSILE_AGENT: '{"queue":"JOBS"}' } });
    try {
      const error = assertRefused(await call(bad, "s", "GET"), 503, "not-configured");
      assert.ok(error.message.includes("SESSILE_AGENT: agent.queue: the deployment has no queue"));
      assert.equal(field(await call(bad, "s", "GET"), "session"), undefined);
    } finally {
      await bad.stop();
    }
  });
});
