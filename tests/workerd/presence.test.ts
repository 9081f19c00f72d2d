// Presence (P7): who is there, over real sockets that close, fall silent and sleep.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { assertRefused } from "../support/http.ts";
import { EventReader, Reader } from "../support/reader.ts";
import { AGENT, getPresence, getSnapshot, post, settings, USER, VIEWER } from "../support/turns.ts";
import { sleep, until } from "../support/wait.ts";

const fixture = useServer();

const clients = async (session: string) =>
  (await getPresence(fixture.server, session)).map((member) => member.client).sort();

describe("members", () => {
  test("P7.1 enter, update and leave, with what the token says of each", async () => {
    const session = fixture.session();
    const reader = new Reader(fixture.server, session, VIEWER);
    await reader.attach();
    const sse = new EventReader(fixture.server, session, { sub: "sse" });
    await sse.attach();
    const ann = await attach(fixture.server, session, { ...USER, name: "Ann Bee" });
    const { member } = await ann.client.ok({ type: "presence.set", data: { at: "home" } });
    assert.ok(member && member.since > 0);
    const { connection } = ann.attached;
    assert.deepEqual(
      { ...member, since: 0 },
      { client: "ann", name: "Ann Bee", connection, role: "user", data: { at: "home" }, since: 0 },
    );
    await reader.holds((fold) => fold.members.size === 1, "who entered");
    assert.deepEqual([...reader.fold.members.values()], [member]);
    const { member: changed } = await ann.client.ok({ type: "presence.set", data: "away" });
    assert.deepEqual(changed, { ...member, data: "away" }, "since when does not change");
    const data = () => reader.fold.members.get(member.connection)?.data;
    await reader.holds(() => data() === "away", "the change");
    const { member: left } = await ann.client.ok({ type: "presence.leave" });
    assert.equal(left?.connection, member.connection);
    await reader.holds((fold) => fold.members.size === 0, "who left");
    assert.equal(ann.client.isClosed, false, "who leaves stays connected");
    await ann.client.refused({ type: "presence.leave" }, "not-found");
    await sse.holds((fold) => fold.members.size === 0, "the same by SSE");
    reader.fold.assertSound();
    sse.fold.assertSound();
    await sse.cut();
  });

  test("P7.1 people, agents and supervisors; a member is one connection", async () => {
    const session = fixture.session();
    const boss = { sub: "boss", caps: { "*": ["supervisor"] } };
    const tabs = await Promise.all(
      [USER, USER, AGENT, boss].map((who) => connect(fixture.server, session, who)),
    );
    for (const tab of tabs) await tab.ok({ type: "presence.set" });
    const members = await getPresence(fixture.server, session, VIEWER);
    assert.deepEqual(members.map(({ client, role }) => `${client} ${role}`).sort(), [
      "ann user",
      "ann user",
      "boss supervisor",
      "scribe agent",
    ]);
    assert.equal(new Set(members.map((member) => member.connection)).size, 4);
    const late = await attach(fixture.server, session, VIEWER);
    const byConnection = (a: { connection: string }, b: { connection: string }) =>
      a.connection < b.connection ? -1 : 1;
    const sorted = [...members].sort(byConnection);
    assert.deepEqual([...(late.attached.presence ?? [])].sort(byConnection), sorted);
    assert.deepEqual(
      [...(await getSnapshot(fixture.server, session)).presence].sort(byConnection),
      sorted,
    );
    await tabs[0]?.close();
    const { member } = await late.client.next("presence.leave");
    assert.equal(member?.client, "ann");
    assert.deepEqual(await clients(session), ["ann", "boss", "scribe"]);
  });

  test("P7.3 joins and leaves are in diagnostics", async () => {
    const session = fixture.session();
    const ann = await connect(fixture.server, session, USER);
    const { member } = await ann.ok({ type: "presence.set" });
    await ann.ok({ type: "presence.set", data: "changed" });
    await ann.ok({ type: "presence.leave" });
    const seen = await until(
      async () => (await diagnostics(fixture.server, session)).presence,
      (list) => list.length === 2,
      "both to be told",
    );
    assert.deepEqual(
      seen.map(({ what, client, connection }) => [what, client, connection]),
      ["enter", "leave"].map((what) => [what, "ann", member?.connection]),
    );
    assert.ok(seen.every(({ at }) => at >= (member?.since ?? 0)));
  });

  test("P7.4 the list needs read; presence needs its operation and a WebSocket", async () => {
    const session = fixture.session();
    const blind = { sub: "carl", caps: { "*": ["publish"] } };
    const refused = await post(fixture.server, session, { type: "presence.set" }, USER);
    assertRefused({ ...refused, body: refused.body }, 400, "unknown-frame");
    await assert.rejects(getPresence(fixture.server, session, blind), /forbidden/);
    const reads = await connect(fixture.server, session, { sub: "dan", caps: { "*": ["read"] } });
    await reads.refused({ type: "presence.set" }, "forbidden");
    await reads.refused({ type: "presence.leave" }, "forbidden");
    const ann = await connect(fixture.server, session, USER);
    await ann.refused({ type: "presence.set", data: "x".repeat(5000) }, "too-large");
    assert.deepEqual(await clients(session), []);
  });
});

describe("leaving", () => {
  for (const how of ["closed", "cut"] as const) {
    test(`P7.2 a connection that is ${how} leaves at once, also from sleep`, async () => {
      const session = fixture.session();
      const reader = new Reader(fixture.server, session, VIEWER);
      await reader.attach();
      for (const isEvicted of [false, true]) {
        const ann = await connect(fixture.server, session, USER);
        await ann.ok({ type: "presence.set" });
        await reader.holds((fold) => fold.members.size === 1, "who entered");
        if (isEvicted) await fixture.server.evict(session);
        if (how === "cut") ann.cut();
        else await ann.close();
        await reader.holds((fold) => fold.members.size === 0, "who left");
        assert.deepEqual(await clients(session), []);
      }
      reader.fold.assertSound();
    });
  }

  test("P7.3 presence survives the session's sleep as long as the connection does", async () => {
    const session = fixture.session();
    const ann = await connect(fixture.server, session, USER);
    const { member } = await ann.ok({ type: "presence.set", data: { at: "home" } });
    await fixture.server.evict(session);
    assert.deepEqual(await getPresence(fixture.server, session), [member]);
    await fixture.server.evict(session);
    const late = await attach(fixture.server, session, VIEWER);
    assert.deepEqual(late.attached.presence, [member]);
    await fixture.server.evict(session);
    const { member: same } = await ann.ok({ type: "presence.set", data: { at: "home" } });
    assert.equal(same?.since, member?.since);
  });

  test("P7.2 who stays connected and says nothing leaves when the session next looks", async () => {
    const session = fixture.session();
    await settings(fixture.server, session, { presenceTimeoutMs: 2000 });
    const quiet = await connect(fixture.server, session, { ...USER, sub: "quiet" });
    const pings = await connect(fixture.server, session, { ...USER, sub: "pings" });
    const talks = await connect(fixture.server, session, { ...USER, sub: "talks" });
    for (const one of [quiet, pings, talks]) await one.ok({ type: "presence.set" });
    const reader = new Reader(fixture.server, session, VIEWER);
    await reader.attach();
    await until(
      async () => {
        await pings.ping();
        await talks.ok({ type: "signal", name: "typing" });
        await sleep(100);
        return clients(session);
      },
      (present) => !present.includes("quiet"),
      "the one that says nothing to leave",
    );
    assert.deepEqual(await clients(session), ["pings", "talks"]);
    await reader.holds((fold) => fold.members.size === 2, "who left");
    assert.equal(quiet.isClosed, false);
    await quiet.ok({ type: "presence.set" });
    await reader.holds((fold) => fold.members.size === 3, "it enters again");
    reader.fold.assertSound();
  });

  test("P7.2 nothing looks in a session at rest, and a ping wakes nobody", async () => {
    const session = fixture.session();
    await settings(fixture.server, session, { presenceTimeoutMs: 1000 });
    const quiet = await connect(fixture.server, session, { ...USER, sub: "quiet" });
    const pings = await connect(fixture.server, session, { ...USER, sub: "pings" });
    for (const one of [quiet, pings]) await one.ok({ type: "presence.set" });
    await fixture.server.evict(session);
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      await pings.ping();
      await sleep(100);
    }
    assert.equal(await fixture.server.evict(session), false, "nothing woke it");
    assert.deepEqual(await clients(session), ["pings"]);
  });
});

describe("telling", () => {
  test("P7.3 many who come at once are told together, and all of them", async () => {
    const session = fixture.session();
    const reader = new Reader(fixture.server, session, VIEWER);
    await reader.attach();
    const events = await openEvents(fixture.server, session, { sub: "sse" });
    await events.next("caught-up");
    const many = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        connect(fixture.server, session, { ...USER, sub: `u${i}` }),
      ),
    );
    let arrays = 0;
    reader.onFrames = (frames) => {
      if (frames.some((frame) => frame.type.startsWith("presence."))) arrays += 1;
    };
    await Promise.all(many.map((one) => one.ok({ type: "presence.set" })));
    await reader.holds((fold) => fold.members.size === many.length, "everybody");
    assert.ok(arrays < many.length / 2, `told ${arrays} times`);
    for (const one of many) one.cut();
    await reader.holds((fold) => fold.members.size === 0, "nobody");
    reader.fold.assertSound();
    events.cut();
  });
});
