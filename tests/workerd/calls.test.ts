// P8.9: tools that a device runs, in the real runtime: one device of many claims a call, and its
// claim outlives eviction, is kept by pings alone, and ends with its connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, type Client, type ConnectOptions } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { agent, drive, end, start, USER } from "../support/turns.ts";
import { sleep, until } from "../support/wait.ts";

const fixture = useServer();

interface ToolCall {
  id: string;
  status: string;
  claim?: { client: string; connection?: string; leaseUntil?: number };
  output?: unknown;
  serial: string;
}

const called = (answer: unknown): ToolCall => (answer as { call: ToolCall }).call;

async function read(session: string, id: string): Promise<ToolCall> {
  return field(
    await call(fixture.server, session, "GET", `/calls/${id}`, USER),
    "call",
  ) as ToolCall;
}

/** A device of a client, and the id of its connection. */
async function device(session: string, options: ConnectOptions = USER) {
  const { client, attached } = await attach(fixture.server, session, options);
  return { client, connection: attached.connection as string };
}

/** A turn whose leader has called a tool. */
async function callTool(session: string, fields: Record<string, unknown> = {}): Promise<Client> {
  const leader = await agent(fixture.server, session);
  await start(leader, { id: "t1", leaseMs: 600_000 });
  await leader.ok({ type: "tool.call", id: "c1", turn: "t1", name: "location", ...fields });
  return leader;
}

/** The answers to the claims of many devices: whether one has the call, or the code. */
async function race(devices: Client[]): Promise<string[]> {
  const frame = { type: "tool.claim", call: "c1" };
  const answers = await Promise.all(devices.map((client) => client.request(frame)));
  return answers.map((answer) => (answer.type === "ack" ? "claims" : String(answer.error?.code)));
}

test("P8.9 of fifty devices one claims a call, and one result settles it", async () => {
  const session = fixture.session("race");
  const leader = await callTool(session, { suspend: true });
  const devices = await Promise.all(
    Array.from({ length: 50 }, (_, index) => device(session, { ...USER, sub: `device-${index}` })),
  );
  const told = await race(devices.map(({ client }) => client));
  assert.equal(told.filter((it) => it === "claims").length, 1);
  assert.equal(told.filter((it) => it === "claimed").length, 49);
  const winner = devices[told.indexOf("claims")] as (typeof devices)[number];
  const held = await read(session, "c1");
  assert.deepEqual([held.status, held.claim?.connection], ["pending", winner.connection]);
  const results = await Promise.all(
    devices.map(({ client }, index) =>
      client.request({ type: "tool.result", call: "c1", output: index }),
    ),
  );
  const taken = results.filter(({ type }) => type === "ack");
  assert.equal(taken.length, 1);
  for (const { error } of results) {
    if (error) assert.ok(["claimed", "already-settled"].includes(error.code), error.code);
  }
  const frame = await leader.next("tool.result");
  assert.equal(called(frame).output, told.indexOf("claims"));
  await leader.next("turn.resume");
  await end(leader, "t1");
  for (const { client } of devices) await client.close();
});

test("P8.9 of two tabs of one person one runs the tool, and the other takes over", async () => {
  const session = fixture.session("tabs");
  const leader = await callTool(session);
  const [one, two] = [await device(session), await device(session)];
  await one.client.ok({ type: "tool.claim", call: "c1" });
  const refused = await two.client.refused({ type: "tool.claim", call: "c1" }, "claimed");
  assert.equal((refused as { connection?: string }).connection, one.connection);
  await two.client.refused({ type: "tool.result", call: "c1", output: 2 }, "claimed");
  await one.client.close();
  await two.client.next("tool.call");
  await two.client.ok({ type: "tool.claim", call: "c1" });
  await two.client.ok({ type: "tool.result", call: "c1", output: 2 });
  assert.equal((await read(session, "c1")).output, 2);
  await end(leader, "t1");
});

test("P8.9 a claim outlives the eviction of the session", async () => {
  const session = fixture.session("evicted");
  const leader = await callTool(session);
  const { client, connection } = await device(session);
  const other = await device(session, { ...USER, sub: "bob" });
  await client.ok({ type: "tool.claim", call: "c1" });
  assert.equal(await fixture.server.evict(session), true);
  await other.client.refused({ type: "tool.claim", call: "c1" }, "claimed");
  assert.equal(await fixture.server.evict(session), true);
  const settled = called(await client.ok({ type: "tool.result", call: "c1", output: 1 }));
  assert.deepEqual([settled.status, settled.claim?.connection], ["complete", connection]);
  await end(leader, "t1");
});

test("P8.9 after kill -9 a call is open, and its device brings the result", async () => {
  const session = fixture.session("killed");
  await callTool(session, { suspend: true });
  const before = await device(session);
  await before.client.ok({ type: "tool.claim", call: "c1" });
  await fixture.server.kill9();
  await fixture.server.start();
  const { client, connection } = await device(session);
  const open = await read(session, "c1");
  assert.deepEqual([open.status, open.claim], ["pending", undefined]);
  assert.notEqual(connection, before.connection);
  const frame = { type: "tool.result", id: "r1", call: "c1", output: "here" };
  await client.ok(frame);
  const again = (await client.ok(frame)) as { duplicate?: boolean };
  assert.equal(again.duplicate, true);
  const next = await agent(fixture.server, session);
  const turn = await drive(next, "turn.adopt", "t1");
  assert.equal(turn.status, "active");
  const known = await next.ok({ type: "tool.call", id: "c1", turn: "t1", name: "location" });
  assert.deepEqual([called(known).status, called(known).output], ["complete", "here"]);
  await end(next, "t1");
});

test("P8.9 pings keep a claim while the session sleeps, and silence ends it", async () => {
  const session = fixture.session("pings");
  const leader = await callTool(session);
  const { client } = await device(session);
  const other = await device(session, { ...USER, sub: "bob" });
  await client.ok({ type: "tool.claim", call: "c1", leaseMs: 2000 });
  await fixture.server.evict(session);
  // Three leases long the device only pings.
  for (let count = 0; count < 12; count += 1) {
    await client.ping();
    await sleep(500);
  }
  await other.client.refused({ type: "tool.claim", call: "c1" }, "claimed");
  await fixture.server.evict(session);
  // Nobody wakes the session but its alarm.
  const released = await other.client.next("tool.call");
  assert.equal(called(released).claim, undefined);
  await other.client.ok({ type: "tool.claim", call: "c1" });
  await client.refused({ type: "tool.result", call: "c1", output: 1 }, "claimed");
  await other.client.ok({ type: "tool.result", call: "c1", output: 2 });
  await end(leader, "t1");
});

test("P8.9 a call expires at its deadline, with nobody connected", async () => {
  const session = fixture.session("expired");
  const leader = await callTool(session, { deadlineMs: 2000, suspend: true });
  await leader.close();
  await fixture.server.evict(session);
  const sql = "SELECT body FROM call WHERE pending IS NULL";
  const [row] = await until(
    () => fixture.server.query(session, sql),
    (rows) => rows.length === 1,
    "the alarm to expire the call",
  );
  assert.equal(JSON.parse(String(row?.body)).status, "expired");
});

test("P8.9 a device without a socket answers by HTTP", async () => {
  const session = fixture.session("http");
  const leader = await callTool(session, { to: [USER.sub] });
  const post = (path: string, json: object, as = USER) =>
    call(fixture.server, session, "POST", `/calls/c1/${path}`, { ...as, json });
  assertRefused(await post("claim", {}, { ...USER, sub: "bob" }), 403, "forbidden");
  assertRefused(await post("result", { output: 1 }), 409, "conflict");
  assert.equal((await post("claim", { id: "k1" })).status, 200);
  assertRefused(await post("claim", { id: "k2" }), 409, "claimed");
  assertRefused(await post("result", { output: 1 }), 409, "claimed");
  assert.equal((await post("result", { output: 1, claim: "k1" })).status, 200);
  assertRefused(await post("claim", { id: "k1" }), 409, "already-settled");
  const list = await call(fixture.server, session, "GET", "/calls?status=all", USER);
  assert.deepEqual(
    (list.body as { calls: ToolCall[] }).calls.map(({ id }) => id),
    ["c1"],
  );
  const made = { id: "c2", turn: "t1", attempt: 1, name: "location" };
  const agents = { sub: "scribe", caps: { "*": ["agent"] } };
  const posted = await call(fixture.server, session, "POST", "/calls", { ...agents, json: made });
  assert.equal(posted.status, 201);
  await end(leader, "t1");
});

test("P8.9 a call, its claim and its result cost few rows, and pings none", async () => {
  const session = fixture.session("rows");
  const leader = await callTool(session);
  const { client } = await device(session);
  const rows = async () => (await diagnostics(fixture.server, session)).rowsWritten;
  const before = await rows();
  await leader.ok({ type: "tool.call", id: "c2", turn: "t1", name: "location" });
  await client.ok({ type: "tool.claim", call: "c2" });
  await client.ok({ type: "tool.result", call: "c2", output: 1 });
  const written = (await rows()) - before;
  assert.ok(written <= 10, `${written} rows, indexes among them`);
  await client.ok({ type: "tool.claim", call: "c1", leaseMs: 1000 });
  const claimed = await rows();
  for (let count = 0; count < 8; count += 1) {
    await client.ping();
    await client.ok({ type: "signal", name: "alive" });
    await sleep(200);
  }
  assert.equal(await rows(), claimed);
  assert.equal((await read(session, "c1")).status, "pending");
  await end(leader, "t1");
});
