// P1.2, P3.1, P11: settings, retention, expiry, deletion, and a name begun again.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, connect, open } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call, field, getHistory, streamBody } from "../support/http.ts";
import { Reader } from "../support/reader.ts";
import { until, within } from "../support/wait.ts";

const fixture = useServer();

async function patch(session: string, settings: Record<string, unknown>) {
  return call(fixture.server, session, "PATCH", "", { json: { settings } });
}

async function remove(session: string): Promise<void> {
  const answer = await call(fixture.server, session, "DELETE");
  assert.ok(answer.status < 300, answer.text);
}

function isEmpty(session: string): Promise<string[]> {
  return until(
    () => fixture.server.tables(session),
    (tables) => tables.length === 0,
    "nothing of the session in storage",
  );
}

describe("settings", () => {
  test("P11.2 PATCH sets what it names and leaves the rest; the snapshot shows it", async () => {
    const session = fixture.session();
    assert.equal((await patch(session, { title: "One", minRollupMs: 20 })).status, 200);
    assert.equal((await patch(session, { minRollupMs: 40 })).status, 200);
    await fixture.server.evict(session);
    const settings = field(await call(fixture.server, session, "GET"), "settings");
    assert.deepEqual({ ...(settings as object), title: "One", minRollupMs: 40 }, settings);
  });

  test("P11.2 a setting of the wrong type or out of range is refused by its name", async () => {
    const session = fixture.session();
    const bad: Record<string, unknown>[] = [
      { retentionMs: -1 },
      { retentionMs: "day" },
      { idleExpiryMs: 1.5 },
      { minRollupMs: 501 },
      { streamIdleMs: null, title: 7 },
      { unwatchedWindowMs: {} },
      { title: ["x"] },
    ];
    for (const settings of bad) {
      const error = assertRefused(await patch(session, settings), 400, "invalid-frame");
      const names = Object.keys(settings);
      assert.ok(
        names.some((name) => error.message.includes(name)),
        error.message,
      );
    }
    for (const json of [{}, { settings: 7 }, [], { settings: [] }]) {
      const answer = await call(fixture.server, session, "PATCH", "", { json });
      assert.ok(answer.status === 400 || answer.status === 200, answer.text);
    }
    assert.deepEqual(await getHistory(fixture.server, session), []);
  });

  test("P13.1 ids of frames are kept for idRetentionMs, those of messages with them", async () => {
    const session = fixture.session();
    assert.equal((await patch(session, { idRetentionMs: 1000 })).status, 200);
    const writer = await connect(fixture.server, session);
    const serial = await writer.publish("first", { id: "m" });
    const update = () => writer.ok({ type: "update", serial, data: "second", id: "u" });
    const { version } = await update();
    const again = await update();
    assert.deepEqual([again.duplicate, again.version], [true, version]);
    await fixture.server.evict(session);
    assert.equal((await update()).duplicate, true);
    const anew = await until(update, (result) => result.duplicate !== true, "the id to be free");
    assert.notEqual(anew.version, version);
    const message = { data: "other", id: "m" };
    const { messages } = await writer.ok({ type: "publish", messages: [message] });
    assert.deepEqual([messages?.[0]?.serial, messages?.[0]?.duplicate], [serial, true]);
  });

  test("P11.2 retention: what is older goes, readers get log.trim", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session, { sub: "writer" });
    const first = await writer.publish("old");
    const away = new Reader(fixture.server, session, { sub: "away" });
    await away.attach();
    await away.cut();
    const old = await writer.publish("old too");
    const streams = await writer.publish("streams ", { status: "streaming" });
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    const trim = reader.holds((fold) => (fold.counts["log.trim"] ?? 0) > 0, "log.trim");
    // Retention goes in steps a minute apart: the first is to find all of this old.
    const published = Date.now();
    await until(Date.now, (now) => published + 1000 < now, "all of it to be old");
    assert.equal((await patch(session, { retentionMs: 1000 })).status, 200);
    await trim;
    await reader.holds((fold) => !fold.messages.has(old), "what is old to go");
    assert.equal(reader.fold.messages.has(first), false);
    await writer.ok({ type: "append", serial: streams, data: "on" });
    await reader.holdsText(streams, "streams on");
    const fresh = await writer.publish("fresh");
    await reader.holds((fold) => fold.messages.has(fresh), "the fresh message");
    reader.fold.assertSound();
    const history = await getHistory(fixture.server, session);
    assert.ok(history.every((m) => m.serial !== old && m.serial !== first));
    const gone = await call(fixture.server, session, "GET", `/messages/${old}`);
    assertRefused(gone, 404, "not-found");
    await away.attach();
    const held = [...away.fold.messages.values()].map((m) => m.data);
    assert.deepEqual(
      held,
      history.map((m) => m.data),
      "who was away ends with what is there",
    );
    away.fold.assertSound();
    const late = await attach(fixture.server, session, { query: { since: first } });
    assert.equal(late.attached.resumed, false, "P3.6 older than what is retained");
  });

  test("P11.2 idle expiry: the whole session goes after so long without a write", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session, { sub: "writer" });
    await writer.publish("short-lived");
    assert.equal((await patch(session, { idleExpiryMs: 1000 })).status, 200);
    const { code } = await within(writer.closed, "the session to expire");
    assert.equal(code, 4410);
    await isEmpty(session);
    assert.deepEqual(await getHistory(fixture.server, session), []);
  });

  test("P11.2 idle expiry also with nobody there, and after eviction", async () => {
    const session = fixture.session();
    const answer = await call(fixture.server, session, "POST", "/messages", { json: { data: 1 } });
    assert.equal(answer.status, 201);
    assert.equal((await patch(session, { idleExpiryMs: 1000 })).status, 200);
    await fixture.server.evict(session);
    await isEmpty(session);
  });
});

describe("deletion", () => {
  test("P11.2 DELETE closes connections with 4410 and leaves nothing in storage", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = await connect(fixture.server, session, { sub: "reader" });
    const sse = await openEvents(fixture.server, session, { sub: "sse" });
    await sse.next("caught-up");
    for (let i = 0; i < 20; i += 1) await agent.publish("x".repeat(5000), { id: `m${i}` });
    await agent.publish("still streaming", { status: "streaming" });
    await remove(session);
    await agent.closedWith(4410);
    await reader.closedWith(4410);
    assert.equal((await sse.next("closing")).frame.code, 4410);
    await within(sse.ended, "the end of SSE");
    await isEmpty(session);
    assert.ok((await fixture.server.databaseBytes(session)) < 50_000, "the file shrank too");
    assert.deepEqual(await getHistory(fixture.server, session), []);
    const { attached } = await attach(fixture.server, session);
    assert.deepEqual([attached.resumed, attached.hasOlder], [false, false]);
  });

  test("P11.2 deleting what never was, or twice, is no error and writes nothing", async () => {
    const session = fixture.session();
    await remove(session);
    await remove(session);
    assert.deepEqual(await fixture.server.tables(session), []);
  });

  test("P3.1 the same name begun again has a new epoch; an old position is unknown", async () => {
    const session = fixture.session();
    const epochs = new Set<string>();
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    for (let life = 0; life < 4; life += 1) {
      const writer = await connect(fixture.server, session, { sub: "writer" });
      const serial = await writer.publish(`life ${life}`, { id: "same" });
      await writer.publish("second");
      epochs.add(serial.slice(0, 4));
      await reader.attach();
      assert.equal(reader.fold.attached?.resumed, false, `life ${life}`);
      const held = [...reader.fold.messages.values()].map((m) => m.data);
      assert.deepEqual(held, [`life ${life}`, "second"], "nothing of before");
      reader.fold.assertSound();
      await reader.cut();
      await remove(session);
      await writer.closedWith(4410);
    }
    assert.equal(epochs.size, 4, "every life has an epoch of its own");
  });

  test("P11.2 what is in flight while a session is deleted is answered, never hung", async () => {
    const session = fixture.session();
    const clients = await Promise.all(
      Array.from({ length: 5 }, (_, i) => connect(fixture.server, session, { sub: `c${i}` })),
    );
    await clients[0]?.publish("there is something");
    const body = await streamBody(fixture.server, session, "/messages?stream=1", "text/plain", {
      sub: "agent",
    });
    body.write("begun ");
    const flood = clients.flatMap((client) =>
      Array.from({ length: 40 }, () =>
        client.request({ type: "publish", messages: [{ data: "x".repeat(1000) }] }).then(
          (f) => f.error?.code ?? "ack",
          () => "closed",
        ),
      ),
    );
    const requests = Array.from({ length: 10 }, () =>
      call(fixture.server, session, "POST", "/messages", { json: { data: 1 } }),
    );
    const deleted = call(fixture.server, session, "DELETE");
    const results = await within(Promise.all(flood), "every frame to be answered");
    for (const result of results) assert.match(result, /^(ack|gone|closed)$/);
    for (const answer of await Promise.all(requests)) {
      assert.ok([201, 410].includes(answer.status), `${answer.status} ${answer.text}`);
    }
    assert.ok((await deleted).status < 300);
    body.write("more");
    body.end();
    await within(
      body.answer.catch(() => undefined),
      "the body to be answered",
    );
    for (const client of clients) await client.closedWith(4410);
    await remove(session);
    await isEmpty(session);
  });

  test("P11.2 deletion by a token without admin is refused and deletes nothing", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    await writer.publish("kept");
    const caps = { "*": ["supervisor"] };
    assertRefused(await call(fixture.server, session, "DELETE", "", { caps }), 403, "forbidden");
    assert.equal((await getHistory(fixture.server, session)).length, 1);
    const still = await open(fixture.server, session);
    await still.next("caught-up");
  });
});
