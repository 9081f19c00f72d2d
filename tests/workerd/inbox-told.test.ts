// P15: sessions tell inboxes what concerns them, whatever dies in between.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inbox } from "../support/classes.ts";
import { type Client, connect, openAt } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call, field } from "../support/http.ts";
import { AGENT, agent, drive, start, USER } from "../support/turns.ts";
import { sleep, until } from "../support/wait.ts";

const BOSS = { sub: "boss", caps: { "*": ["supervisor"] } };
const fixture = useServer();

interface Seen {
  id: string;
  session?: string;
  status?: string;
  title?: string;
  openTurns?: number;
  pendingApprovals?: number;
  gone?: boolean;
}

interface Frame {
  type: string;
  serial: string;
  resumed?: boolean;
  session?: Seen;
  approval?: Seen;
}

async function read(who: object, path = "/v1/inbox") {
  const answer = await call(fixture.server, "", "GET", path, who);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as { sessions: Seen[]; approvals: Seen[]; next?: string; serial: string };
}

/** A session as an inbox shows it, with the approvals there. */
async function shown(who: object, session: string) {
  const { sessions, approvals } = await read(who);
  const found = sessions.find(({ id }) => id === session);
  const own = approvals.filter((approval) => approval.session === session);
  const ids = own.map(({ id }) => id).sort();
  return found && { title: found.title, turns: found.openTurns, of: found.pendingApprovals, ids };
}

/** Waits until an inbox shows this of a session. */
async function shows(who: object, session: string, wanted: object): Promise<void> {
  const text = JSON.stringify(wanted);
  let seen = "";
  try {
    await until(
      async () => {
        seen = JSON.stringify(await shown(who, session));
        return seen;
      },
      (now) => now === text,
      `the inbox shows ${text}`,
    );
  } catch (error) {
    assert.equal(seen, text, String(error));
  }
}

/** The frame about an item, among all that come. */
async function frameOf(client: Client, type: string, is: (item: Seen) => boolean): Promise<Frame> {
  const named = type.slice("inbox.".length) as "session" | "approval";
  const frame = await client.next((it) => {
    const item = (it as unknown as Frame)[named];
    return it.type === type && item !== undefined && is(item);
  }, `${type} as wanted`);
  return frame as unknown as Frame;
}

test("P15.1 a supervisor who was never connected finds an approval", async () => {
  const session = fixture.session("asked");
  const json = { id: "a1", title: "Refund?" };
  await call(fixture.server, session, "POST", "/approvals", { ...AGENT, json });
  await shows(BOSS, session, { turns: 0, of: 1, ids: ["a1"] });
  const { approvals } = await read(BOSS, "/v1/approvals?status=pending");
  assert.deepEqual(
    approvals.map((it) => [it.id, it.title, it.session, it.status]),
    [["a1", "Refund?", session, "pending"]],
  );
  await call(fixture.server, session, "POST", "/approvals/a1/decide", {
    ...BOSS,
    json: { decision: "approve" },
  });
  await shows(BOSS, session, { turns: 0, of: 0, ids: [] });
  const all = await read(BOSS, "/v1/approvals?status=all");
  assert.equal(all.approvals.find((it) => it.session === session)?.status, "approved");
});

test("P11.3 whoever writes in a session finds it, with its title and its turns", async () => {
  const session = fixture.session("listed");
  const user = await connect(fixture.server, session, USER);
  const input = await user.publish("hello");
  const leader = await agent(fixture.server, session);
  const { id: turn } = await start(leader, { input });
  await shows(USER, session, { turns: 1, of: 0, ids: [] });
  await leader.ok({ type: "approval.request", id: "a1", turn, title: "Buy?" });
  await shows(USER, session, { turns: 1, of: 1, ids: ["a1"] });
  const patched = { json: { settings: { title: "Trip" } } };
  await call(fixture.server, session, "PATCH", "", patched);
  await shows(USER, session, { title: "Trip", turns: 1, of: 1, ids: ["a1"] });
  const nobody = await read({ ...USER, caps: { "other-*": ["read"] } });
  assert.deepEqual([nobody.sessions, nobody.approvals], [[], []]);
  await drive(leader, "turn.end", turn, { status: "complete" });
  await shows(USER, session, { title: "Trip", turns: 0, of: 0, ids: [] });
  await call(fixture.server, session, "DELETE", "");
  await until(
    () => shown(USER, session),
    (it) => it === undefined,
    "it is gone",
  );
});

test("P15.2 a connected reader sees each change within a second, and resumes", async () => {
  const session = fixture.session("live");
  const ann = { ...USER, sub: "ann" };
  const reader = await inbox.open(fixture.server, "ann");
  const user = await connect(fixture.server, session, ann);
  await user.publish("hello");
  await frameOf(reader, "inbox.session", ({ id }) => id === session);
  const asked = Date.now();
  const json = { id: "a1", title: "Buy?", assignees: ["ann"] };
  await call(fixture.server, session, "POST", "/approvals", { ...AGENT, json });
  const { serial } = await frameOf(reader, "inbox.approval", ({ id }) => id === "a1");
  assert.ok(Date.now() - asked < 1000 * 3, "a second, on a machine that is busy");
  await reader.close();
  await call(fixture.server, session, "POST", "/approvals/a1/decide", {
    ...ann,
    json: { decision: "reject" },
  });
  await shows(ann, session, { turns: 0, of: 0, ids: [] });
  await fixture.server.kill9();
  await fixture.server.start();
  const back = await inbox.begin(fixture.server, "ann", { query: { since: serial } });
  const first = (await back.next("inbox")) as unknown as Frame;
  assert.equal(first.resumed, true);
  const missed = await frameOf(back, "inbox.approval", ({ id }) => id === "a1");
  assert.equal(missed.approval?.status, "rejected");
  await back.close();
});

test("P15 an exchange and a request with its decision cost few rows", async () => {
  const session = fixture.session("rows");
  const { server } = fixture;
  const user = await connect(server, session, { ...USER, sub: "payer" });
  const leader = await agent(server, session);
  const who = { ...USER, sub: "payer" };
  const rows = async () => (await diagnostics(server, session)).rowsWritten;
  const exchange = async (index: number) => {
    const input = await user.publish(`question ${index}`);
    const { id: turn } = await start(leader, { input });
    await shows(who, session, { turns: 1, of: 0, ids: [] });
    await drive(leader, "turn.end", turn, { status: "complete" });
    await shows(who, session, { turns: 0, of: 0, ids: [] });
  };
  await exchange(0);
  const before = await rows();
  await exchange(1);
  const ofExchange = (await rows()) - before;
  assert.ok(ofExchange <= 11, `an exchange costs ${ofExchange} rows`);
  const input = await user.publish("buy it");
  const { id: turn } = await start(leader, { input });
  await shows(who, session, { turns: 1, of: 0, ids: [] });
  const ask = async (id: string) => {
    const before = await rows();
    await leader.ok({ type: "approval.request", id, turn, title: "Buy?" });
    await shows(who, session, { turns: 1, of: 1, ids: [id] });
    await user.ok({ type: "approval.decide", approval: id, decision: "approve" });
    await shows(who, session, { turns: 1, of: 0, ids: [] });
    return (await rows()) - before;
  };
  await ask("a0");
  const written = await ask("a1");
  assert.ok(written <= 10, `a request and its decision cost ${written} rows`);
});

test("P15 after kill -9 in mid-update an inbox equals what the sessions say", async () => {
  const { server } = fixture;
  const sessions = Array.from({ length: 4 }, () => fixture.session("killed"));
  const ask = (session: string, index: number) =>
    call(server, session, "POST", "/approvals", {
      ...AGENT,
      json: { id: `a${index}`, title: "Buy?", assignees: ["ben", "role:supervisor"] },
    }).catch(() => undefined);
  const decide = (session: string, index: number) =>
    call(server, session, "POST", `/approvals/a${index}/decide`, {
      ...BOSS,
      json: { decision: "approve" },
    }).catch(() => undefined);
  for (let round = 0; round < 5; round += 1) {
    const work = sessions.map(async (session, at) => {
      await ask(session, round);
      await sleep(150 * at);
      if (round % 2 === at % 2) await decide(session, round);
    });
    await sleep(100 + 137 * round);
    await server.kill9();
    await Promise.allSettled(work);
    await server.start();
  }
  for (const session of sessions) {
    const said = await call(server, session, "GET", "/approvals?status=pending", BOSS);
    const pending = (field(said, "approvals") as Seen[]).map(({ id }) => id).sort();
    const wanted = { turns: 0, of: pending.length, ids: pending };
    await shows({ ...USER, sub: "ben" }, session, wanted);
    await shows(BOSS, session, wanted);
  }
});

test("P15 the address by which sessions tell is no address", async () => {
  const news = { session: "s", epoch: "aaaa", begunAt: 1, place: 1, about: null };
  for (const method of ["POST", "GET", "PUT"]) {
    const answer = await call(fixture.server, "", method, "/v1/inbox/news", {
      ...BOSS,
      headers: { "sessile-call": JSON.stringify({ grant: {}, ask: {} }) },
      ...(method !== "GET" && { json: news }),
    });
    assert.equal(answer.status, 404, answer.text);
  }
  for (const cursor of ["x", "1/2", "a/b/c"]) {
    const answer = await call(fixture.server, "", "GET", `/v1/sessions?cursor=${cursor}`, BOSS);
    assert.equal(answer.status, 400, answer.text);
  }
  const other = await call(fixture.server, "", "GET", "/v1/approvals?role=supervisor", USER);
  assert.equal(other.status, 403, other.text);
  const socket = await openAt(`${fixture.server.url}/v1/inbox/connect`, "ann", {
    sub: "ann",
    query: { since: "zzzz00000009,garbage" },
  });
  assert.equal(((await socket.next("inbox")) as unknown as Frame).resumed, false);
  await socket.close();
});
