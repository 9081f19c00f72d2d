// P3: attaching, rewinding, resuming. Cuts while a stream runs are in cuts.test.ts.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, type Client, connect, open } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { tokens } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";

// Without a speed limit for writers: what is tested here are the bounds of a replay.
const fixture = useServer({
  vars: { SESSILE_LIMITS: JSON.stringify({ textBytesPerSecond: 1e9, framesBurst: 1e6 }) },
});

function logFrames(client: Client): Frame[] {
  return client.inbox.filter((frame) => frame.type.startsWith("message."));
}

function data(frames: Frame[]): unknown[] {
  return frames.map((frame) => frame.message?.data);
}

async function fill(client: Client, count: number, name = "message"): Promise<string[]> {
  const serials: string[] = [];
  for (let first = 0; first < count; first += 100) {
    const messages = Array.from({ length: Math.min(100, count - first) }, (_, i) => ({
      data: `${name} ${first + i}`,
      name,
    }));
    const result = await client.ok({ type: "publish", messages });
    serials.push(...(result.messages ?? []).map((m) => m.serial));
  }
  return serials;
}

describe("attaching", () => {
  test("P3.4 attached says who, what, until when and within which limits", async () => {
    const session = fixture.session();
    const { client, attached, caughtUp } = await attach(fixture.server, session, { sub: "alice" });
    assert.equal(attached.protocol, 1);
    assert.equal(attached.session, session);
    assert.equal(attached.client, "alice");
    assert.equal(typeof attached.connection, "string");
    assert.ok((attached.expiresAt ?? 0) > Date.now());
    assert.equal(attached.resumed, false);
    assert.equal(attached.hasOlder, false);
    assert.equal(attached.limits?.frameBytes, 262144);
    assert.equal(attached.limits?.frameDepth, 64);
    assert.deepEqual(client.inbox, [], "an empty session replays nothing");
    assert.equal(caughtUp.serial ?? "", attached.serial ?? "");
    assert.deepEqual(await fixture.server.tables(session), [], "P1.2 attaching writes nothing");
    assert.equal(client.protocol, "sessile.v1", "P2.4 the server selects sessile.v1");
    const serial = await client.publish("first");
    const second = await attach(fixture.server, session, { sub: "bob" });
    assert.equal(second.attached.serial, serial, "the log's end as of attaching");
    assert.equal(second.caughtUp.serial, serial);
    assert.notEqual(second.attached.connection, attached.connection);
  });

  test("P3.3 rewind gives the newest N, 50 unless told; hasOlder says if more is", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    await fill(writer, 60);
    const cases: [Record<string, number>, number, boolean][] = [
      [{}, 50, true],
      [{ rewind: 0 }, 0, true],
      [{ rewind: 7 }, 7, true],
      [{ rewind: 60 }, 60, false],
      [{ rewind: 1000 }, 60, false],
    ];
    for (const [query, count, hasOlder] of cases) {
      const { client, attached } = await attach(fixture.server, session, { query });
      const frames = logFrames(client);
      const newest = Array.from({ length: count }, (_, i) => `message ${60 - count + i}`);
      assert.deepEqual(data(frames), newest, JSON.stringify(query));
      assert.ok(frames.every((frame) => frame.type === "message.create"));
      assert.equal(attached.hasOlder, hasOlder, JSON.stringify(query));
      await client.close();
    }
  });

  test("P3.3 what still streams is always there, however old", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const old = await writer.publish("streams ", { status: "streaming" });
    await fill(writer, 30);
    await writer.ok({ type: "append", serial: old, data: "on" });
    const { client } = await attach(fixture.server, session, { query: { rewind: 2 } });
    assert.deepEqual(data(logFrames(client)), ["streams on", "message 28", "message 29"]);
    const none = await attach(fixture.server, session, { query: { rewind: 0 } });
    assert.deepEqual(data(logFrames(none.client)), ["streams on"]);
  });

  test("P3.3 names restricts messages in the replay and live", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    await writer.publish("a1", { name: "a" });
    const b = await writer.publish("b1", { name: "b", status: "streaming" });
    await writer.publish("c1", { name: "c" });
    const query = { names: "a,c" };
    const { client } = await attach(fixture.server, session, { query });
    assert.deepEqual(data(logFrames(client)), ["a1", "c1"]);
    client.inbox = [];
    await writer.ok({ type: "append", serial: b, data: "b2" });
    await writer.publish("b3", { name: "b" });
    await writer.ok({ type: "delete", serial: b });
    await writer.publish("a2", { name: "a" });
    const next = await client.next((frame) => frame.type.startsWith("message."));
    assert.equal(next.message?.data, "a2", "not a frame of b before it");
    const counted = await attach(fixture.server, session, { query: { ...query, rewind: 2 } });
    assert.deepEqual(data(logFrames(counted.client)), ["c1", "a2"], "rewind counts what is shown");
  });

  test("P13.2 a query that makes no sense is refused by name", async () => {
    const session = fixture.session();
    for (const query of [{ rewind: -1 }, { rewind: 1001 }, { rewind: "x" }, { rollup: "fast" }]) {
      const client = await open(fixture.server, session, { query });
      const nack = await client.next("nack");
      assert.equal(nack.error?.code, "invalid-frame", JSON.stringify(query));
      assert.match(nack.error?.message ?? "", new RegExp(Object.keys(query)[0] ?? ""));
      await client.closedWith(4400);
    }
  });
});

describe("resuming", () => {
  test("P3.5 exactly one frame for every message changed since", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const [untouched = "", updated = "", deleted = ""] = await fill(writer, 3);
    const grown = await writer.publish("grown:", { status: "streaming" });
    const closed = await writer.publish("closed:", { status: "streaming" });
    const both = await writer.publish("both:", { status: "streaming" });
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    await reader.cut();
    for (const half of [tokens(25), tokens(25, 25)]) {
      await Promise.all([grown, closed, both].map((serial) => writer.appendAll(serial, half)));
    }
    await writer.ok({ type: "append", serial: closed, data: "", status: "complete" });
    for (const text of ["v1", "v2", "v3"]) {
      await writer.ok({ type: "update", serial: updated, data: text });
    }
    await writer.ok({ type: "update", serial: both, data: "replaced" });
    await writer.ok({ type: "append", serial: both, data: "+" });
    await writer.ok({ type: "delete", serial: deleted });
    const created = await writer.publish("new", { status: "streaming" });
    await writer.ok({ type: "append", serial: created, data: "er" });
    await writer.ok({ type: "update", serial: created, headers: { x: "y" } });

    const frames: Frame[] = [];
    reader.onFrames = (more) => frames.push(...more.filter((f) => f.type.startsWith("message.")));
    await reader.attach();
    assert.equal(reader.fold.attached?.resumed, true);
    const of = (serial: string) =>
      frames.filter((f) => (f.message?.serial ?? f.serial) === serial).map((f) => f.type);
    assert.deepEqual(of(untouched), []);
    assert.deepEqual(of(updated), ["message.update"]);
    assert.deepEqual(of(deleted), ["message.delete"]);
    assert.deepEqual(of(grown), ["message.append"], "nothing but text changed");
    assert.deepEqual(of(closed), ["message.append"], "nothing but text and status changed");
    assert.deepEqual(of(both), ["message.update"], "more than text changed");
    assert.deepEqual(of(created), ["message.create"], "newer than since: whole");
    const text = tokens(50).join("");
    assert.equal(reader.fold.text(grown), `grown:${text}`);
    assert.equal(reader.fold.text(closed), `closed:${text}`);
    assert.equal(reader.fold.messages.get(closed)?.status, "complete");
    assert.equal(reader.fold.text(both), "replaced+");
    assert.equal(reader.fold.text(created), "newer");
    const append = frames.find((f) => f.serial === grown);
    assert.deepEqual([append?.offset, append?.data], [6, text], "exactly the missing end");
    reader.fold.assertSound();
  });

  test("P3.5 nothing missed is nothing replayed", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    await fill(writer, 5);
    const reader = new Reader(fixture.server, session);
    await reader.attach();
    await reader.cut();
    await reader.attach();
    assert.deepEqual(reader.fold.sinceAttach, {});
    assert.equal(reader.fold.attached?.resumed, true);
    reader.fold.assertSound();
  });

  test("P3.5 missing 20 of 3000 appends of a live stream is one append of those 20", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    const reader = new Reader(fixture.server, session, { sub: "reader", query: { rollup: 0 } });
    await reader.attach();
    const all = tokens(3000);
    for (let first = 0; first < 2980; first += 20) {
      const frames = all.slice(first, Math.min(first + 20, 2980)).map((piece, i) => ({
        type: "append",
        serial,
        data: piece,
        seq: first + i + 1,
      }));
      const last = frames.pop();
      assert.ok(last);
      agent.send(frames);
      await agent.ok(last);
    }
    const held = all.slice(0, 2980).join("");
    await reader.holdsText(serial, held);
    await reader.cut();
    await agent.appendAll(serial, all.slice(2980, 2990), 2981);
    await agent.appendAll(serial, all.slice(2990), 2991);
    const frames: Frame[] = [];
    reader.onFrames = (more) => frames.push(...more.filter((f) => f.type.startsWith("message.")));
    await reader.attach();
    const missed = all.slice(2980).join("");
    assert.deepEqual(
      frames.map((f) => [f.type, f.serial, f.offset]),
      [["message.append", serial, held.length]],
    );
    assertText(frames[0]?.data, missed, "the missing end");
    const cost = reader.bytesSince - Buffer.byteLength(missed);
    assert.ok(cost <= 1024, `catching up cost ${cost} bytes more than what was missed`);
    await agent.ok({ type: "append", serial, data: "end", seq: 3001, status: "complete" });
    await reader.holdsText(serial, `${held}${missed}end`);
    reader.fold.assertSound();
  });

  test("P3.5 a late joiner at the 500th token gets one frame, then the rest", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    const all = tokens(520);
    for (let at = 0; at < 500; at += 20) await agent.appendAll(serial, all.slice(at, at + 20));
    const { client } = await attach(fixture.server, session, { sub: "late" });
    const replayed = logFrames(client);
    const text = all.slice(0, 500).join("");
    assert.deepEqual(
      replayed.map((f) => f.type),
      ["message.create"],
    );
    assertText(replayed[0]?.message?.data, text);
    const cost = Buffer.byteLength(JSON.stringify(replayed[0])) - Buffer.byteLength(text);
    assert.ok(cost <= 300, `the frame has ${cost} bytes beside its text`);
    await agent.appendAll(serial, all.slice(500));
    const append = await client.next("message.append");
    assert.equal(append.offset, text.length);
  });

  test("P3.6 a position that is not of this log is answered resumed: false", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const [serial = ""] = await fill(writer, 3);
    const epoch = serial.slice(0, 4);
    const other = epoch === "aaaa" ? "bbbb" : "aaaa";
    const strange = [
      `${other}00000001`,
      `${epoch}ffffff00`,
      "nonsense",
      "'; DROP TABLE message",
      "0",
    ];
    for (const since of strange) {
      const { client, attached } = await attach(fixture.server, session, { query: { since } });
      assert.equal(attached.resumed, false, since);
      assert.deepEqual(data(logFrames(client)), ["message 0", "message 1", "message 2"]);
      await client.close();
    }
  });

  test("P3.6 with more than 1000 messages missed: resumed false and what rewind says", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    await fill(writer, 1);
    const reader = new Reader(fixture.server, session);
    await reader.attach();
    const early = reader.fold.position;
    await reader.cut();
    await fill(writer, 1000, "more");
    await reader.attach();
    assert.equal(reader.fold.attached?.resumed, true, "1000 missed are replayed");
    assert.equal(reader.fold.sinceAttach["message.create"], 1000);
    reader.fold.assertSound();
    await writer.publish("one too many");
    const { client, attached } = await attach(fixture.server, session, {
      query: { since: early ?? "" },
    });
    assert.deepEqual([attached.resumed, attached.hasOlder], [false, true]);
    assert.equal(logFrames(client).length, 50);
  });

  test("P3.6 with more than 4 MiB missed: resumed false, and at most 4 MiB follow", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    await writer.publish("first");
    const reader = new Reader(fixture.server, session);
    await reader.attach();
    await reader.cut();
    const text = "x".repeat(200_000);
    for (let count = 0; count < 30; count += 1) await writer.publish(`${count} ${text}`);
    await reader.attach({ rewind: 1000 });
    assert.deepEqual(
      [reader.fold.attached?.resumed, reader.fold.attached?.hasOlder],
      [false, true],
    );
    assert.ok(reader.bytesSince <= 4 * 1024 * 1024 + 65_536, `${reader.bytesSince} bytes`);
    const held = [...reader.fold.messages.values()];
    assert.ok(held.length >= 15, `${held.length} messages`);
    assert.match(String(held.at(-1)?.data).slice(0, 3), /^29 /, "the newest are what comes");
    reader.fold.assertSound();
  });

  test("P13.6 a replay comes in arrays of some 64 KiB", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const text = "y".repeat(2000);
    for (let first = 0; first < 500; first += 100) {
      const messages = Array.from({ length: 100 }, (_, i) => ({ data: `${first + i} ${text}` }));
      await writer.ok({ type: "publish", messages });
    }
    const reader = new Reader(fixture.server, session);
    await reader.attach({ rewind: 500 });
    assert.equal(reader.fold.counts["message.create"], 500);
    assert.ok(reader.arrays >= 8 && reader.arrays <= 60, `${reader.arrays} arrays for a megabyte`);
    reader.fold.assertSound();
  });

  test("P3.7 frames about a message older than what is held may be ignored", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const old = await writer.publish("old");
    await fill(writer, 5);
    const reader = new Reader(fixture.server, session);
    await reader.attach({ rewind: 2 });
    await writer.ok({ type: "update", serial: old, data: "changed" });
    await writer.publish("last");
    await reader.holds((fold) => fold.newest?.data === "last", "the last message");
    assert.equal(reader.fold.messages.size, 3);
    reader.fold.assertSound();
  });
});
