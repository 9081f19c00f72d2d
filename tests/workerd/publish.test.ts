// P4, P12, P13: the log's own operations, as frames and over HTTP.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { getHistory, getMessage } from "../support/http.ts";

const fixture = useServer();
const SERIAL = /^[a-z0-9]{4}[0-9a-f]{8}$/;

function creates(frames: Frame[]): unknown[] {
  return frames.flatMap((f) => (f.type === "message.create" ? [f.message?.data] : []));
}

describe("publish", () => {
  test("P4.1 a message has serial, version, name, client, connection, role and times", async () => {
    const session = fixture.session();
    const before = Date.now();
    const alice = await connect(fixture.server, session, { sub: "alice" });
    const bob = await connect(fixture.server, session, { sub: "bob" });
    const serial = await alice.publish({ deep: [1, "two", null] }, { headers: { a: "b" } });
    const { message } = await bob.next("message.create");
    assert.ok(message);
    assert.match(serial, SERIAL);
    assert.equal(message.serial, serial);
    assert.equal(message.version, serial, "a new message's version equals its serial");
    assert.equal(message.name, "message", "the default name");
    assert.equal(message.role, "user", "the default role");
    assert.equal(message.client, "alice");
    assert.equal(typeof message.connection, "string");
    assert.deepEqual(message.data, { deep: [1, "two", null] });
    assert.deepEqual(message.headers, { a: "b" });
    assert.ok(message.createdAt >= before - 1000 && message.createdAt <= Date.now() + 1000);
    for (const absent of ["id", "turn", "parent", "deletedAt", "annotations"]) {
      assert.ok(!(absent in message), `${absent} is left out where there is none`);
    }
    assert.deepEqual(await getMessage(fixture.server, session, serial), message);
  });

  test("P3.7 the sender gets its own message too, before the ack", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const order: string[] = [];
    alice.onFrames = (frames) => order.push(...frames.map((frame) => frame.type));
    await alice.publish("hello");
    assert.deepEqual(order, ["message.create", "ack"]);
  });

  test("P4.2 a publish of several is all or none, in order", async () => {
    const session = fixture.session();
    const alice = await connect(fixture.server, session);
    const result = await alice.ok({
      type: "publish",
      messages: [{ data: "one" }, { data: "two" }, { data: "three" }],
    });
    const serials = result.messages?.map((m) => m.serial) ?? [];
    assert.equal(serials.length, 3);
    assert.deepEqual([...serials].sort(), serials, "serials increase");
    await alice.refused(
      { type: "publish", messages: [{ data: "four" }, { data: "five", headers: { a: 1 } }] },
      "invalid-frame",
    );
    await alice.refused({ type: "publish", messages: [] }, "invalid-frame");
    const history = await getHistory(fixture.server, session);
    assert.deepEqual(
      history.map((m) => m.data),
      ["one", "two", "three"],
    );
  });

  test("P4.1 parent must exist", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const parent = await alice.publish("root");
    const child = await alice.publish("leaf", { parent });
    assert.equal((await getMessage(fixture.server, alice.session, child)).parent, parent);
    const unknown = `${parent.slice(0, 4)}ffffffff`;
    await alice.refused({ type: "publish", messages: [{ data: 1, parent: unknown }] }, "not-found");
  });

  test("P4.1 the roles assistant, system and tool need turn or edit", async () => {
    const session = fixture.session();
    const user = await connect(fixture.server, session, { sub: "u", caps: { "*": ["user"] } });
    const agent = await connect(fixture.server, session, { sub: "a", caps: { "*": ["agent"] } });
    for (const role of ["assistant", "system", "tool"]) {
      const error = await user.refused(
        { type: "publish", messages: [{ data: "x", role }] },
        "forbidden",
      );
      assert.match(error.message, /turn|edit/, "the refusal names the missing operation");
      await agent.publish("x", { role });
    }
    await user.refused(
      { type: "publish", messages: [{ data: "x", role: "god" }] },
      "invalid-frame",
    );
  });

  test("P13.1 the same id by the same client is published once, over frames and HTTP", async () => {
    const session = fixture.session();
    const alice = await connect(fixture.server, session);
    const frame = { type: "publish", messages: [{ id: "m1", data: "once" }] };
    const first = await alice.ok(frame);
    assert.equal(first.messages?.[0]?.duplicate, undefined);
    assert.equal(first.messages?.[0]?.id, "m1");
    const again = await alice.ok(frame);
    assert.equal(again.messages?.[0]?.duplicate, true);
    assert.equal(again.messages?.[0]?.serial, first.messages?.[0]?.serial);
    const bob = await connect(fixture.server, session, { sub: "bob" });
    const other = await bob.ok(frame);
    assert.equal(other.messages?.[0]?.duplicate, undefined, "another client's id is another id");
    const mixed = await alice.ok({
      type: "publish",
      messages: [
        { id: "m1", data: "once" },
        { id: "m2", data: "new" },
      ],
    });
    assert.deepEqual(
      mixed.messages?.map((m) => m.duplicate ?? false),
      [true, false],
    );
    assert.equal((await getHistory(fixture.server, session)).length, 3);
  });

  test("P13.1 an id sent twice inside one publish is one message", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const result = await alice.ok({
      type: "publish",
      messages: [
        { id: "same", data: 1 },
        { id: "same", data: 1 },
      ],
    });
    assert.equal(result.messages?.[0]?.serial, result.messages?.[1]?.serial);
    assert.equal(result.messages?.[1]?.duplicate, true);
  });

  test("P13.1 a repeat gives the version as it now stands", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const serial = await alice.publish("a", { id: "x" });
    const updated = await alice.ok({ type: "update", serial, data: "b" });
    const again = await alice.ok({ type: "publish", messages: [{ id: "x", data: "a" }] });
    assert.equal(again.messages?.[0]?.version, updated.version);
  });

  test("P13.1, P13.6 an array is processed in order, and answered in order", async () => {
    const alice = await connect(fixture.server, fixture.session());
    alice.send([
      { type: "publish", ref: "first", messages: [{ data: 1 }] },
      { type: "nonsense", ref: 2 },
      { type: "publish", messages: [{ data: 2 }] },
      { type: "nonsense" },
      { type: "publish", ref: "last", messages: [{ data: 3 }] },
    ]);
    const answers: Frame[] = [];
    while (answers.length < 4) {
      answers.push(await alice.next((f) => f.type === "ack" || f.type === "nack"));
    }
    assert.deepEqual(
      answers.map((f) => f.ref),
      ["first", 2, null, "last"],
    );
    assert.equal(answers[1]?.error?.code, "unknown-frame");
    assert.equal(answers[2]?.error?.code, "unknown-frame");
    assert.deepEqual(creates(alice.inbox), [1, 2, 3]);
  });
});

describe("update and delete", () => {
  test("P4.3 update replaces the given fields and gives a new version", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const serial = await alice.publish("old", { headers: { keep: "me" }, name: "note" });
    const { version } = await alice.ok({ type: "update", serial, data: "new" });
    assert.ok(version !== undefined && version > serial);
    const frame = await alice.next("message.update");
    assert.deepEqual(
      { data: frame.message?.data, headers: frame.message?.headers, name: frame.message?.name },
      { data: "new", headers: { keep: "me" }, name: "note" },
    );
    assert.equal(frame.message?.version, version);
    assert.equal(frame.message?.serial, serial, "its place in the log stays");
    await alice.ok({ type: "update", serial, headers: { other: "one" } });
    const message = await getMessage(fixture.server, alice.session, serial);
    assert.deepEqual([message.data, message.headers], ["new", { other: "one" }]);
  });

  test("P4.3 with ifVersion the change happens only if the version still is that one", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const serial = await alice.publish("a");
    const { version } = await alice.ok({ type: "update", serial, data: "b", ifVersion: serial });
    await alice.refused({ type: "update", serial, data: "c", ifVersion: serial }, "conflict");
    await alice.refused({ type: "delete", serial, ifVersion: serial }, "conflict");
    assert.equal((await getMessage(fixture.server, alice.session, serial)).data, "b");
    await alice.ok({ type: "delete", serial, ifVersion: version });
  });

  test("P4.3 delete leaves a tombstone without data that takes no further change", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const serial = await alice.publish("secret", { id: "gone", headers: { a: "b" } });
    const { version } = await alice.ok({ type: "delete", serial });
    const frame = await alice.next("message.delete");
    assert.deepEqual([frame.serial, frame.version], [serial, version]);
    const message = await getMessage(fixture.server, alice.session, serial);
    assert.equal(typeof message.deletedAt, "number");
    assert.ok(!("data" in message), "the data is gone");
    await alice.refused({ type: "update", serial, data: "back" }, "deleted");
    await alice.refused({ type: "append", serial, data: "more" }, "deleted");
    const again = await alice.ok({ type: "publish", messages: [{ id: "gone", data: "secret" }] });
    assert.equal(again.messages?.[0]?.duplicate, true, "P4.2 the tombstone keeps the id");
    assert.equal((await getHistory(fixture.server, alice.session)).length, 1);
  });

  test("P4.3 own messages need publish, others' need edit", async () => {
    const session = fixture.session();
    const alice = await connect(fixture.server, session, { sub: "alice", caps: { "*": ["user"] } });
    const bob = await connect(fixture.server, session, { sub: "bob", caps: { "*": ["user"] } });
    const eve = await connect(fixture.server, session, { sub: "eve", caps: { "*": ["viewer"] } });
    const boss = await connect(fixture.server, session, {
      sub: "b",
      caps: { "*": ["supervisor"] },
    });
    const serial = await alice.publish("mine");
    for (const type of ["update", "delete"]) {
      const error = await bob.refused({ type, serial, data: "yours" }, "forbidden");
      assert.match(error.message, /edit/);
    }
    const error = await eve.refused({ type: "publish", messages: [{ data: 1 }] }, "forbidden");
    assert.match(error.message, /publish/);
    assert.match(error.message, new RegExp(session), "P2.5 the refusal names the session");
    await alice.ok({ type: "update", serial, data: "still mine" });
    await boss.ok({ type: "update", serial, data: "edited" });
    assert.equal((await getMessage(fixture.server, session, serial)).client, "alice");
  });

  test("P4.3 a message that is not there is not-found", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const serial = await alice.publish("a");
    for (const unknown of [`${serial.slice(0, 4)}fffffff0`, "zzzz00000001"]) {
      for (const type of ["update", "delete", "append"]) {
        const answer = await alice.request({ type, serial: unknown, data: "b" });
        assert.equal(answer.error?.code, "not-found", `${type} of ${unknown}`);
      }
    }
    for (const type of ["update", "delete", "append"]) {
      const answer = await alice.request({ type, serial: "x", data: "b" });
      assert.match(answer.error?.code ?? "", /^(not-found|invalid-frame)$/, "no serial at all");
    }
  });

  test("P13.1 an update or a delete sent twice with an id happens once", async () => {
    const alice = await connect(fixture.server, fixture.session());
    const serial = await alice.publish("a");
    const first = await alice.ok({ type: "update", id: "u1", serial, data: "b" });
    await alice.ok({ type: "update", serial, data: "c" });
    const again = await alice.ok({ type: "update", id: "u1", serial, data: "b" });
    assert.equal(again.duplicate, true);
    assert.ok((again.version ?? "") >= (first.version ?? "~"));
    assert.equal((await getMessage(fixture.server, alice.session, serial)).data, "c");
    await alice.ok({ type: "delete", id: "d1", serial });
    assert.equal((await alice.ok({ type: "delete", id: "d1", serial })).duplicate, true);
  });
});

describe("signal", () => {
  test("P4.5 a signal goes to live connections, is not stored and has no serial", async () => {
    const session = fixture.session();
    const alice = await connect(fixture.server, session, { sub: "alice" });
    const { client: bob, attached } = await attach(fixture.server, session, { sub: "bob" });
    const result = await alice.ok({ type: "signal", name: "typing", data: { on: true } });
    assert.deepEqual(result, {}, "P13.5");
    const frame = await bob.next("signal");
    assert.deepEqual([frame.name, frame.data], ["typing", { on: true }]);
    assert.equal(frame.client, "alice", "a reader is told who signals");
    assert.ok(!("serial" in frame));
    assert.equal((await getHistory(fixture.server, session)).length, 0);
    assert.deepEqual(await fixture.server.tables(session), [], "P1.2 a signal writes nothing");
    await alice.ok({ type: "signal", name: "one", data: 1, to: attached.connection });
    assert.equal((await bob.next("signal")).name, "one", "to a connection");
    await alice.ok({ type: "signal", name: "two", data: 2, to: "bob" });
    assert.equal((await bob.next("signal")).name, "two", "to a client");
    await alice.ok({ type: "signal", name: "three", data: 3, to: "somebody-else" });
    await alice.ok({ type: "signal", name: "four", data: 4 });
    assert.equal((await bob.next("signal")).name, "four", "not what is for somebody else");
  });
});
