// P11.4: the log as a record, in the real runtime: what a reader saw live, by serial.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, type Client } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { assertRefused, call } from "../support/http.ts";
import { AGENT, agent, answer, start, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const SUE = { sub: "sue", caps: { "*": ["supervisor"] } };
const fixture = useServer();

interface Entry {
  serial: string;
  type: string;
  at: number;
  client?: string;
  message?: string;
  turn?: string;
  approval?: string;
  call?: string;
  bytes?: number;
  status?: string;
  seq?: number;
  version?: string;
}

interface Page {
  entries: Entry[];
  hasMore: boolean;
  next?: string;
}

/** The whole log, page by page. */
async function read(session: string, limit: number): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let after = ""; ; ) {
    const path = `/log?limit=${limit}&after=${after}`;
    const page = (await call(fixture.server, session, "GET", path)).body as Page;
    all.push(...page.entries);
    assert.ok(page.entries.length <= limit);
    if (!page.hasMore) return all;
    assert.equal(page.next, page.entries.at(-1)?.serial);
    after = page.next ?? "";
  }
}

/** The serial of what a frame tells, where that is an entry. */
function serialOf(frame: Frame): string | undefined {
  if (frame.type === "message.create") return frame.message?.serial;
  if (frame.type === "message.update") return frame.message?.version;
  if (frame.type.startsWith("message.")) return frame.version;
  return frame.serial;
}

/** The entries that a live reader was told of: each serial once, appends not at all. */
function told(frames: Frame[]): [string, string][] {
  const types = new Map<string, string>();
  for (const frame of frames) {
    const isAppend = frame.type === "message.append";
    if (frame.type === "caught-up" || (isAppend && frame.status === undefined)) continue;
    const serial = serialOf(frame);
    if (serial === undefined || types.has(serial)) continue;
    types.set(serial, isAppend ? "message.close" : frame.type);
  }
  return [...types].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Something of every kind; gives the streamed message. */
async function live(leader: Client, user: Client, sue: Client): Promise<string> {
  const input = await user.publish("where am I?", { id: "q" });
  const { id } = await start(leader, { id: "t1", input });
  const streamed = await answer(leader, id);
  for (let seq = 1; seq <= 40; seq += 1) {
    await leader.ok({ type: "append", serial: streamed, data: `word ${seq} `.repeat(30), seq });
    if (seq % 10 === 0) {
      await user.ok({ type: "state", ops: [{ op: "set", path: ["n"], value: seq }] });
      await user.ok({ type: "signal", name: "typing" });
    }
  }
  await leader.ok({ type: "append", serial: streamed, data: "", seq: 41, status: "complete" });
  await leader.ok({ type: "turn.usage", turn: id, usage: { tokens: 7 } });
  await leader.ok({ type: "tool.call", id: "c1", turn: id, name: "where", to: ["ann"] });
  await user.ok({ type: "tool.claim", call: "c1" });
  await user.ok({ type: "tool.result", call: "c1", output: { lat: 60 } });
  const approval = { type: "approval.request", turn: id, title: "Buy?" };
  await leader.ok({ ...approval, id: "a1", grant: "buy" });
  await user.ok({ type: "approval.decide", approval: "a1", decision: "approve", scope: "session" });
  await user.ok({ type: "grant.revoke", key: "buy" });
  await leader.ok({ ...approval, id: "a2" });
  await leader.ok({ type: "approval.withdraw", approval: "a2" });
  await user.ok({ type: "annotate", serial: input, kind: "like:distinct", name: "up" });
  await user.ok({ type: "steer", turn: id, data: "hurry" });
  await user.ok({ type: "update", serial: input, data: "where are we?" });
  await leader.ok({ type: "turn.suspend", turn: id });
  await user.ok({ type: "cancel", turn: id });
  await sue.ok({ type: "lead.take" });
  await sue.ok({ type: "lead.return" });
  await user.ok({ type: "delete", serial: input });
  return streamed;
}

test("P11.4 the log page by page is what a live reader saw, by serial", async () => {
  const session = fixture.session("log");
  const { server } = fixture;
  const { client: reader } = await attach(server, session, USER);
  const frames: Frame[] = [];
  reader.onFrames = (more) => frames.push(...more);
  const leader = await agent(server, session);
  const { client: user } = await attach(server, session, USER);
  const { client: sue } = await attach(server, session, SUE);
  const streamed = await live(leader, user, sue);
  await until(
    () => frames,
    (all) => all.some(({ type }) => type === "message.delete"),
    "the reader is told of the last change",
  );
  const log = await read(session, 1000);
  assert.deepEqual(
    log.map(({ serial, type }) => [serial, type]),
    told(frames),
  );
  assert.deepEqual(await read(session, 3), log);
  const whole = log.find(({ serial }) => serial === streamed);
  const text = Array.from({ length: 40 }, (_, index) => `word ${index + 1} `.repeat(30)).join("");
  assert.deepEqual(
    [whole?.client, whole?.turn, whole?.seq, whole?.status, whole?.bytes],
    ["scribe", "t1", 41, "complete", text.length],
  );
  const close = log.find(({ type }) => type === "message.close");
  assert.deepEqual([close?.serial, close?.message], [whole?.version, streamed]);
  const by = (type: string) => log.find((entry) => entry.type === type)?.client;
  assert.deepEqual(["turn.start", "approval.decide", "lead.take", "tool.result"].map(by), [
    "scribe",
    "ann",
    "sue",
    "ann",
  ]);
  for (const client of [reader, leader, user, sue]) await client.close();
  await server.evict(session);
  assert.deepEqual(await read(session, 7), log, "it is the same once the session has slept");
});

test("P11.4 the log is for administrators, and begins where it is asked to", async () => {
  const session = fixture.session("log");
  const { server } = fixture;
  const none = await call(server, session, "GET", "/log");
  assert.deepEqual(none.body, { entries: [], hasMore: false });
  for (const who of [USER, AGENT, SUE]) {
    assertRefused(await call(server, session, "GET", "/log", who), 403, "forbidden");
  }
  for (const query of ["limit=0", "limit=1001", "limit=x", "before=a"]) {
    const answer = await call(server, session, "GET", `/log?${query}`);
    assertRefused(answer, 400, "invalid-frame");
  }
  assertRefused(await call(server, session, "GET", "/log?after=abcd00000001"), 404, "not-found");
});
