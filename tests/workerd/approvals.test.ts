// P8: approvals in the real runtime: they wait for people over eviction and `kill -9`, with nobody
// connected, are decided once, and end by their deadlines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { AGENT, agent, drive, getSnapshot, start, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const BOSS = { sub: "boss", caps: { "*": ["supervisor"] } };
const fixture = useServer();

interface Approval {
  id: string;
  status: string;
  assignees?: string[];
  decidedBy?: string;
  deadlineAt?: number;
  createdAt: number;
  history: { at: number; what: string; who?: string }[];
}

async function read(session: string, id: string): Promise<Approval> {
  const answer = await call(fixture.server, session, "GET", `/approvals/${id}`, USER);
  return field(answer, "approval") as Approval;
}

async function decide(session: string, id: string, as: typeof USER, decision = "approve") {
  const json = { decision };
  return call(fixture.server, session, "POST", `/approvals/${id}/decide`, { ...as, json });
}

test("P8.3 a request outlives kill -9 with nobody there, and its turn goes on", async () => {
  const session = fixture.session("approval");
  const { server } = fixture;
  const leader = await agent(server, session);
  const { id: turn } = await start(leader, { id: "t1" });
  await leader.ok({ type: "approval.request", id: "a1", turn, title: "Buy?", data: { seats: 2 } });
  await server.kill9();
  await server.start();
  const { client: boss, attached } = await attach(server, session, BOSS);
  const { approvals } = attached as unknown as { approvals: Approval[] };
  assert.deepEqual(
    approvals.map(({ id, status }) => [id, status]),
    [["a1", "pending"]],
  );
  await boss.ok({ type: "approval.decide", approval: "a1", decision: "approve" });
  const next = await agent(server, session);
  const taken = await drive(next, "turn.adopt", turn);
  assert.deepEqual([taken.status, taken.attempt], ["active", 2]);
  const again = { type: "approval.request", id: "a1", turn, title: "Buy?" };
  const known = (await next.ok(again)) as unknown as { approval: Approval; duplicate: boolean };
  assert.deepEqual([known.approval.status, known.duplicate], ["approved", true]);
  await drive(next, "turn.end", turn, { status: "complete" });
});

test("P8.3 a request and its decision cost few rows", async () => {
  const session = fixture.session("rows");
  const { server } = fixture;
  const leader = await agent(server, session);
  const user = await connect(server, session, USER);
  const { id: turn } = await start(leader, { id: "t1" });
  const rows = async () => (await diagnostics(server, session)).rowsWritten;
  const ask = async (id: string) => {
    await leader.ok({ type: "approval.request", id, turn, title: "Buy?" });
    await user.ok({ type: "approval.decide", approval: id, decision: "approve" });
  };
  await ask("a0");
  const written: number[] = [];
  for (let count = 1; count <= 5; count += 1) {
    const before = await rows();
    await ask(`a${count}`);
    written.push((await rows()) - before);
  }
  // The first one has the inboxes told, whenever the machine comes to it.
  assert.ok(Math.min(...written) <= 6, `${written} rows, indexes among them`);
});

test("P8.2 of many who decide at once one wins, and the others are told which", async () => {
  const session = fixture.session("race");
  const json = { id: "a1", title: "Buy?" };
  const asked = await call(fixture.server, session, "POST", "/approvals", { ...AGENT, json });
  assert.equal(asked.status, 201);
  const people = Array.from({ length: 50 }, (_, index) => ({ ...USER, sub: `user-${index}` }));
  const answers = await Promise.all(people.map((who) => decide(session, "a1", who)));
  const won = answers.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  const winner = (await read(session, "a1")).decidedBy;
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    const error = field(answer, "error") as { code: string; approval: Approval };
    const told = [answer.status, error.code, error.approval.decidedBy];
    assert.deepEqual(told, [409, "already-decided", winner]);
  }
});

test("P8.3 a deadline and escalations come on time, evicted and alone", async () => {
  const session = fixture.session("clock");
  const json = {
    id: "a1",
    title: "Buy?",
    assignees: ["ann"],
    deadlineMs: 3000,
    onDeadline: "reject",
    escalate: [
      { afterMs: 1000, assignees: ["bob"] },
      { afterMs: 2000, assignees: ["role:supervisor"] },
    ],
  };
  await call(fixture.server, session, "POST", "/approvals", { ...AGENT, json });
  await fixture.server.kill9();
  await fixture.server.start();
  const ask = () => read(session, "a1");
  const settled = await until(ask, ({ status }) => status !== "pending", "the deadline");
  assert.equal(settled.status, "rejected");
  assert.deepEqual(
    settled.history.map(({ at, what }) => [at - settled.createdAt, what]),
    [
      [0, "request"],
      [1000, "escalate"],
      [2000, "escalate"],
      [3000, "expire"],
    ],
  );
  assert.deepEqual(settled.assignees, ["ann", "bob", "role:supervisor"]);
  assert.equal((await decide(session, "a1", USER)).status, 409);
});

test("P8.2 an answer fits the form that the agent gave, in bounded time", async () => {
  const session = fixture.session("form");
  const ask = (id: string, schema: unknown) =>
    call(fixture.server, session, "POST", "/approvals", {
      ...AGENT,
      json: { id, kind: "question", title: "How many?", schema },
    });
  const answer = (id: string, data: unknown) =>
    call(fixture.server, session, "POST", `/approvals/${id}/decide`, {
      ...USER,
      json: { decision: "answer", data },
    });
  const schema = {
    type: "object",
    required: ["seats"],
    properties: { seats: { type: "integer", maximum: 4 }, to: { pattern: "^[a-z]+$" } },
  };
  assert.equal((await ask("q1", schema)).status, 201);
  const refused = await answer("q1", { seats: 5, to: "A" });
  assert.equal(refused.status, 400);
  const { code, breaches } = field(refused, "error") as {
    code: string;
    breaches: { path: string; reason: string }[];
  };
  assert.equal(code, "invalid-answer");
  assert.deepEqual(breaches.map(({ path }) => path).sort(), ["/seats", "/to"]);
  assert.equal((await answer("q1", {})).status, 400);
  assert.equal((await read(session, "q1")).status, "pending");
  assert.equal((await answer("q1", { seats: 2 })).status, 200);
  assert.equal((await read(session, "q1")).status, "answered");
  const evil = [{ pattern: "^(a|a)*$" }, { $ref: "https://elsewhere.example/" }, { type: 7 }];
  for (const schema of evil) assertRefused(await ask("q2", schema), 400, "invalid-frame");
});

test("P8.3 each comes within two seconds of its time, evicted and alone", async () => {
  const session = fixture.session("times");
  const { server } = fixture;
  const json = {
    id: "a1",
    title: "Buy?",
    assignees: ["ann"],
    deadlineMs: 4500,
    escalate: [
      { afterMs: 1500, assignees: ["bob"] },
      { afterMs: 3000, assignees: ["cid"] },
    ],
  };
  await call(server, session, "POST", "/approvals", { ...AGENT, json });
  const { createdAt } = await read(session, "a1");
  await server.evict(session);
  // The disk is asked, not the session.
  const entries = () =>
    server.query(session, "SELECT kind, at FROM change WHERE kind BETWEEN 21 AND 23 ORDER BY at");
  const found = await until(entries, (rows) => rows.length === 3, "the deadline");
  const late = found.map(({ at }, index) => Number(at) - createdAt - 1500 * (index + 1));
  assert.ok(
    late.every((ms) => 0 <= ms && ms < 2000),
    `${late} ms after their times`,
  );
  assert.deepEqual(
    found.map(({ kind }) => kind),
    [21, 21, 23],
  );
});

test("P8.2, P8.8 refusals change nothing", async () => {
  const session = fixture.session("refused");
  const { server } = fixture;
  const ask = (json: object) => call(server, session, "POST", "/approvals", { ...AGENT, json });
  const schema = { type: "object", properties: { seats: { maximum: 4 } } };
  await ask({ id: "a1", title: "Buy?", assignees: ["ann"], schema });
  await ask({ id: "a2", title: "Buy?" });
  await decide(session, "a2", USER);
  const lead = await call(server, session, "POST", "/lead", { ...BOSS, json: {} });
  assert.equal(lead.status, 200);
  const state = async () => {
    const all = await call(server, session, "GET", "/approvals?status=all", USER);
    return [all.text, (await getSnapshot(server, session)).serial];
  };
  const before = await state();
  const viewer = { sub: "ann", caps: { "*": ["viewer"] } };
  const tooMany = { ...USER, json: { decision: "approve", data: { seats: 5 } } };
  const speaks = { ...AGENT, json: { data: "I", role: "assistant" } };
  const path = "/approvals/a1/decide";
  assertRefused(await decide(session, "a1", { ...USER, sub: "bob" }), 403, "forbidden");
  assertRefused(await decide(session, "a1", viewer), 403, "forbidden");
  assertRefused(await decide(session, "a2", USER, "reject"), 409, "already-decided");
  assertRefused(await call(server, session, "POST", path, tooMany), 400, "invalid-answer");
  assertRefused(await call(server, session, "POST", "/messages", speaks), 409, "led-by-person");
  assertRefused(
    await call(server, session, "POST", "/turns", { ...AGENT, json: {} }),
    409,
    "led-by-person",
  );
  assert.deepEqual(await state(), before);
});

test("P8.4 asked on day one, decided by somebody who was never there", async () => {
  const session = fixture.session("day-one");
  const { server } = fixture;
  const asked = await call(server, session, "POST", "/messages", { ...USER, json: { data: "go" } });
  const input = (field(asked, "messages") as { serial: string }[])[0]?.serial;
  const leader = await agent(server, session);
  const { id: turn } = await start(leader, { id: "t1", input });
  const schema = { type: "object", properties: { seats: { maximum: 4 } }, required: ["seats"] };
  const request = {
    type: "approval.request",
    id: "buy",
    turn,
    title: "Buy two?",
    data: { seats: 2 },
    schema,
    assignees: ["role:supervisor"],
  };
  await leader.ok(request);
  await server.kill9();
  await server.start();
  await server.evict(session);
  // The supervisor finds it, reads what led to it, and edits the input within the form.
  const listed = await call(server, session, "GET", "/approvals", BOSS);
  const [pending] = field(listed, "approvals") as Approval[];
  assert.equal(pending?.id, "buy");
  const json = { decision: "approve", data: { seats: 3 } };
  const decided = await call(server, session, "POST", "/approvals/buy/decide", { ...BOSS, json });
  assert.equal(decided.status, 200, decided.text);
  await server.kill9();
  await server.start();
  // Another process of the agent finds the turn when it attaches, and asks by the same id.
  const { client: next, attached } = await attach(server, session, AGENT);
  const { turns } = attached as unknown as { turns: { id: string; status: string }[] };
  assert.deepEqual(
    turns.map(({ id, status }) => [id, status]),
    [["t1", "queued"]],
  );
  const taken = await start(next, { input });
  assert.deepEqual([taken.id, taken.attempt], ["t1", 2]);
  const known = (await next.ok({ ...request, attempt: 2 })) as unknown as {
    approval: Approval & { answer: unknown };
    duplicate: boolean;
  };
  const { status, answer, decidedBy } = known.approval;
  assert.deepEqual([known.duplicate, status, answer], [true, "approved", { seats: 3 }]);
  assert.equal(decidedBy, "boss");
  await drive(next, "turn.end", turn, { status: "complete" });
});

test("P8.6 a grant outlives kill -9, settles what comes, and is revoked", async () => {
  const session = fixture.session("grant");
  const { server } = fixture;
  const ask = async (id: string) => {
    const json = { id, title: "Run?", grant: "bash" };
    const answer = await call(server, session, "POST", "/approvals", { ...AGENT, json });
    return field(answer, "approval") as Approval;
  };
  const post = (path: string, as: typeof USER, json: object) =>
    call(server, session, "POST", path, { ...as, json });
  await ask("a1");
  await post("/approvals/a1/decide", USER, { decision: "approve", scope: "session" });
  await server.kill9();
  await server.start();
  const { status, decidedBy, history } = await ask("a2");
  assert.deepEqual([status, decidedBy], ["approved", "ann"]);
  assert.deepEqual(history.at(-1), { ...history.at(-1), grant: "bash", approval: "a1" });
  const { attached } = await attach(server, session, USER);
  const { grants } = attached as unknown as { grants: { key: string; by: string }[] };
  assert.deepEqual(
    grants.map(({ key, by }) => [key, by]),
    [["bash", "ann"]],
  );
  assertRefused(await post("/grants/bash/revoke", { ...USER, sub: "bob" }, {}), 403, "forbidden");
  assert.equal((await post("/grants/bash/revoke", USER, {})).status, 200);
  await server.kill9();
  await server.start();
  assert.equal((await ask("a3")).status, "pending");
});

test("P8.7 people answer in words, in one array with all that follows", async () => {
  const session = fixture.session("words");
  const leader = await agent(fixture.server, session);
  const user = await connect(fixture.server, session, USER);
  const { id: turn } = await start(leader, { id: "t1" });
  await leader.ok({ type: "approval.request", id: "a1", turn, title: "?", onMessage: "dismiss" });
  const serial = await user.publish("make it one");
  const { status, comment } = (await read(session, "a1")) as Approval & { comment: string };
  assert.deepEqual([status, comment], ["dismissed", serial]);
  const types = await until(
    () => leader.inbox.map(({ type }) => type),
    (all) => all.includes("turn.resume"),
    "the turn goes on",
  );
  assert.deepEqual(types.slice(-3), ["message.create", "approval.decide", "turn.resume"]);
});
