// The life of turns (P6.1–P6.4): over WebSocket and HTTP, through sleep and `kill -9`.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Turn } from "../support/frames.ts";
import { assertRefused, call, field, getMessage, getPage, streamBody } from "../support/http.ts";
import { tokens } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";
import {
  AGENT,
  agent,
  answer,
  drive,
  end,
  getSnapshot,
  getTurn,
  getTurns,
  post,
  start,
  USER,
  VIEWER,
} from "../support/turns.ts";
import { within } from "../support/wait.ts";

const fixture = useServer();

describe("the life of a turn", () => {
  test("P6.1, P6.10 every step is told, in order, with the whole turn", async () => {
    const session = fixture.session();
    const reader = new Reader(fixture.server, session, USER);
    await reader.attach();
    const told: [string, string | undefined][] = [];
    reader.onFrames = (frames) => {
      for (const { type, turn } of frames) {
        if (type.startsWith("turn.")) told.push([type, turn?.status]);
      }
    };
    const ann = await connect(fixture.server, session, USER);
    const input = await ann.publish("a question");
    const scribe = await agent(fixture.server, session);
    const turn = await start(scribe, { input, leaseMs: 5000, metadata: { model: "m" } });
    assert.deepEqual(
      [turn.status, turn.agent, turn.input, turn.attempt, turn.leaseMs, turn.metadata],
      ["active", "scribe", input, 1, 5000, { model: "m" }],
    );
    assert.ok(turn.leaseUntil && turn.leaseUntil >= turn.createdAt + 5000);
    await drive(scribe, "turn.suspend", turn.id, { reason: "a build" });
    await fixture.server.evict(session);
    await drive(scribe, "turn.resume", turn.id);
    const ended = await end(scribe, turn.id, "failed", { error: { code: "quota" } });
    assert.deepEqual([ended.status, ended.error], ["failed", { code: "quota" }]);
    assert.ok(ended.endedAt && ended.endedAt >= turn.createdAt);
    await reader.holdsTurn(turn.id, "failed");
    assert.deepEqual(told, [
      ["turn.start", "active"],
      ["turn.suspend", "suspended"],
      ["turn.resume", "active"],
      ["turn.end", "failed"],
    ]);
    assert.deepEqual(await getTurn(fixture.server, session, turn.id), ended);
    reader.fold.assertSound();
  });

  test("P6.2 starts are safe to repeat, by id and by input, also after sleep", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const ann = await connect(fixture.server, session, USER);
    const input = await ann.publish("a question");
    const turn = await start(scribe, { id: "t", input });
    for (const fields of [{ id: "t" }, { id: "t", input }, { input }, { id: "other", input }]) {
      const again = await start(scribe, fields);
      assert.deepEqual([again.id, again.duplicate], ["t", true]);
      await fixture.server.evict(session);
    }
    await end(scribe, turn.id);
    const late = await start(scribe, { input });
    assert.deepEqual([late.id, late.status, late.duplicate], ["t", "complete", true]);
    const poet = await agent(fixture.server, session, { sub: "poet" });
    await poet.refused({ type: "turn.start", id: "t" }, "conflict");
    const theirs = await start(poet, { input });
    assert.equal(theirs.duplicate, undefined, "another client's answer is another turn");
    const another = await start(scribe, { id: "again", input, again: true });
    assert.deepEqual([another.id, another.status], ["again", "active"]);
    await scribe.refused({ type: "turn.start", input, again: true }, "invalid-frame");
  });

  test("P6.3 the end closes what streams, in one step; later output is refused", async () => {
    const session = fixture.session();
    const reader = new Reader(fixture.server, session, { ...USER, query: { rollup: 500 } });
    await reader.attach();
    const scribe = await agent(fixture.server, session);
    const turn = await start(scribe);
    const serials = [await answer(scribe, turn.id), await answer(scribe, turn.id)];
    const other = await scribe.publish("", { status: "streaming" });
    for (const [i, serial] of serials.entries()) {
      await scribe.appendAll(serial, tokens(20, i * 100), 1);
    }
    const arrays: string[][] = [];
    reader.onFrames = (frames) => arrays.push(frames.map((frame) => frame.type));
    await end(scribe, turn.id, "complete");
    await reader.holdsTurn(turn.id, "complete");
    const last = arrays.at(-1) ?? [];
    assert.deepEqual(last.slice(-3), ["message.append", "message.append", "turn.end"]);
    for (const [i, serial] of serials.entries()) {
      assertText(reader.fold.text(serial), tokens(20, i * 100).join(""));
      assert.equal(reader.fold.messages.get(serial)?.status, "complete");
    }
    assert.equal(reader.fold.messages.get(other)?.status, "streaming", "what is not in it stays");
    const [serial = ""] = serials;
    const id = turn.id;
    for (const frame of [
      { type: "append", serial, data: "late" },
      { type: "append", serial, data: "late", attempt: 1 },
      { type: "publish", messages: [{ turn: id, data: "late" }] },
      { type: "update", serial, data: "late" },
      { type: "turn.end", turn: id, status: "failed" },
      { type: "turn.suspend", turn: id },
      { type: "turn.resume", turn: id },
      { type: "turn.heartbeat", turn: id },
      { type: "turn.adopt", turn: id },
    ]) {
      await scribe.refused(frame, "turn-closed");
    }
    const boss = { sub: "boss", caps: { "*": ["supervisor"] } };
    const supervisor = await connect(fixture.server, session, boss);
    await supervisor.ok({ type: "update", serial, data: "put right" });
    reader.fold.assertSound();
  });

  test("P5.5 one body is the answer of a turn, fenced and closed with it", async () => {
    const session = fixture.session();
    const reader = new Reader(fixture.server, session, { ...USER, query: { rollup: 0 } });
    await reader.attach();
    const started = await call(fixture.server, session, "POST", "/turns", { ...AGENT, json: {} });
    const { id, attempt } = field(started, "turn") as Turn;
    const path = `/messages?stream=1&turn=${id}&attempt=${attempt}&name=answer`;
    const body = await streamBody(fixture.server, session, path, "text/plain", AGENT);
    body.write("half");
    await reader.holds((fold) => fold.newest?.data === "half", "the first piece");
    assert.deepEqual([reader.fold.newest?.turn, reader.fold.newest?.role], [id, "assistant"]);
    const json = { attempt, status: "failed" };
    const over = await call(fixture.server, session, "POST", `/turns/${id}/end`, {
      ...AGENT,
      json,
    });
    assert.equal(over.status, 200, over.text);
    await reader.holdsTurn(id, "failed");
    body.write(" too late");
    body.end();
    const answered = await within(body.answer, "the answer to the body");
    assert.equal(answered.status, 409);
    assert.match(answered.text, /turn-closed/);
    assert.deepEqual([reader.fold.newest?.data, reader.fold.newest?.status], ["half", "failed"]);
    const unfenced = await call(fixture.server, session, "POST", "/messages?stream=1&turn=none", {
      ...AGENT,
      body: "x",
      type: "text/plain",
    });
    assertRefused(unfenced, 404, "not-found");
    reader.fold.assertSound();
  });
});

describe("refusals by name", () => {
  test("P6.2, P2.3 over WebSocket and HTTP", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const elsewhere = fixture.session();
    const there = await agent(fixture.server, elsewhere);
    const foreign = await start(there, { id: "foreign" });
    const turn = await start(scribe, { id: "mine" });
    const { id } = turn;
    const impossible: [Record<string, unknown> & { type: string }, string][] = [
      [{ type: "turn.start", leaseMs: 999 }, "invalid-frame"],
      [{ type: "turn.start", leaseMs: 600_001 }, "invalid-frame"],
      [{ type: "turn.start", leaseMs: "long" }, "invalid-frame"],
      [{ type: "turn.start", id: "x".repeat(200) }, "invalid-frame"],
      [{ type: "turn.start", metadata: "x".repeat(5000) }, "too-large"],
      [{ type: "turn.end", turn: id }, "invalid-frame"],
      [{ type: "turn.end", turn: id, status: "done" }, "invalid-frame"],
      [{ type: "turn.end", status: "complete" }, "invalid-frame"],
      [{ type: "turn.end", turn: foreign.id, status: "complete" }, "not-found"],
      [{ type: "turn.heartbeat", turn: foreign.id }, "not-found"],
      [{ type: "publish", messages: [{ turn: foreign.id, data: "x" }] }, "not-found"],
      [{ type: "cancel", turn: foreign.id }, "not-found"],
      [{ type: "steer", turn: foreign.id, data: "x" }, "not-found"],
      [{ type: "turn.steered", turn: id, serial: "zzzz00000001" }, "not-found"],
    ];
    for (const [frame, code] of impossible) {
      await scribe.refused(frame, code);
      const answered = await post(fixture.server, session, { ...frame, attempt: 1 });
      assert.equal((field(answered, "error") as { code: string } | undefined)?.code, code);
    }
    const viewer = await connect(fixture.server, session, VIEWER);
    const poet = await agent(fixture.server, session, { sub: "poet" });
    const frames: (Record<string, unknown> & { type: string })[] = [
      { type: "turn.end", turn: id, status: "complete" },
      { type: "turn.heartbeat", turn: id },
      { type: "turn.suspend", turn: id },
      { type: "turn.adopt", turn: id },
      { type: "publish", messages: [{ turn: id, data: "x" }] },
    ];
    for (const frame of frames) {
      await poet.refused(frame, "not-leader");
      await poet.refused({ ...frame, attempt: 1 }, "not-leader");
      await viewer.refused(frame, "forbidden");
    }
    for (const frame of [{ type: "turn.start" }, { type: "cancel", all: true }]) {
      await viewer.refused(frame, "forbidden");
      const answered = await post(fixture.server, session, frame, VIEWER);
      assert.equal(answered.status, 403, answered.text);
    }
    assert.deepEqual((await getTurn(fixture.server, session, id)).status, "active");
    await end(scribe, id);
  });

  test("P14 a hundred turns may be open, not one more", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const turns = await Promise.all(Array.from({ length: 100 }, () => start(scribe)));
    await scribe.refused({ type: "turn.start" }, "over-limit");
    const ids = (await getTurns(fixture.server, session)).turns.map((turn) => turn.id);
    assert.deepEqual(
      ids,
      turns.map((turn) => turn.id),
      "open ones all at once, oldest first",
    );
    await end(scribe, ids[0] ?? "");
    await start(scribe);
    await scribe.ok({ type: "cancel", all: true });
  });
});

describe("reading turns", () => {
  test("the snapshot, history and the list tell of them, page by page", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const turn = await start(scribe, { id: `t${count}` });
      await scribe.publish(`answer ${count}`, { turn: turn.id, role: "assistant" });
      if (count < 3) await end(scribe, turn.id);
      ids.push(turn.id);
    }
    await fixture.server.evict(session);
    const open = await getTurns(fixture.server, session, "?status=open");
    assert.deepEqual(
      open.turns.map((turn) => turn.id),
      ids.slice(3),
    );
    const all: string[] = [];
    let before = "";
    for (let hasMore = true; hasMore; ) {
      const page = await getTurns(fixture.server, session, `?status=all&limit=2${before}`);
      assert.ok(page.turns.length <= 2);
      all.push(...page.turns.map((turn) => turn.id));
      hasMore = page.hasMore;
      before = `&before=${page.next}`;
    }
    assert.deepEqual(all, [...ids].reverse(), "newest first, each once");
    const newest = await getPage(fixture.server, session, { limit: 1 });
    assert.deepEqual(
      newest.turns?.map((turn) => turn.id),
      ["t4"],
    );
    const snapshot = await getSnapshot(fixture.server, session);
    assert.deepEqual(snapshot.turns.map((turn) => turn.id).sort(), ids);
    const missing = await call(fixture.server, session, "GET", "/turns/none", VIEWER);
    assertRefused(missing, 404, "not-found");
    const status = await call(fixture.server, session, "GET", "/turns?status=odd", VIEWER);
    assertRefused(status, 400, "invalid-frame");
    const blind = { sub: "carl", caps: { "*": ["publish"] } };
    for (const path of ["/turns", "/turns/t0", "/presence"]) {
      assertRefused(await call(fixture.server, session, "GET", path, blind), 403, "forbidden");
    }
  });

  test("P6.5, P3.3 names do not hide turns, and a late reader has them too", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const narrow = new Reader(fixture.server, session, { ...USER, query: { names: "nothing" } });
    await narrow.attach();
    const turn = await start(scribe);
    const serial = await answer(scribe, turn.id);
    await narrow.holdsTurn(turn.id, "active");
    await narrow.cut();
    await end(scribe, turn.id);
    await narrow.attach();
    await narrow.holdsTurn(turn.id, "complete");
    assert.equal(narrow.fold.messages.size, 0);
    assert.equal((await getMessage(fixture.server, session, serial)).status, "complete");
    narrow.fold.assertSound();
  });
});
