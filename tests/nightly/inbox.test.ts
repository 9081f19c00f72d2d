// P15 a hundred times: kill -9 of everything while sessions tell inboxes; and an inbox of many.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inbox } from "../support/classes.ts";
import { useServer } from "../support/fixture.ts";
import { call, field } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { AGENT, USER } from "../support/turns.ts";
import { sleep, until } from "../support/wait.ts";

const KILLS = Number(process.env.SESSILE_KILLS ?? 100);
const SESSIONS = 1000;
const APPROVALS = 200;
const BEN = { ...USER, sub: "ben" };
const BOSS = { sub: "boss", caps: { "*": ["supervisor"] } };
const fixture = useServer();

interface Listed {
  sessions?: { id: string }[];
  approvals?: { id: string; session: string }[];
  next?: string;
}

/** Every item of a list, page by page. */
async function all(who: object, path: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor = "";
  for (;;) {
    const query = `limit=100&cursor=${encodeURIComponent(cursor)}`;
    const answer = await call(fixture.server, "", "GET", `${path}?${query}`, who);
    assert.equal(answer.status, 200, answer.text);
    const { sessions, approvals, next } = answer.body as Listed;
    for (const { id } of sessions ?? []) ids.push(id);
    for (const { session, id } of approvals ?? []) ids.push(`${session}/${id}`);
    if (next === undefined) return ids;
    cursor = next;
  }
}

function ask(session: string, id: string, assignees: string[]) {
  const json = { id, title: "Buy?", assignees };
  return call(fixture.server, session, "POST", "/approvals", { ...AGENT, json });
}

function decide(session: string, id: string) {
  const json = { decision: "approve" };
  return call(fixture.server, session, "POST", `/approvals/${id}/decide`, { ...BOSS, json });
}

test(`P15 after ${KILLS} kills the inboxes equal what the sessions say`, async (t) => {
  const { server } = fixture;
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const sessions = Array.from({ length: 6 }, () => fixture.session("killed"));
  const names = ["ben", "role:supervisor"];
  for (let round = 0; round < KILLS; round += 1) {
    const work = sessions.map(async (session) => {
      // One that is cut off by the kill may have happened or not: the session knows.
      await ask(session, `a${round}`, names).catch(() => undefined);
      await sleep(random.below(400));
      const earlier = `a${random.below(round + 1)}`;
      await decide(session, earlier).catch(() => undefined);
    });
    await sleep(random.below(900));
    await server.kill9();
    await Promise.allSettled(work);
    await server.start();
  }
  const wanted: string[] = [];
  for (const session of sessions) {
    const said = await call(server, session, "GET", "/approvals?status=pending&limit=1000", BOSS);
    for (const { id } of field(said, "approvals") as { id: string }[]) {
      wanted.push(`${session}/${id}`);
    }
  }
  wanted.sort();
  for (const who of [BEN, BOSS]) {
    const equals = (ids: string[]) => ids.sort().join() === wanted.join();
    await until(() => all(who, "/v1/approvals"), equals, `${who.sub} sees ${wanted.length}`);
  }
  t.diagnostic(`${wanted.length} approvals wait`);
});

test(`P15.1 an inbox of ${SESSIONS} sessions is whole and live`, async (t) => {
  const ann = { ...USER, sub: "ann" };
  const make = async (index: number) => {
    const answer =
      index < APPROVALS
        ? await ask(`many-${index}`, "a", ["ann"])
        : await call(fixture.server, `many-${index}`, "POST", "/messages", {
            ...ann,
            json: { data: "hello" },
          });
    assert.equal(answer.status, 201, answer.text);
  };
  const lanes = Array.from({ length: 10 }, async (_, lane) => {
    for (let index = lane; index < SESSIONS; index += 10) await make(index);
  });
  await Promise.all(lanes);
  const isWhole = (ids: string[]) => new Set(ids).size === SESSIONS;
  await until(() => all(ann, "/v1/sessions"), isWhole, "every session is there");
  const from = performance.now();
  assert.equal(new Set(await all(ann, "/v1/approvals")).size, APPROVALS);
  t.diagnostic(
    `${APPROVALS} approvals in pages of 100: ${Math.round(performance.now() - from)} ms`,
  );
  const reader = await inbox.open(fixture.server, "ann");
  const decided = performance.now();
  const json = { decision: "approve" };
  await call(fixture.server, "many-7", "POST", "/approvals/a/decide", { ...ann, json });
  await reader.next((frame) => frame.type === "inbox.approval", "the decision");
  t.diagnostic(`the decision is shown after ${Math.round(performance.now() - decided)} ms`);
  await reader.close();
});
