// P15: an inbox of many sessions, and a reader of two inboxes at once, asleep and awake.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inbox } from "../support/classes.ts";
import { useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { AGENT, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const BOSS = { sub: "boss", caps: { "*": ["supervisor"] } };
const SESSIONS = 200;
const APPROVALS = 50;
const fixture = useServer();

interface Listed {
  sessions?: { id: string; lastActivityAt: number }[];
  approvals?: { id: string; session: string }[];
  next?: string;
}

/** Every item of a list, page by page. */
async function all(who: object, path: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor = "";
  for (;;) {
    const query = `limit=40&cursor=${encodeURIComponent(cursor)}`;
    const answer = await call(fixture.server, "", "GET", `${path}?${query}`, who);
    assert.equal(answer.status, 200, answer.text);
    const { sessions, approvals, next } = answer.body as Listed;
    for (const { id } of sessions ?? []) ids.push(id);
    for (const { session, id } of approvals ?? []) ids.push(`${session}/${id}`);
    if (next === undefined) return ids;
    cursor = next;
  }
}

test("P15.1 an inbox of many sessions and approvals is paged, and live", async () => {
  const ann = { ...USER, sub: "ann" };
  const make = async (index: number) => {
    const asks = index < APPROVALS;
    const answer = asks
      ? await call(fixture.server, `many-${index}`, "POST", "/approvals", {
          ...AGENT,
          json: { id: "a", title: "Buy?", assignees: ["ann"] },
        })
      : await call(fixture.server, `many-${index}`, "POST", "/messages", {
          ...ann,
          json: { data: "hello" },
        });
    assert.equal(answer.status, 201, answer.text);
  };
  const work = Array.from({ length: 10 }, async (_, lane) => {
    for (let index = lane; index < SESSIONS; index += 10) await make(index);
  });
  await Promise.all(work);
  const sessions = await until(
    () => all(ann, "/v1/sessions"),
    (ids) => ids.length === SESSIONS,
    "every session is there",
  );
  assert.equal(new Set(sessions).size, SESSIONS);
  const approvals = await all(ann, "/v1/approvals");
  assert.equal(new Set(approvals).size, APPROVALS);
  const reader = await inbox.open(fixture.server, "ann");
  const json = { decision: "approve" };
  await call(fixture.server, "many-7", "POST", "/approvals/a/decide", { ...ann, json });
  await reader.next((frame) => frame.type === "inbox.approval", "the decision");
  await reader.close();
});

test("P15.2 a supervisor's connection has both inboxes, which may sleep meanwhile", async () => {
  const reader = await inbox.begin(fixture.server, "boss", BOSS);
  const first = (await reader.next("inbox")) as unknown as { inbox: string; serial: string };
  assert.equal(first.inbox, "client:boss");
  assert.equal(first.serial.split(",").length, 2);
  await fixture.server.evict("client:boss", "inbox");
  await fixture.server.evict("role:supervisor", "inbox");
  const ask = (id: string, assignees: string[]) =>
    call(fixture.server, "both", "POST", "/approvals", {
      ...AGENT,
      json: { id, title: "Buy?", assignees },
    });
  const seen: string[] = [];
  for (const [id, who] of [
    ["of-role", "role:supervisor"],
    ["of-boss", "boss"],
  ] as const) {
    await ask(id, [who]);
    await reader.next((frame) => {
      const { approval } = frame as unknown as { approval?: { id: string } };
      return approval?.id === id;
    }, id);
    seen.push(id);
  }
  assert.deepEqual(seen, ["of-role", "of-boss"]);
  assert.deepEqual(await reader.ok({ type: "seen", n: 0 }), {});
  await reader.close();
});
