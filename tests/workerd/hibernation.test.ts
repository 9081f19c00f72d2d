// Real eviction with sockets open: memory goes, connections stay, and nobody can tell.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call, getHistory, getMessage, streamBody } from "../support/http.ts";
import { tokens } from "../support/random.ts";
import { EventReader, Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();

async function evict(session: string): Promise<void> {
  assert.equal(await fixture.server.evict(session), true, "there was something to evict");
}

describe("eviction", () => {
  test("an idle session with connections can be evicted, and ping does not wake it", async () => {
    const session = fixture.session();
    const reader = await connect(fixture.server, session, { sub: "reader" });
    const sse = await openEvents(fixture.server, session, { sub: "sse" });
    await sse.next("caught-up");
    await evict(session);
    await reader.ping();
    await reader.ping();
    assert.equal(await fixture.server.evict(session), false, "pong came from a sleeping session");
    assert.equal(reader.isClosed, false);
    sse.cut();
  });

  test("the next frame after eviction continues as if nothing had happened", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const readers = [0, 500].map(
      (rollup) => new Reader(fixture.server, session, { sub: `r${rollup}`, query: { rollup } }),
    );
    for (const reader of readers) await reader.attach();
    const sse = new EventReader(fixture.server, session, { sub: "sse" });
    await sse.attach();
    const serial = await agent.publish("", { status: "streaming" });
    const pieces = tokens(60);
    for (const [i, data] of pieces.entries()) {
      await agent.ok({ type: "append", serial, data, seq: i + 1 });
      if (i % 10 === 9) await evict(session);
    }
    await agent.ok({ type: "append", serial, data: "", seq: 61, status: "complete" });
    for (const reader of readers) {
      await reader.holdsStatus(serial, "complete");
      assertText(reader.fold.text(serial), pieces.join(""));
      reader.fold.assertSound();
      assert.equal(reader.client?.isClosed, false);
    }
    await sse.holds((fold) => fold.messages.get(serial)?.status === "complete", "the end by SSE");
    assertText(sse.fold.text(serial), pieces.join(""));
    sse.fold.assertSound();
    await sse.cut();
  });

  test("who a connection is, and what it asked for, outlives eviction", async () => {
    const session = fixture.session();
    const token = await makeToken({ sub: "ann", caps: { "*": ["user"] } });
    const ann = await attach(fixture.server, session, { token, query: { names: "a" } });
    const writer = await connect(fixture.server, session, { sub: "writer" });
    await writer.publish("first", { name: "a" });
    await ann.client.next("message.create");
    await evict(session);
    await writer.publish("hidden", { name: "b" });
    await writer.publish("shown", { name: "a" });
    assert.equal((await ann.client.next("message.create")).message?.data, "shown");
    await evict(session);
    const serial = await ann.client.publish("mine", { name: "a" });
    const message = await getMessage(fixture.server, session, serial);
    assert.deepEqual([message.client, message.connection], ["ann", ann.attached.connection]);
    await ann.client.refused({ type: "update", serial: "aaaa00000001", data: 1 }, "not-found");
    const other = await writer.publish("theirs");
    await ann.client.refused({ type: "update", serial: other, data: "x" }, "forbidden");
  });

  test("ids, seqs and versions are known again after eviction", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { id: "m", status: "streaming" });
    await agent.ok({ type: "append", serial, data: "a", seq: 1 });
    const { version } = await agent.ok({ type: "append", serial, data: "b", seq: 2 });
    await evict(session);
    const again = await agent.ok({
      type: "publish",
      messages: [{ id: "m", data: "", status: "streaming" }],
    });
    assert.equal(again.messages?.[0]?.duplicate, true);
    await evict(session);
    assert.equal((await agent.ok({ type: "append", serial, data: "b", seq: 2 })).duplicate, true);
    await evict(session);
    const gap = await agent.refused({ type: "append", serial, data: "d", seq: 4 }, "gap");
    assert.deepEqual([gap.expectedSeq, gap.length], [3, 2]);
    await evict(session);
    await agent.ok({ type: "update", serial, headers: { a: "b" }, ifVersion: version });
    await evict(session);
    const next = await agent.publish("next");
    assert.ok(next > (version ?? ""), "serials go on increasing");
    const epochs = new Set(
      (await getHistory(fixture.server, session)).map((m) => m.serial.slice(0, 4)),
    );
    assert.equal(epochs.size, 1, "one life, one epoch");
  });

  test("a resume after eviction brings exactly what was missed", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    const pieces = tokens(200);
    await agent.appendAll(serial, pieces.slice(0, 100));
    await reader.holdsText(serial, pieces.slice(0, 100).join(""));
    await reader.cut();
    await agent.appendAll(serial, pieces.slice(100));
    await evict(session);
    await reader.attach();
    assert.deepEqual(reader.fold.sinceAttach, { "message.append": 1 });
    assertText(reader.fold.text(serial), pieces.join(""));
    reader.fold.assertSound();
  });

  test("a connection that left while the session slept is forgotten", async () => {
    const session = fixture.session();
    const stays = await connect(fixture.server, session, { sub: "stays" });
    const leaves = await connect(fixture.server, session, { sub: "leaves" });
    await stays.publish("x");
    await evict(session);
    leaves.cut();
    await until(
      async () => (await diagnostics(fixture.server, session)).connections.map((c) => c.client),
      (clients) => clients.includes("stays") && !clients.includes("leaves"),
      "the connection that was cut to be gone",
    );
  });

  test("a body in the middle of its stream survives eviction or fails whole", async () => {
    const session = fixture.session();
    const reader = new Reader(fixture.server, session, { sub: "reader", query: { rollup: 0 } });
    await reader.attach();
    const path = "/messages?stream=1";
    const body = await streamBody(fixture.server, session, path, "text/plain", { sub: "agent" });
    body.write("before ");
    await reader.holds((fold) => fold.newest?.data === "before ", "the first piece");
    await fixture.server.evict(session);
    body.write("after");
    body.end();
    const { status } = await body.answer;
    assert.ok(status < 300, `${status}`);
    await reader.holds((fold) => fold.newest?.status === "complete", "the end");
    assert.equal(reader.fold.newest?.data, "before after");
    reader.fold.assertSound();
  });

  test("objects reset all at once close their sockets, and readers resume", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    await agent.ok({ type: "append", serial, data: "before ", seq: 1 });
    await reader.holdsText(serial, "before ");
    const { client } = reader;
    await fixture.server.abortAll();
    await client?.closed;
    await agent.closed;
    const again = await connect(fixture.server, session, { sub: "agent" });
    await again.ok({ type: "append", serial, data: "after", seq: 2 });
    await reader.attach();
    assert.equal(reader.fold.attached?.resumed, true);
    await reader.holdsText(serial, "before after");
    reader.fold.assertSound();
  });
});

describe("streams that nobody ends", () => {
  const idle = async (session: string): Promise<void> => {
    const json = { settings: { streamIdleMs: 1000 } };
    const answer = await call(fixture.server, session, "PATCH", "", { json });
    assert.equal(answer.status, 200, answer.text);
  };

  test("P5.1 a stream without appends for streamIdleMs becomes failed, by alarm", async () => {
    const session = fixture.session();
    await idle(session);
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    const serial = await agent.publish("half", { status: "streaming" });
    await reader.holdsStatus(serial, "failed");
    assert.equal(reader.fold.text(serial), "half");
    await agent.refused({ type: "append", serial, data: "late" }, "closed");
    reader.fold.assertSound();
  });

  test("P5.1 also with nobody connected, and after eviction", async () => {
    const session = fixture.session();
    await idle(session);
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("half", { status: "streaming" });
    await agent.ok({ type: "append", serial, data: " more" });
    await agent.close();
    await fixture.server.evict(session);
    // From outside, so that it is the alarm that wakes the session and no request.
    const rows = await until(
      () => fixture.server.query(session, "SELECT status FROM message WHERE status = 'streaming'"),
      (found) => found.length === 0,
      "the message to be closed by an alarm",
    );
    assert.deepEqual(rows, []);
    const message = await getMessage(fixture.server, session, serial);
    assert.deepEqual([message.data, message.status], ["half more", "failed"]);
  });

  test("P5.1 appends put it off", async () => {
    const session = fixture.session();
    await idle(session);
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    const start = Date.now();
    let count = 0;
    while (Date.now() - start < 2500) {
      await agent.ok({ type: "append", serial, data: "." });
      count += 1;
      await new Promise((done) => setTimeout(done, 200));
    }
    await agent.ok({ type: "append", serial, data: "!", status: "complete" });
    const message = await getMessage(fixture.server, session, serial);
    assert.deepEqual([message.data, message.status], [`${".".repeat(count)}!`, "complete"]);
  });
});
