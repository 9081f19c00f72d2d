// The addresses of a development server (docs/deploy.md): tokens for its own pages, and restarts.

import assert from "node:assert/strict";
import { request } from "node:http";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { assertRefused, call, field, getHistory, problem } from "../support/http.ts";
import { Reader } from "../support/reader.ts";
import type { Server } from "../support/server.ts";
import { SIGNING_KEY } from "../support/token.ts";
import { within } from "../support/wait.ts";

const ADA = { client: "ada", name: "Ada", role: "user", caps: { "*": ["user"] } };
const JWK = {
  kty: "oct",
  kid: "k",
  alg: "HS256",
  k: Buffer.from(SIGNING_KEY).toString("base64url"),
};

/** Asks as a page of the server's own origin does, unless `headers` say otherwise. */
function ask(server: Server, json: unknown = ADA, headers: Record<string, string> = {}) {
  const origin = { origin: server.url, "sec-fetch-site": "same-origin" };
  return call(server, "", "POST", "/v1/dev/tokens", {
    token: null,
    json,
    headers: { ...origin, ...headers },
  });
}

function restart(server: Server, session: string, headers: Record<string, string> = {}) {
  const path = `/v1/dev/sessions/${encodeURIComponent(session)}/restart`;
  return call(server, "", "POST", path, { token: null, headers });
}

/** The same request to another host, which is what a name that was made to lead here sends. */
function askHost(server: Server, host: string, path = "/v1/dev/tokens"): Promise<number> {
  const headers = { host, origin: `http://${host}`, "content-type": "application/json" };
  const status = new Promise<number>((done, fail) => {
    const sent = request(`${server.url}${path}`, { method: "POST", headers }, (answer) => {
      answer.resume();
      done(answer.statusCode ?? 0);
    });
    sent.once("error", fail);
    sent.end(JSON.stringify(ADA));
  });
  return within(status, `an answer to ${host}`);
}

describe("with SESSILE_DEV", () => {
  const fixture = useServer({ vars: { SESSILE_DEV: "1" } });

  test("a page of this origin is given a token that the session takes", async () => {
    const { server } = fixture;
    const made = await ask(server);
    assert.equal(made.status, 201, made.text);
    const token = String(field(made, "token"));
    const { client, attached } = await attach(server, fixture.session(), { token });
    assert.deepEqual(
      [attached.client, attached.expiresAt],
      ["ada", field(made, "expiresAt")],
      "it is Ada's, and says when it expires",
    );
    assert.ok(Number(attached.expiresAt) > Date.now() + 3_600_000);
    await client.publish("hello");
    await client.close();
    const mine = { token, json: { ttlMs: 60_000 } };
    assertRefused(await call(server, "any", "PATCH", "", mine), 403, "forbidden");
  });

  test("a page of another origin, and a caller that says none, are refused", async () => {
    const { server } = fixture;
    const others = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "http://127.0.0.1:1" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ];
    for (const headers of others) {
      const refused = await ask(server, ADA, headers);
      assertRefused(refused, 403, "forbidden");
      assert.equal(field(refused, "token"), undefined);
      assertRefused(await restart(server, "any", headers), 403, "forbidden");
    }
    const path = "/v1/dev/tokens";
    const bare = await call(server, "", "POST", path, { token: null, json: ADA });
    assert.match(assertRefused(bare, 403, "forbidden").message, /neither Origin/);
  });

  test("a name that was made to lead here, and Cloudflare, find no such address", async () => {
    const { server } = fixture;
    const port = new URL(server.url).port;
    for (const host of [`rebound.example:${port}`, "127.0.0.1.nip.io", "localhost.example"]) {
      assert.equal(await askHost(server, host), 404, host);
      assert.equal(await askHost(server, host, "/v1/dev/sessions/a/restart"), 404, host);
    }
    for (const host of [`localhost:${port}`, `laptop.local:${port}`, "192.168.1.9", "[::1]:80"]) {
      assert.equal(await askHost(server, host), 201, host);
    }
    const ray = { "cf-ray": "8f1e2d3c4b5a6978-FRA" };
    assertRefused(await ask(server, ADA, ray), 404, "not-found");
    assertRefused(await restart(server, "any", ray), 404, "not-found");
    assertRefused(
      await call(server, "", "GET", "/v1/dev/tokens", { token: null }),
      404,
      "not-found",
    );
  });

  test("a token that would be refused is not made", async () => {
    const { server } = fixture;
    const wrong: [unknown, RegExp][] = [
      [{ caps: ADA.caps }, /client/],
      [{ client: "ada" }, /caps/],
      [{ ...ADA, role: "king" }, /king/],
      [{ ...ADA, client: "role:agent" }, /role:/],
      [{ ...ADA, caps: { "*": ["everything"] } }, /everything/],
      ["no object", /unable to make a token/],
    ];
    for (const [json, reason] of wrong) {
      const refused = await ask(server, json);
      assert.match(assertRefused(refused, 400, "invalid-frame").message, reason);
    }
  });

  test("a restart takes memory and sockets, and nothing that was acknowledged", async () => {
    const { server } = fixture;
    const session = fixture.session();
    const reader = new Reader(server, session, { sub: "reader" });
    await reader.attach();
    let writer = await connect(server, session, { sub: "writer" });
    const serial = await writer.publish("", { status: "streaming" });
    let acknowledged = "";
    let seq = 0;
    for (let round = 1; round <= 5; round += 1) {
      const sending = (async () => {
        for (;;) {
          const data = `${seq + 1} `;
          await writer.ok({ type: "append", serial, data, seq: seq + 1 });
          seq += 1;
          acknowledged += data;
        }
      })().catch(() => {});
      await reader.holds((fold) => fold.text(serial).length > round * 30, "some text");
      assert.equal((await restart(server, session)).status, 204);
      await sending;
      await within(Promise.resolve(reader.client?.closed), "the reader's close");
      const { traces } = await diagnostics(server, session);
      assert.equal(traces.attached, 0, "its memory is gone");
      await reader.attach();
      assert.equal(reader.fold.attached?.resumed, true);
      writer = await connect(server, session, { sub: "writer" });
      const [message] = await getHistory(server, session);
      const stored = String(message?.data);
      assert.ok(stored.startsWith(acknowledged), "what was acknowledged is there");
      // The last append may have been stored without its answer.
      acknowledged = stored;
      seq = stored.split(" ").length - 1;
    }
    await writer.ok({ type: "append", serial, data: "", seq: seq + 1, status: "complete" });
    await reader.holdsStatus(serial, "complete");
    assert.equal(reader.fold.text(serial), acknowledged);
    reader.fold.assertSound();
    await reader.close();
    await writer.close();
  });

  test("a restart of no session is refused by name, and of a new one leaves nothing", async () => {
    const { server } = fixture;
    assertRefused(await restart(server, "a\n"), 400, "invalid-session");
    const session = fixture.session();
    assert.equal((await restart(server, session)).status, 204);
    assert.deepEqual(await server.tables(session), []);
  });
});

describe("without SESSILE_DEV", () => {
  for (const vars of [{}, { SESSILE_DEV: "0" }, { SESSILE_DEV: "true" }]) {
    const fixture = useServer({ vars });

    test(`there is no such address: ${JSON.stringify(vars)}`, async () => {
      const { server } = fixture;
      const refused = await ask(server);
      assertRefused(refused, 404, "not-found");
      assert.doesNotMatch(
        problem(refused).message,
        /v1.dev/,
        "nor is it named among those there are",
      );
      assertRefused(await restart(server, "any"), 404, "not-found");
    });
  }
});

describe("P2.7 with other keys", () => {
  const vars = { SESSILE_DEV: "1", SESSILE_KEYS: JSON.stringify({ keys: [JWK] }) };
  const keyless = useServer({ vars: { ...vars, SESSILE_SIGNING_KEY: undefined } });
  const strict = useServer({ vars: { ...vars, SESSILE_ISSUER: "us", SESSILE_AUDIENCE: "chat" } });

  test("nothing is signed without SESSILE_SIGNING_KEY", async () => {
    const refused = assertRefused(await ask(keyless.server), 503, "not-configured");
    assert.match(refused.message, /SESSILE_SIGNING_KEY/);
  });

  test("a token has the issuer and the audience that the server expects", async () => {
    const token = String(field(await ask(strict.server), "token"));
    const answer = await call(strict.server, strict.session(), "GET", "/messages", { token });
    assert.equal(answer.status, 200, answer.text);
  });
});
