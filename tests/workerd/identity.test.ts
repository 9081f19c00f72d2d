// P2: who may do what, and that each refusal says so by name.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { attach, connect, open } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { type Server, startServer } from "../support/server.ts";
import { Refused } from "../support/socket.ts";
import { claims, makeToken, now, rawToken, SIGNING_KEY } from "../support/token.ts";
import { within } from "../support/wait.ts";

const fixture = useServer();
const HS256 = { alg: "HS256", typ: "JWT" };

function tampered(token: string): string {
  const [header, , signature] = token.split(".");
  const payload = Buffer.from(JSON.stringify(claims({ sub: "mallory" }))).toString("base64url");
  return `${header}.${payload}.${signature}`;
}

/** Every token that must be 401, by what is wrong with it. */
async function badTokens(): Promise<Record<string, string>> {
  const good = await makeToken();
  return {
    "not a token": "hello",
    empty: "..",
    "two parts": good.split(".").slice(0, 2).join("."),
    "alg none": rawToken({ alg: "none" }, claims()),
    "alg none in capitals": rawToken({ alg: "NONE" }, claims()),
    "alg none, signed": rawToken({ alg: "none" }, claims(), SIGNING_KEY),
    "no alg": rawToken({ typ: "JWT" }, claims(), SIGNING_KEY),
    "another algorithm than the key's": rawToken({ alg: "HS512" }, claims(), SIGNING_KEY),
    "signed with another key": await makeToken({ key: "some other key of the right length....." }),
    tampered: tampered(good),
    expired: await makeToken({ expiresIn: -31 }),
    "not yet valid": await makeToken({ claims: { nbf: now() + 60 } }),
    "no exp": rawToken(HS256, { sub: "a", caps: {} }, SIGNING_KEY),
    "no sub": await makeToken({ sub: undefined }),
    "an empty sub": await makeToken({ sub: "" }),
    "a sub that pretends to be a role": await makeToken({ sub: "role:admin" }),
    "a long sub": await makeToken({ sub: "x".repeat(129) }),
    "a sub with a control character": await makeToken({ sub: "a\u0007b" }),
    "a sub that is a number": rawToken(HS256, { ...claims(), sub: 7 }, SIGNING_KEY),
    "an exp that is text": rawToken(HS256, { ...claims(), exp: "tomorrow" }, SIGNING_KEY),
    "a payload that is no object": rawToken(HS256, "[]", SIGNING_KEY),
    "a payload that is no JSON": rawToken(HS256, "{", SIGNING_KEY),
    "an unknown kid": await makeToken({ kid: "nobody" }),
  };
}

describe("refusals", () => {
  test("P2.5 bad tokens are 401 unauthorized over HTTP, and wake and write nothing", async () => {
    const session = fixture.session();
    assertRefused(
      await call(fixture.server, session, "GET", "/messages", { token: null }),
      401,
      "unauthorized",
    );
    for (const [what, token] of Object.entries(await badTokens())) {
      for (const [method, path] of [
        ["GET", "/messages"],
        ["POST", "/messages"],
      ]) {
        const json = method === "POST" ? { json: { data: 1 } } : {};
        const answer = await call(fixture.server, session, method ?? "", path, { token, ...json });
        assert.equal(answer.status, 401, `${what}: ${answer.text}`);
        assertRefused(answer, 401, "unauthorized");
      }
    }
    assert.equal(await fixture.server.evict(session), false, "the session was never woken");
    assert.equal(await fixture.server.databaseFile(session), undefined);
  });

  test("P2.5 a WebSocket with a bad token gets a nack and is closed with 4401", async () => {
    const session = fixture.session();
    for (const [what, token] of Object.entries(await badTokens())) {
      const client = await open(fixture.server, session, { token, by: "query" });
      const nack = await client.next("nack");
      assert.deepEqual(
        [nack.ref, nack.error?.code, nack.error?.status],
        [null, "unauthorized", 401],
      );
      const { code } = await within(client.closed, `a close for ${what}`);
      assert.equal(code, 4401, what);
      assert.deepEqual(client.inbox, [], "and nothing else");
    }
    const without = await open(fixture.server, session, { by: "nothing" });
    assert.equal((await without.next("nack")).error?.code, "unauthorized");
    await without.closedWith(4401);
    assert.equal(await fixture.server.evict(session), false, "the session was never woken");
  });

  test("P2.5 SSE with a bad token is refused by its status, and says why as frames", async () => {
    const session = fixture.session();
    const cases = [
      { options: { token: "nonsense" }, status: 401, code: "unauthorized", close: 4401 },
      { options: { expiresIn: -60 }, status: 401, code: "unauthorized", close: 4401 },
      { options: { caps: { "*": ["publish"] } }, status: 403, code: "forbidden", close: 4403 },
      { options: { caps: { other: ["read"] } }, status: 403, code: "forbidden", close: 4403 },
      { options: { query: { rewind: "all" } }, status: 400, code: "invalid-frame", close: 4400 },
    ];
    for (const { options, status, code, close } of cases) {
      const events = await openEvents(fixture.server, session, options);
      assert.equal(events.status, status);
      assert.match(events.contentType, /^text\/event-stream/);
      const { frame } = await events.next("nack");
      assert.deepEqual([frame.ref, frame.error?.code, frame.error?.status], [null, code, status]);
      assert.equal((await events.next("closing")).frame.code, close);
      await within(events.ended, "the end of the stream");
      if ("query" in options) continue;
      // A client that does not read frames is answered like anywhere else (P13.2).
      const plain = await call(fixture.server, session, "GET", "/events", options);
      assertRefused(plain, status, code);
    }
    assert.equal(await fixture.server.evict(session), false, "the session was never woken");
  });

  test("P2.5 a missing operation is 403, naming the operation and the session", async () => {
    const session = fixture.session("private");
    const none = { caps: { "other-*": ["admin"] } };
    const answer = await call(fixture.server, session, "GET", "/messages", none);
    const error = assertRefused(answer, 403, "forbidden");
    assert.match(error.message, /read/);
    assert.match(error.message, new RegExp(session));
    const viewer = { caps: { "*": ["viewer"] } };
    const cases: [string, string, unknown, RegExp][] = [
      ["POST", "/messages", { data: 1 }, /publish/],
      ["PATCH", "", { settings: { title: "x" } }, /admin/],
      ["DELETE", "", undefined, /admin/],
      ["GET", "/diagnostics", undefined, /admin/],
    ];
    for (const [method, path, json, operation] of cases) {
      const body = json === undefined ? {} : { json };
      const refused = await call(fixture.server, session, method, path, { ...viewer, ...body });
      assert.match(assertRefused(refused, 403, "forbidden").message, operation);
    }
    const client = await open(fixture.server, session, none);
    const nack = await client.next("nack");
    assert.deepEqual([nack.ref, nack.error?.code], [null, "forbidden"]);
    assert.match(nack.error?.message ?? "", /read/);
    await client.closedWith(4403);
  });

  test("P1.1 what is no session's name is 400 invalid-session", async () => {
    const bad = ["a b", "a/b", "ä", "x".repeat(129), "a?b", "%", "<script>", "a\u0000b"];
    for (const session of bad) {
      const answer = await call(fixture.server, session, "GET", "/messages");
      assertRefused(answer, 400, "invalid-session");
    }
    const client = await open(fixture.server, "a b");
    assert.equal((await client.next("nack")).error?.code, "invalid-session");
    await client.closedWith(4400);
    for (const session of ["A.b_c:d~e-9", "x".repeat(128)]) {
      assert.equal((await call(fixture.server, session, "GET", "/messages")).status, 200, session);
    }
    const { server } = fixture;
    const token = await makeToken();
    const twice = await fetch(`${server.url}/v1/sessions/a%2520b/messages`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(twice.status, 400, "percent-decoded once, not twice");
    await twice.text();
    const once = await fetch(`${server.url}/v1/sessions/a%7Eb/messages`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(once.status, 200);
    await once.text();
  });
});

describe("capability", () => {
  test("P2.2 exact names, prefixes and * add up", async () => {
    const caps = { "team-red": ["publish"], "team-*": ["read"], "*": ["presence"] };
    const status = async (session: string, method: string): Promise<number> => {
      const json = method === "POST" ? { json: { data: 1 } } : {};
      const answer = await call(fixture.server, session, method, "/messages", { caps, ...json });
      return answer.status;
    };
    assert.equal(await status("team-red", "GET"), 200);
    assert.equal(await status("team-red", "POST"), 201);
    assert.equal(await status("team-blue", "GET"), 200);
    assert.equal(await status("team-blue", "POST"), 403);
    assert.equal(await status("team", "GET"), 403);
    assert.equal(await status("other", "GET"), 403);
  });

  test("P2.1 name, role and leeway; P2.4 header, query and subprotocol are one", async () => {
    const session = fixture.session();
    const options = { sub: "ann", name: "Ann", expiresIn: -20 };
    for (const by of ["header", "query", "protocol"] as const) {
      const { client, attached } = await attach(fixture.server, session, {
        ...options,
        by,
        expiresIn: 60,
      });
      assert.equal(attached.client, "ann");
      assert.equal(client.protocol, by === "protocol" ? "sessile.v1" : undefined);
      await client.close();
    }
    const late = await call(fixture.server, session, "GET", "/messages", options);
    assert.equal(late.status, 200, "30 seconds of leeway");
    const events = await openEvents(fixture.server, session, { by: "query" });
    assert.equal(events.status, 200);
    await events.next("attached");
    events.cut();
  });

  test("P2.2 caps that are no capabilities are refused, never taken for more", async () => {
    const strange: unknown[] = [
      [],
      "admin",
      { "*": "admin" },
      { "*": [7] },
      { "*": ["root"] },
      null,
    ];
    for (const caps of strange) {
      const token = rawToken(HS256, { ...claims(), caps }, SIGNING_KEY);
      const answer = await call(fixture.server, fixture.session(), "GET", "/messages", { token });
      assert.ok([401, 403].includes(answer.status), `${JSON.stringify(caps)}: ${answer.status}`);
    }
    const token = rawToken(HS256, { sub: "a", exp: now() + 60 }, SIGNING_KEY);
    const without = await call(fixture.server, fixture.session(), "GET", "/messages", { token });
    assertRefused(without, 403, "forbidden");
  });
});

describe("renewing in place", () => {
  test("P2.6 an auth frame replaces the token wholly, also to less", async () => {
    const session = fixture.session();
    const client = await connect(fixture.server, session, {
      sub: "ann",
      caps: { "*": ["viewer"] },
    });
    await client.refused({ type: "publish", messages: [{ data: 1 }] }, "forbidden");
    await client.ok({
      type: "auth",
      token: await makeToken({ sub: "ann", caps: { "*": ["user"] } }),
    });
    await client.publish("now");
    await client.ok({
      type: "auth",
      token: await makeToken({ sub: "ann", caps: { "*": ["viewer"] } }),
    });
    await client.refused({ type: "publish", messages: [{ data: 1 }] }, "forbidden");
    await fixture.server.evict(session);
    await client.refused({ type: "publish", messages: [{ data: 1 }] }, "forbidden");
  });

  test("P2.6 a bad auth is refused and the old token stands", async () => {
    const client = await connect(fixture.server, fixture.session(), { sub: "ann" });
    const bad = [
      "nonsense",
      await makeToken({ sub: "ann", expiresIn: -60 }),
      await makeToken({ sub: "ann", key: "another key, also longer than thirty-two" }),
      rawToken({ alg: "none" }, claims({ sub: "ann" })),
      await makeToken({ sub: "bob" }),
    ];
    for (const token of bad) {
      const answer = await client.request({ type: "auth", token });
      assert.equal(answer.type, "nack");
      assert.match(answer.error?.code ?? "", /^(unauthorized|forbidden)$/);
    }
    assert.equal((await client.request({ type: "auth" })).type, "nack");
    await client.publish("still here");
  });

  test("P2.6 a fresh token without read closes with 4403", async () => {
    const client = await connect(fixture.server, fixture.session(), { sub: "ann" });
    const token = await makeToken({ sub: "ann", caps: { "*": ["publish"] } });
    client.send({ type: "auth", ref: "a", token });
    await client.closedWith(4403);
  });

  test("P2.6 whoever does not renew is reminded once, while the session is awake", async () => {
    const session = fixture.session();
    const { client, attached } = await attach(fixture.server, session, { expiresIn: 25 });
    await client.publish("awake");
    const reminder = await client.next("token-expiring");
    assert.equal(reminder.expiresAt, attached.expiresAt);
    await client.publish("still awake");
    assert.ok(client.inbox.every((frame) => frame.type !== "token-expiring"));
    const other = await connect(fixture.server, session);
    await other.publish("not for long");
    assert.ok(other.inbox.every((frame) => frame.type !== "token-expiring"));
  });

  test("P2.6 an expired connection is closed with 4401 at the first frame", async () => {
    const session = fixture.session();
    // Within the leeway of 30 s now, past it three seconds later.
    const soon = { expiresIn: -27 };
    const sender = await connect(fixture.server, session, { sub: "a", ...soon });
    const reader = await connect(fixture.server, session, { sub: "b", ...soon });
    const renewed = await connect(fixture.server, session, { sub: "c", ...soon });
    const writer = await connect(fixture.server, session, { sub: "w" });
    const events = await openEvents(fixture.server, session, { sub: "d", ...soon });
    await events.next("caught-up");
    await renewed.ok({ type: "auth", token: await makeToken({ sub: "c" }) });
    const closing = await events.next("closing");
    assert.equal(closing.frame.code, 4401, "SSE: by the Worker's timer");
    await within(events.ended, "the end of SSE");
    // The event stream expired last, so the others have too.
    sender.send({ type: "publish", ref: 1, messages: [{ data: "too late" }] });
    await sender.closedWith(4401);
    await writer.publish("for those who may");
    await reader.closedWith(4401);
    assert.ok(
      reader.inbox.every((f) => f.type !== "message.create"),
      "it is sent nothing",
    );
    const seen = await renewed.next("message.create");
    assert.equal(seen.message?.data, "for those who may", "nothing of the expired sender");
  });
});

describe("keys", () => {
  const servers: Server[] = [];
  after(async () => {
    for (const server of servers) await server.stop();
  });
  const start = async (vars: Record<string, string | undefined>): Promise<Server> => {
    const server = await startServer({ vars });
    servers.push(server);
    return server;
  };

  test("P2.7 with no key configured everything is 503 not-configured", async () => {
    const server = await start({ SESSILE_SIGNING_KEY: undefined });
    assertRefused(await call(server, "s", "GET", "/messages"), 503, "not-configured");
    const empty = await call(server, "s", "GET", "/messages", { token: null });
    assertRefused(empty, 503, "not-configured");
    const refused = await open(server, "s").catch((error: unknown) => error);
    assert.ok(refused instanceof Refused, "there is no connection without a key");
    assert.equal(refused.status, 503);
    assert.match(refused.body, /not-configured/);
  });

  describe("SESSILE_KEYS and SESSILE_JWKS_URL", () => {
    const pairs = { es: generateKeyPair("ES256"), rs: generateKeyPair("RS256") };
    let jwks: string;
    before(async () => {
      const es = await exportJWK((await pairs.es).publicKey);
      const rs = await exportJWK((await pairs.rs).publicKey);
      const k = Buffer.from("a second shared key, longer than 32").toString("base64url");
      jwks = JSON.stringify({
        keys: [
          { ...es, kid: "es", alg: "ES256", use: "sig" },
          { ...rs, kid: "rs", alg: "RS256", use: "sig" },
          { kty: "oct", k, kid: "hs", alg: "HS256" },
        ],
      });
    });
    const sign = async (kid: "es" | "rs", alg: string): Promise<string> =>
      new SignJWT(claims()).setProtectedHeader({ alg, kid }).sign((await pairs[kid]).privateKey);

    const prove = async (server: Server, isPublic: boolean): Promise<void> => {
      const status = async (token: string): Promise<number> =>
        (await call(server, "s", "GET", "/messages", { token })).status;
      assert.equal(await status(await sign("es", "ES256")), 200, "ES256 by kid");
      assert.equal(await status(await sign("rs", "RS256")), 200, "RS256 by kid");
      const key = "a second shared key, longer than 32";
      // A key that everybody can fetch is no secret.
      const shared = isPublic ? 401 : 200;
      assert.equal(await status(await makeToken({ kid: "hs", key })), shared, "HS256 by kid");
      assert.equal(await status(await makeToken({ kid: "hs" })), 401, "the wrong key");
      assert.equal(await status(await makeToken({ kid: "no", key })), 401, "an unknown kid");
      const { publicKey } = await pairs.rs;
      const pem = JSON.stringify(await exportJWK(publicKey));
      const confused = rawToken({ alg: "HS256", kid: "rs" }, claims(), pem);
      assert.equal(await status(confused), 401, "a public key is no shared secret");
    };

    test("P2.7 SESSILE_KEYS holds several keys, found by kid", async () => {
      await prove(await start({ SESSILE_SIGNING_KEY: undefined, SESSILE_KEYS: jwks }), false);
    });

    test("P2.7 SESSILE_JWKS_URL is where keys are fetched", async () => {
      let fetched = 0;
      const web = createServer((_, response) => {
        fetched += 1;
        response.setHeader("content-type", "application/json");
        response.end(jwks);
      });
      await new Promise<void>((done) => web.listen(0, "127.0.0.1", done));
      try {
        const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/jwks.json`;
        await prove(await start({ SESSILE_SIGNING_KEY: undefined, SESSILE_JWKS_URL: url }), true);
        assert.ok(fetched >= 1 && fetched <= 4, `fetched ${fetched} times: it is kept`);
      } finally {
        web.closeAllConnections();
        web.close();
      }
    });
  });

  test("P13.2 field names of a refusal are the same on every way in", async () => {
    const answer = await call(fixture.server, fixture.session(), "GET", "/messages", {
      token: "nonsense",
    });
    assert.deepEqual(Object.keys(field(answer, "error") as object).sort(), [
      "code",
      "message",
      "status",
    ]);
  });
});
