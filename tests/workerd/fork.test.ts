// P11.6: a session that begins as another one was, in the real runtime: whole, however long, and
// whatever dies meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call } from "../support/http.ts";
import { type Line, linesOf, linesOfMessages, streamOf } from "../support/transfer.ts";
import { USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();
const BOTH = { sub: "bot", caps: { "*": ["read", "turn"] } };

interface Answer {
  session: string;
  state: string;
  forkedFrom: { session: string; serial: string };
}

function fork(session: string, to: string, options: object = {}, at?: string) {
  return call(fixture.server, session, "POST", "/fork", { json: { to, at }, ...options });
}

/** The messages of a session, without what names its epoch. */
async function messagesOf(session: string): Promise<string[]> {
  const { text } = await call(fixture.server, session, "GET", "/export");
  const messages = linesOf(text).filter((line: Line) => line.type === "message");
  return messages.map((line) =>
    JSON.stringify(line).replaceAll(/"[0-9a-z]{4}(0{3}\w{5}")/g, '"$1'),
  );
}

async function imported(session: string, count: number, bytes: number): Promise<void> {
  const body = streamOf(linesOfMessages(count, bytes));
  const { status, text } = await call(fixture.server, session, "PUT", "/import", { body });
  assert.equal(status, 200, text);
}

/** Asks until a fork is whole. */
async function whole(session: string, to: string): Promise<Answer> {
  const ask = async () => {
    const { status, body, text } = await fork(session, to);
    assert.equal(status, 200, text);
    return body as unknown as Answer;
  };
  return until(ask, ({ state }) => state === "whole", "the fork is whole", 120_000);
}

test("P11.6 a fork has the log up to a serial, names its source, and goes on alone", async () => {
  const session = fixture.session("fork");
  const to = fixture.session("fork-to");
  const { server } = fixture;
  const alice = await connect(server, session, { sub: "alice" });
  const serials = [];
  for (const data of ["one", "two", "three"]) serials.push(await alice.publish(data));
  const { status, body, text } = await fork(session, to, BOTH, serials[1]);
  assert.equal(status, 200, text);
  const forkedFrom = { session, serial: serials[1] };
  assert.deepEqual(body, { session: to, state: "whole", forkedFrom });
  assert.deepEqual(await messagesOf(to), (await messagesOf(session)).slice(0, 2));
  const { body: snapshot } = await call(server, to, "GET", "");
  assert.deepEqual((snapshot as { settings: object }).settings, { forkedFrom });
  const bob = await connect(server, to, { sub: "bob" });
  await bob.publish("and on");
  assert.equal((await messagesOf(session)).length, 3);
  // Nobody sets where a session comes from.
  const settings = { forkedFrom: null, title: "Other" };
  await call(server, to, "PATCH", "", { json: { settings } });
  const { body: after } = await call(server, to, "GET", "");
  const other = { title: "Other", forkedFrom };
  assert.deepEqual((after as { settings: object }).settings, other);
  // A fork of a fork names that.
  const third = fixture.session("fork-third");
  assert.equal(((await fork(to, third)).body as unknown as Answer).forkedFrom.session, to);
  assert.equal((await messagesOf(third)).length, 3);
  await alice.close();
  await bob.close();
});

test("P11.6 a fork is refused by name", async () => {
  const session = fixture.session("fork-no");
  const to = fixture.session("fork-no-to");
  const { server } = fixture;
  assertRefused(await fork(session, to), 404, "not-found");
  const alice = await connect(server, session, { sub: "alice" });
  const serial = await alice.publish("a");
  await alice.close();
  assertRefused(await fork(session, to, USER), 403, "forbidden");
  assertRefused(await fork(session, session), 400, "invalid-frame");
  assertRefused(await fork(session, "a/b"), 400, "invalid-session");
  assertRefused(await fork(session, to, {}, "soon"), 400, "invalid-frame");
  assertRefused(await fork(session, to, {}, `${serial.slice(0, 4)}000000ff`), 404, "not-found");
  await call(server, to, "POST", "/messages", { json: { data: "b" } });
  assertRefused(await fork(session, to), 409, "conflict");
});

test("P11.6 ten thousand messages are forked, and a client that waits sees them", async () => {
  const session = fixture.session("fork-long");
  const to = fixture.session("fork-long-to");
  await imported(session, 10_000, 200);
  const { body } = await fork(session, to);
  assert.equal((body as unknown as Answer).state, "forking");
  assert.equal((await whole(session, to)).session, to);
  assert.deepEqual(await messagesOf(to), await messagesOf(session));
});

test("P11.6 50 MB are forked, and kill -9 in the middle only takes time", async () => {
  const session = fixture.session("fork-big");
  const to = fixture.session("fork-big-to");
  const { server } = fixture;
  await imported(session, 500, 100_000);
  const memory = async () => {
    const { body } = await call(server, session, "GET", "/diagnostics");
    return (body as { memoryBytes: number }).memoryBytes;
  };
  const before = await memory();
  const warm = fixture.session("fork-big-warm");
  await fork(session, warm);
  await whole(session, warm);
  const grown = (await memory()) - before;
  assert.ok(grown < 4 * 1024 * 1024, `${grown} bytes for 50 MB`);
  assert.equal(((await fork(session, to)).body as unknown as Answer).state, "forking");
  await server.restart();
  await whole(session, to);
  assert.deepEqual(await messagesOf(to), await messagesOf(session));
});
