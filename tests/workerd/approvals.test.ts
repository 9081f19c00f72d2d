// P8: approvals in the real runtime: they wait for people over eviction and `kill -9`, with nobody
// connected, are decided once, and end by their deadlines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { AGENT, agent, drive, start, USER } from "../support/turns.ts";
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
  const before = await rows();
  await ask("a1");
  const written = (await rows()) - before;
  assert.ok(written <= 8, `${written} rows, indexes among them`);
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
