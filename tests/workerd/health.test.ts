// Health (P6.8): leases, lost agents and adoption, with processes that die for real.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Turn } from "../support/frames.ts";
import { assertRefused, call, field, getHistory, getMessage } from "../support/http.ts";
import { tokens } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";
import {
  AGENT,
  agent,
  answer,
  drive,
  end,
  getPresence,
  getTurn,
  post,
  settings,
  spawnAgent,
  start,
  USER,
  untilNoneIsOpen,
} from "../support/turns.ts";
import { sleep } from "../support/wait.ts";

const fixture = useServer();
/** The shortest lease that may be asked for. */
const LEASE_MS = 1000;

/** One that is kept: long enough for a slow machine to be heard within it. */
const KEPT_MS = 2000;

/** Does something again and again for longer than two such leases. */
async function forLong(act: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + 2.5 * KEPT_MS;
  while (performance.now() < until) {
    await act();
    await sleep(KEPT_MS / 10);
  }
}

async function watch(session: string): Promise<Reader> {
  const reader = new Reader(fixture.server, session, USER);
  await reader.attach();
  return reader;
}

describe("an agent that is killed", () => {
  for (const isEvicted of [false, true]) {
    const how = isEvicted ? ", the session evicted meanwhile" : "";
    test(`P6.8 leaves at once, its turn fails by its lease${how}`, async () => {
      const session = fixture.session();
      const reader = await watch(session);
      const process = await spawnAgent(fixture.server, session, KEPT_MS);
      await reader.holds((fold) => fold.members.size === 1, "the agent to be present");
      await process.kill9();
      if (isEvicted) await fixture.server.evict(session);
      await reader.holds((fold) => fold.members.size === 0, "the agent to leave");
      assert.equal(reader.fold.turns.get(process.turn)?.status, "active", "its lease still runs");
      assert.deepEqual(await getPresence(fixture.server, session), []);
      if (isEvicted) await fixture.server.evict(session);
      await reader.holdsTurn(process.turn, "failed");
      const turn = reader.fold.turns.get(process.turn);
      assert.equal(turn?.reason, "agent-lost");
      assert.equal(turn?.cancel, undefined, "nobody cancelled it");
      const message = reader.fold.messages.get(process.serial);
      assert.equal(message?.status, "failed");
      assert.ok(String(message?.data).startsWith("word1 word2 "), "what it said is kept");
      reader.fold.assertSound();
    });
  }

  test("P6.8 its turn is adopted before that, and ends well", async () => {
    const session = fixture.session();
    const reader = await watch(session);
    const process = await spawnAgent(fixture.server, session, 10_000);
    await reader.holdsTurn(process.turn, "active");
    await process.kill9();
    const next = await agent(fixture.server, session);
    const adopted = await drive(next, "turn.adopt", process.turn);
    assert.deepEqual([adopted.attempt, adopted.leaseMs], [2, 10_000]);
    const serial = await answer(next, process.turn, { id: "answer" });
    assert.notEqual(serial, process.serial, "the id of what was superseded is free again");
    await next.ok({ type: "append", serial, data: "whole", seq: 1 });
    await end(next, process.turn);
    await reader.holdsTurn(process.turn, "complete");
    assert.ok(reader.fold.messages.get(process.serial)?.deletedAt, "what it said is replaced");
    assertText(reader.fold.text(serial), "whole");
    reader.fold.assertSound();
    const cold = await watch(session);
    const held = [...cold.fold.messages.values()].filter((one) => one.deletedAt === undefined);
    assert.deepEqual(
      held.map((one) => one.data),
      ["whole"],
      "a cold reader sees one answer",
    );
  });
});

describe("leases", () => {
  test("P6.8 one runs out by alarm with nobody connected", async () => {
    const session = fixture.session();
    const json = { leaseMs: LEASE_MS };
    const started = await call(fixture.server, session, "POST", "/turns", { ...AGENT, json });
    const turn = field(started, "turn") as Turn;
    const message = { turn: turn.id, data: "half", status: "streaming", role: "assistant" };
    const { attempt } = turn;
    const published = await post(fixture.server, session, {
      type: "publish",
      attempt,
      messages: [message],
    });
    assert.equal(published.status, 200, published.text);
    await fixture.server.evict(session);
    await untilNoneIsOpen(fixture.server, session);
    const lost = await getTurn(fixture.server, session, turn.id);
    assert.deepEqual([lost.status, lost.reason], ["failed", "agent-lost"]);
    assert.deepEqual((lost.error as { code: string }).code, "agent-lost");
    const [left] = await getHistory(fixture.server, session);
    assert.deepEqual([left?.data, left?.status], ["half", "failed"]);
    const late = await post(fixture.server, session, {
      type: "turn.heartbeat",
      turn: turn.id,
      attempt,
    });
    assert.equal(late.status, 409, late.text);
    assert.equal((field(late, "error") as { code: string }).code, "turn-closed");
  });

  test("P6.8 what the leader does renews it: appends, heartbeats, over HTTP too", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const [appends, beats, posts] = [
      await start(scribe, { leaseMs: KEPT_MS }),
      await start(scribe, { leaseMs: KEPT_MS }),
      await start(scribe, { leaseMs: KEPT_MS }),
    ];
    const serial = await answer(scribe, appends.id);
    await forLong(async () => {
      await scribe.ok({ type: "append", serial, data: "." });
      await drive(scribe, "turn.heartbeat", beats.id);
      const beat = { type: "turn.heartbeat", turn: posts.id, attempt: 1 };
      assert.equal((await post(fixture.server, session, beat)).status, 200);
    });
    for (const turn of [appends, beats, posts]) {
      assert.equal((await getTurn(fixture.server, session, turn.id)).status, "active");
      await end(scribe, turn.id);
    }
  });

  test("P6.8, P7.2 pings in the session's sleep keep lease and presence", async () => {
    const session = fixture.session();
    await settings(fixture.server, session, { presenceTimeoutMs: KEPT_MS });
    const reader = await watch(session);
    const scribe = await agent(fixture.server, session);
    await scribe.ok({ type: "presence.set" });
    const turn = await start(scribe, { leaseMs: KEPT_MS });
    const serial = await answer(scribe, turn.id);
    await fixture.server.evict(session);
    await forLong(() => scribe.ping());
    assert.equal((await getTurn(fixture.server, session, turn.id)).status, "active");
    assert.deepEqual(
      (await getPresence(fixture.server, session)).map((member) => member.client),
      ["scribe"],
    );
    await reader.holdsTurn(turn.id, "failed");
    assert.equal(reader.fold.messages.get(serial)?.status, "failed");
    await reader.holds((fold) => fold.members.size === 0, "a socket that says nothing to leave");
    assert.equal(scribe.isClosed, false, "it is silent, not closed");
    reader.fold.assertSound();
  });

  test("P6.8 a ping elsewhere keeps nothing, nor does the open socket itself", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const other = await agent(fixture.server, session);
    const turn = await start(scribe, { leaseMs: LEASE_MS });
    let isOver = false;
    const over = scribe.next("turn.end").then((frame) => {
      isOver = true;
      return frame;
    });
    while (!isOver) {
      await other.ping();
      await sleep(LEASE_MS / 10);
    }
    const { turn: lost } = await over;
    assert.deepEqual([lost?.id, lost?.reason], [turn.id, "agent-lost"]);
  });

  test("P6.1 a suspended turn has no lease and outlives its agent", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const turn = await start(scribe, { leaseMs: LEASE_MS });
    const waits = await drive(scribe, "turn.suspend", turn.id, { reason: "a build" });
    assert.deepEqual(
      [waits.status, waits.reason, waits.leaseUntil],
      ["suspended", "a build", undefined],
    );
    await scribe.close();
    const lives = await agent(fixture.server, session);
    const lost = await start(lives, { leaseMs: LEASE_MS });
    await lives.next((frame) => frame.type === "turn.end" && frame.turn?.id === lost.id);
    assert.equal((await getTurn(fixture.server, session, turn.id)).status, "suspended");
    const { attempt } = await drive(lives, "turn.adopt", turn.id);
    assert.equal(attempt, 2);
    assert.equal((await drive(lives, "turn.resume", turn.id)).status, "active");
    await end(lives, turn.id);
  });

  test("P6.1 where agents are woken, a turn whose agent was lost waits for the next", async () => {
    const session = fixture.session();
    await settings(fixture.server, session, {
      agent: { inbox: "scribe" },
      maxAttempts: 2,
    });
    const reader = await watch(session);
    const scribe = await agent(fixture.server, session);
    const turn = await start(scribe, { leaseMs: LEASE_MS });
    const serial = await answer(scribe, turn.id);
    await reader.holdsTurn(turn.id, "queued");
    assert.equal(reader.fold.messages.get(serial)?.status, "failed");
    const next = await agent(fixture.server, session, { sub: "another" });
    const taken = await drive(next, "turn.adopt", turn.id, { leaseMs: KEPT_MS });
    assert.deepEqual([taken.agent, taken.attempt, taken.status], ["another", 2, "active"]);
    await scribe.refused({ type: "turn.heartbeat", turn: turn.id }, "not-leader");
    await reader.holdsTurn(turn.id, "failed");
    assert.equal(reader.fold.turns.get(turn.id)?.reason, "agent-lost", "two attempts are all");
    reader.fold.assertSound();
  });
});

describe("adoption", () => {
  /** Every frame that a process believed dead may still send. */
  const drives = (turn: string, serial: string) => [
    { type: "append", serial, data: "x" },
    { type: "update", serial, data: "x" },
    { type: "delete", serial },
    { type: "publish", messages: [{ turn, data: "x" }] },
    { type: "turn.heartbeat", turn },
    { type: "turn.suspend", turn },
    { type: "turn.resume", turn },
    { type: "turn.end", turn, status: "complete" },
  ];

  async function fenced(old: Client, session: string, turn: string, serial: string) {
    for (const frame of drives(turn, serial)) {
      await old.refused(frame, "not-leader");
      await old.refused({ ...frame, attempt: 1 }, "not-leader");
      for (const attempt of [{}, { attempt: 1 }, { attempt: 3 }]) {
        const answered = await post(fixture.server, session, { ...frame, ...attempt });
        assert.equal((field(answered, "error") as { code: string })?.code, "not-leader");
      }
    }
    const path = `/messages?stream=1&turn=${turn}&attempt=1`;
    const body = { ...AGENT, body: "x", type: "text/plain" };
    const streamed = await call(fixture.server, session, "POST", path, body);
    assertRefused(streamed, 409, "not-leader");
  }

  test("P6.8 the process before goes on writing: each refusal says not-leader", async () => {
    const session = fixture.session();
    const reader = await watch(session);
    const old = await agent(fixture.server, session);
    const turn = await start(old);
    const before = await answer(old, turn.id, { id: "answer" });
    await old.appendAll(before, tokens(5), 1);
    const next = await agent(fixture.server, session);
    await drive(next, "turn.adopt", turn.id);
    const serial = await answer(next, turn.id, { id: "answer" });
    await fenced(old, session, turn.id, serial);
    await fixture.server.evict(session);
    await fenced(old, session, turn.id, serial);
    await next.appendAll(serial, tokens(3), 1);
    await old.ok({ type: "append", serial, data: "!", attempt: 2 });
    await end(next, turn.id);
    await reader.holdsTurn(turn.id, "complete");
    assertText(reader.fold.text(serial), `${tokens(3).join("")}!`);
    assert.ok(reader.fold.messages.get(before)?.deletedAt);
    reader.fold.assertSound();
  });

  test("P6.8 only its own client may, and keep keeps what was said", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const turn = await start(scribe);
    const serial = await answer(scribe, turn.id);
    await scribe.ok({ type: "append", serial, data: "begun, ", seq: 1 });
    const poet = await agent(fixture.server, session, { sub: "poet" });
    await poet.refused({ type: "turn.adopt", turn: turn.id }, "not-leader");
    await poet.refused({ type: "turn.adopt", turn: "nothing" }, "not-found");
    const next = await agent(fixture.server, session);
    const kept = await drive(next, "turn.adopt", turn.id, { keep: true });
    assert.equal(kept.attempt, 2);
    await next.ok({ type: "append", serial, data: "done", seq: 2 });
    await end(next, turn.id);
    assertText((await getMessage(fixture.server, session, serial)).data, "begun, done");
    await next.refused({ type: "turn.adopt", turn: turn.id }, "turn-closed");
  });

  test("P6.8, P3.5 live, late and cold readers see the same answer, once", async () => {
    const session = fixture.session();
    const live = await watch(session);
    const late = await watch(session);
    const scribe = await agent(fixture.server, session);
    const phone = await connect(fixture.server, session, USER);
    const turn = await start(scribe);
    const half = await answer(scribe, turn.id);
    await scribe.appendAll(half, tokens(10), 1);
    const { serial: steer } = await phone.ok({ type: "steer", turn: turn.id, data: "shorter" });
    await drive(scribe, "turn.steered", turn.id, { serial: steer });
    await late.holdsText(half, tokens(10).join(""));
    await late.cut();
    await fixture.server.evict(session);
    const next = await agent(fixture.server, session);
    await drive(next, "turn.adopt", turn.id);
    const steered = await getMessage(fixture.server, session, steer ?? "");
    assert.equal(steered.headers?.steer, "waiting", "the new process is told again");
    const whole = await answer(next, turn.id);
    await next.appendAll(whole, tokens(20), 1);
    await drive(next, "turn.steered", turn.id, { serial: steer });
    await end(next, turn.id);
    await live.holdsTurn(turn.id, "complete");
    await late.attach();
    const { sinceAttach } = late.fold;
    assert.equal(sinceAttach["turn.end"], 1, "a turn comes once, as its latest frame");
    assert.equal(sinceAttach["turn.adopt"], undefined);
    const cold = await watch(session);
    const shown = ({ fold }: Reader) =>
      [...fold.messages.values()]
        .filter((message) => message.deletedAt === undefined)
        .map(({ serial, data, status, headers }) => ({ serial, data, status, headers }));
    assert.deepEqual(shown(late), shown(live));
    assert.deepEqual(shown(cold), shown(live));
    for (const reader of [live, late, cold]) {
      assertText(reader.fold.text(whole), tokens(20).join(""));
      assert.equal(reader.fold.turns.get(turn.id)?.status, "complete");
      reader.fold.assertSound();
    }
  });
});
