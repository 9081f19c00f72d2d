// P8.8: a person speaks in the place of the agents, in the real runtime: over eviction and
// `kill -9`, until that person returns or is lost with nobody connected.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call, field } from "../support/http.ts";
import { AGENT, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const ADMIN = { sub: "admin", caps: { "*": ["admin"] } };
const SUE = { sub: "sue", caps: { "*": ["supervisor"] } };
const TOM = { sub: "tom", caps: { "*": ["supervisor"] } };
const fixture = useServer();

interface Snapshot {
  lead?: { client: string; since: number; note?: string };
  turns: { status: string; input?: string }[];
}

const snapshot = async (session: string): Promise<Snapshot> =>
  (await call(fixture.server, session, "GET", "", USER)).body as Snapshot;

const post = (session: string, path: string, as: typeof USER, json: object) =>
  call(fixture.server, session, "POST", path, { ...as, json });

test("P8.8 a hand-over outlives eviction and kill -9, and inputs wait for its end", async () => {
  const session = fixture.session("lead");
  const { server } = fixture;
  const taken = await post(session, "/lead", SUE, { note: "let me" });
  assert.equal(taken.status, 200);
  await server.kill9();
  await server.start();
  await post(session, "/messages", USER, { data: "hello?" });
  await server.evict(session);
  assert.equal((await post(session, "/turns", AGENT, {})).status, 409);
  await server.kill9();
  await server.start();
  const { attached } = await attach(server, session, AGENT);
  const { lead } = attached as unknown as Snapshot;
  assert.deepEqual([lead?.client, lead?.note], ["sue", "let me"]);
  const refused = await post(session, "/turns", AGENT, {});
  const error = field(refused, "error") as { code: string; client: string };
  assert.deepEqual([refused.status, error.code, error.client], [409, "led-by-person", "sue"]);
  const spoken = { data: "I am Sue", role: "assistant" };
  assert.equal((await post(session, "/messages", SUE, spoken)).status, 201);
  assert.equal((await post(session, "/messages", TOM, spoken)).status, 409);
  assert.equal((await post(session, "/lead/return", SUE, {})).status, 200);
  const after = await snapshot(session);
  assert.equal(after.lead, undefined);
  assert.deepEqual(
    after.turns.map(({ status }) => status),
    ["queued"],
  );
});

test("P8.8 of many who take the lead at once the last one has it", async () => {
  const session = fixture.session("lead-race");
  const people = Array.from({ length: 20 }, (_, index) => ({ ...SUE, sub: `sue-${index}` }));
  const { client: watcher } = await attach(fixture.server, session, USER);
  const answers = await Promise.all(people.map((who) => post(session, "/lead", who, {})));
  assert.ok(answers.every(({ status }) => status === 200));
  const { lead } = await snapshot(session);
  const told = await until(
    () => watcher.inbox.filter(({ type }) => type === "lead.take"),
    (frames) => frames.length === people.length,
    "everybody is told of each",
  );
  const last = told.at(-1) as unknown as { lead: { client: string } };
  assert.equal(last.lead.client, lead?.client);
});

test("P8.8 a person who is not heard has returned, evicted and alone", async () => {
  const session = fixture.session("lead-lost");
  const settings = { settings: { leadMs: 2000 } };
  await call(fixture.server, session, "PATCH", "", { ...ADMIN, json: settings });
  await post(session, "/lead", SUE, {});
  await post(session, "/messages", USER, { data: "hello?" });
  await fixture.server.kill9();
  await fixture.server.start();
  const { turns } = await until(
    () => snapshot(session),
    ({ lead }) => lead === undefined,
    "the person has returned",
  );
  assert.deepEqual(
    turns.map(({ status }) => status),
    ["queued"],
  );
});
