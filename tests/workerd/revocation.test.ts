// P11.5: revoked tokens are refused everywhere within five seconds, and what they opened is closed.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inbox } from "../support/classes.ts";
import { attach, connect } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { useServer } from "../support/fixture.ts";
import { type Answer, assertRefused, call } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";

const WITHIN_MS = 5000;

const fixture = useServer();
/** A token that was issued so many seconds ago. */
const issued = (sub: string, ago: number, caps = { "*": ["user"] }): Promise<string> =>
  makeToken({ sub, caps, claims: { iat: Date.now() / 1000 - ago } });

async function revoke(body: object): Promise<number> {
  const answer = await call(fixture.server, "", "POST", "/v1/revocations", {
    token: await makeToken({ sub: "owner", claims: { iat: Date.now() / 1000 } }),
    json: body,
  });
  assert.equal(answer.status, 200, answer.text);
  return Date.now();
}

const read = (session: string, token: string): Promise<Answer> =>
  call(fixture.server, session, "GET", "/messages", { token });

async function refused(session: string, token: string, since: number): Promise<void> {
  const status = async () => (await read(session, token)).status;
  await until(status, (it) => it === 401, "the token is refused");
  assert.ok(Date.now() - since < WITHIN_MS);
  assertRefused(await read(session, token), 401, "unauthorized");
}

describe("revocation", () => {
  test("P11.5 a reader of a sleeping session is cut, and a token issued later works", async () => {
    const session = fixture.session();
    const token = await issued("ada", 60);
    const [reader, other] = [
      await connect(fixture.server, session, { token }),
      await connect(fixture.server, session, { token: await issued("ben", 60) }),
    ];
    const events = await openEvents(fixture.server, session, { token });
    await events.next("caught-up");
    const own = await inbox.open(fixture.server, "ada", { token });
    assert.equal(await fixture.server.evict(session), true, "it sleeps with its readers");
    const at = await revoke({ client: "ada" });
    await Promise.all([reader.closedWith(4401), own.closedWith(4401), events.next("closing")]);
    assert.ok(Date.now() - at < WITHIN_MS);
    await refused(session, token, at);
    assert.equal(other.isClosed, false);
    assert.equal((await read(session, await issued("ben", 60))).status, 200);
    const fresh = await issued("ada", -0.01);
    assert.equal((await read(session, fresh)).status, 200);
    const again = await attach(fixture.server, session, { token: fresh });
    await again.client.refused({ type: "auth", token }, "unauthorized");
    await again.client.publish("still here");
    await again.client.close();
    await other.close();
  });

  test("P11.5 tokens for a session are refused there alone, or those of one client", async () => {
    const [session, elsewhere] = [fixture.session(), fixture.session()];
    const [ada, ben] = [await issued("ada2", 60), await issued("ben2", 60)];
    const readers = [
      await connect(fixture.server, session, { token: ada }),
      await connect(fixture.server, session, { token: ben }),
      await connect(fixture.server, elsewhere, { token: ada }),
    ] as const;
    for (const name of [session, elsewhere]) await fixture.server.evict(name);
    const first = await revoke({ client: "ada2", session });
    await readers[0].closedWith(4401);
    await refused(session, ada, first);
    assert.equal((await read(elsewhere, ada)).status, 200);
    assert.equal((await read(session, ben)).status, 200);
    const second = await revoke({ session });
    await readers[1].closedWith(4401);
    await refused(session, ben, second);
    assert.equal(readers[2].isClosed, false);
    await readers[2].close();
  });

  test("P11.5 a fork is refused where the token was revoked for what it would begin", async () => {
    const [session, to] = [fixture.session(), fixture.session()];
    const token = await issued("ada3", 60);
    const reader = await attach(fixture.server, session, { token });
    await reader.client.publish("one");
    await refused(to, token, await revoke({ session: to }));
    const json = { to };
    const fork = () => call(fixture.server, session, "POST", "/fork", { token, json });
    assertRefused(await fork(), 401, "unauthorized");
    assert.equal((await read(session, token)).status, 200);
    await reader.client.close();
  });

  test("P11.5 only an administrator of every session revokes, and says what", async () => {
    const ask = async (body: object, caps: Record<string, string[]> = { "*": ["admin"] }) =>
      call(fixture.server, "", "POST", "/v1/revocations", {
        token: await makeToken({ sub: "x", caps }),
        json: body,
      });
    assertRefused(await ask({ client: "a" }, { "a*": ["admin"] }), 403, "forbidden");
    assertRefused(await ask({ client: "a" }, { "*": ["supervisor"] }), 403, "forbidden");
    assertRefused(await ask({}), 400, "invalid-frame");
    assertRefused(await ask({ client: "" }), 400, "invalid-frame");
    assertRefused(await ask({ session: "a b" }), 400, "invalid-session");
    assertRefused(await ask({ client: "a", before: Date.now() + 60_000 }), 400, "invalid-frame");
    const done = await ask({ client: "cy", before: 1000 });
    assert.equal(done.status, 200, done.text);
    const list = await call(fixture.server, "", "GET", "/v1/revocations", { sub: "x" });
    const { revocations } = list.body as { revocations: { client?: string; before: number }[] };
    const cy = revocations.filter(({ client }) => client === "cy");
    assert.deepEqual(
      cy.map(({ before }) => before),
      [1000],
    );
  });
});
