// P10.4, P10.5: which hooks there may be, and where they may lead.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Endpoint } from "../support/endpoint.ts";
import { assertRefused, call } from "../support/http.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/wait.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const servers: Server[] = [];
after(async () => {
  for (const server of servers) await server.stop();
});
const start = async (vars: Record<string, string>): Promise<Server> => {
  const server = await startServer({ vars });
  servers.push(server);
  return server;
};
const hooks = (server: Server, list: unknown) =>
  call(server, "s", "PATCH", "", { json: { settings: { hooks: list } } });

describe("where hooks lead", () => {
  test("P10.5 only to public addresses of https, each refused by name", async () => {
    const server = await start({ SESSILE_WEBHOOK_SECRETS: SECRET });
    for (const [url, reason] of [
      ["http://api.example/", "it is no address of https"],
      ["https://127.0.0.1/", "its host is not public"],
      ["https://[::ffff:10.0.0.1]/", "its host is not public"],
      ["https://169.254.169.254/latest/meta-data", "its host is not public"],
      ["https://localhost/", "its host is not public"],
      ["https://db.internal/", "its host is not public"],
      ["https://0x7f.1/", "its host is none"],
      ["https://me:secret@api.example/", "it holds a user"],
      ["https://api.example:25/", "its port is not 443"],
    ]) {
      const refused = await hooks(server, [{ url: "https://a.example/" }, { url }]);
      const error = assertRefused(refused, 400, "invalid-frame");
      assert.ok(error.message.includes(`hooks[1].url: ${reason}`), error.message);
    }
    assert.equal((await hooks(server, [{ url: "https://a.example/" }])).status, 200);
    assert.equal((await hooks(server, null)).status, 200);
  });

  test("P10.4 events that there are not and an eleventh hook are refused by name", async () => {
    const server = await start({ SESSILE_WEBHOOK_SECRETS: SECRET });
    const url = "https://a.example/";
    for (const [list, reason] of [
      [[{ url, events: ["deleted"] }], "no event has that name"],
      [Array(11).fill({ url }), "more than 10"],
      [[{}], "url"],
    ] as const) {
      const error = assertRefused(await hooks(server, list), 400, "invalid-frame");
      assert.ok(error.message.includes(reason), error.message);
    }
  });

  test("P10.4 without a secret to sign with there is no hook", async () => {
    const server = await start({});
    const refused = await hooks(server, [{ url: "https://a.example/" }]);
    const error = assertRefused(refused, 400, "invalid-frame");
    assert.match(error.message, /SESSILE_WEBHOOK_SECRETS/);
  });
});

describe("a deployment", () => {
  test("P10.4 its hooks hear of every session", async () => {
    const endpoint = new Endpoint();
    await endpoint.start();
    const server = await start({
      SESSILE_LOCAL_TARGETS: "1",
      SESSILE_WEBHOOK_SECRETS: SECRET,
      SESSILE_HOOKS: JSON.stringify([{ url: endpoint.url() }]),
    });
    try {
      for (const session of ["one", "two"]) {
        const json = { data: "hello" };
        assert.equal((await call(server, session, "POST", "/messages", { json })).status, 201);
        assert.equal((await call(server, session, "DELETE")).status, 200);
        await endpoint.called(session, 1);
        const tables = () => server.tables(session).catch(() => ["locked"]);
        await until(tables, (names) => names.length === 0, "nothing in storage");
      }
      // Of one that never was there is nothing to tell.
      assert.equal((await call(server, "three", "DELETE")).status, 200);
      assert.deepEqual(await server.tables("three"), []);
      assert.equal(endpoint.about("three").length, 0);
    } finally {
      endpoint.stop();
    }
  });

  test("P10.4 a setting of it that is wrong is named, and no secret is told", async () => {
    const hooks = JSON.stringify([{ url: "https://127.0.0.1/" }]);
    for (const [vars, reason] of [
      [{ SESSILE_WEBHOOK_SECRETS: "hunter2" }, "SESSILE_WEBHOOK_SECRETS is not whsec_"],
      [{ SESSILE_WEBHOOK_SECRETS: SECRET, SESSILE_HOOKS: "[" }, "SESSILE_HOOKS: it is not JSON"],
      [{ SESSILE_WEBHOOK_SECRETS: SECRET, SESSILE_HOOKS: hooks }, "its host is not public"],
      [{ SESSILE_HOOKS: '[{"url":"https://a.example/"}]' }, "SESSILE_HOOKS needs"],
      [{ SESSILE_LOCAL_TARGETS: "yes" }, "SESSILE_LOCAL_TARGETS is not 1"],
    ] as const) {
      const server = await start(vars);
      const error = assertRefused(await call(server, "s", "GET"), 503, "not-configured");
      assert.ok(error.message.includes(reason), error.message);
      assert.ok(!error.message.includes("hunter2"));
      await server.stop();
    }
  });
});
