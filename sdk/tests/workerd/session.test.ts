// A session of the SDK against a real Worker: what two clients do and see.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../../tests/support/client.ts";
import { useServer } from "../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { within } from "../../../tests/support/wait.ts";
import {
  approvalsOf,
  branchesOf,
  createSession,
  fetchSnapshot,
  historyOf,
  type Outbox,
  presenceOf,
  type StoredMessage,
  type Turn,
} from "../../src/index.ts";
import { assertSame, history, open, QUICK, STEADY, shows } from "../support.ts";

const fixture = useServer();

/** An outbox that survives a session, as IndexedDB survives a page. */
function memory(): Outbox & { stored: StoredMessage[] } {
  const outbox = {
    stored: [] as StoredMessage[],
    load: async () => [...outbox.stored],
    put: (stored: StoredMessage) => void outbox.stored.push(stored),
    remove: (_address: string, id: string) => {
      outbox.stored = outbox.stored.filter(({ message }) => message.id !== id);
    },
  };
  return outbox;
}

describe("a session", () => {
  test("what one says, the other sees; both end with the same", async (t) => {
    const name = fixture.session();
    const alice = await open(t, fixture.server, name, { sub: "alice" });
    const bob = await open(t, fixture.server, name, { sub: "bob" });
    assert.equal(alice.client, "alice");
    const sent = alice.send("Hello", { headers: { lang: "en" } });
    assert.equal(alice.messages.at(-1)?.delivery, "pending", "shown at once");
    const { serial } = await sent;
    await shows(bob, ({ messages }) => messages.at(-1)?.data === "Hello", "a message");
    await bob.send({ any: ["JSON"] });
    await alice.update(serial, { data: "Hello, Bob" });
    await shows(bob, ({ messages }) => messages[0]?.data === "Hello, Bob", "an update");
    await bob.delete(bob.messages.at(-1)?.serial ?? "");
    await shows(alice, ({ messages }) => messages.length === 1, "a deletion");
    assert.equal(alice.log.length, 2, "the log holds its tombstone");
    for (const session of [alice, bob])
      assertSame(session.log, await history(fixture.server, name));
  });

  test("what did not change stays the same object", async (t) => {
    const session = await open(t, fixture.server, fixture.session());
    await session.send("one");
    await session.send("two");
    const [one, two] = session.messages;
    const snapshot = session.getSnapshot();
    assert.equal(session.getSnapshot(), snapshot);
    await session.send("three");
    assert.notEqual(session.getSnapshot(), snapshot);
    assert.equal(session.messages[0], one);
    assert.equal(session.messages[1], two);
    assert.equal(snapshot.messages.length, 2, "a snapshot is never changed");
    const { messages, turns } = session.getSnapshot();
    await presenceOf(session).enter("here");
    await shows(session, () => presenceOf(session).count === 1, "somebody");
    assert.equal(session.messages, messages, "who comes changes no messages");
    assert.equal(session.turns, turns);
  });

  test("P6 cancel, steer and interrupt reach the agent, and everybody sees the turn", async (t) => {
    const name = fixture.session();
    const agent = await connect(fixture.server, name, { sub: "agent" });
    const user = await open(t, fixture.server, name, { sub: "user", caps: { "*": ["user"] } });
    const { serial } = await user.send("a question");
    const start = async (): Promise<Turn> => {
      const again = { again: true, id: `turn ${Math.random()}` };
      const result = await agent.ok({ type: "turn.start", input: serial, ...again });
      return (result as unknown as { turn: Turn }).turn;
    };
    const find = (id: string) => user.turns.find((turn) => turn.id === id);
    const first = await start();
    await shows(user, () => find(first.id)?.status === "active", "a turn");
    const { serial: steer } = await user.steer(first.id, "shorter");
    const told = await agent.next("turn.steer");
    assert.equal(told.serial, steer);
    const message = () => user.messages.find((it) => it.serial === steer);
    assert.equal(message()?.headers?.steer, "waiting");
    await agent.ok({ type: "turn.steered", turn: first.id, serial: steer });
    await shows(user, () => message()?.headers?.steer === "taken", "an instruction to be taken");
    const [cancelled] = await user.cancel(first.id, "enough");
    assert.equal(cancelled?.cancel?.by, "user");
    await agent.next("turn.cancel");
    await agent.ok({ type: "turn.end", turn: first.id, status: "complete" });
    await shows(user, () => find(first.id)?.status === "cancelled", "the end of a turn");
    const second = await start();
    await user.interrupt("no, this");
    assert.equal(find(second.id)?.cancel?.by, "user", "cancelled in the same step");
    assert.equal(user.messages.at(-1)?.data, "no, this");
    await agent.ok({ type: "turn.end", turn: second.id, status: "cancelled" });
    assert.equal((await user.cancel({ all: true })).length, 0);
  });

  test("P7 who is there is seen, over a reconnect too", async (t) => {
    const name = fixture.cutSession();
    const wire = await CuttingProxy.start(fixture.server.port);
    t.after(() => wire.stop());
    const alice = await open(t, fixture.server, name, { sub: "alice" });
    const bob = await open(t, wire, name, { sub: "bob", name: "Bob" });
    await presenceOf(bob).enter({ typing: false });
    const there = () => presenceOf(alice).members.map(({ name, data }) => [name, data]);
    await shows(alice, () => presenceOf(alice).count === 1, "somebody");
    assert.deepEqual(there(), [["Bob", { typing: false }]]);
    await presenceOf(bob).enter({ typing: true });
    await shows(alice, () => JSON.stringify(there()) === '[["Bob",{"typing":true}]]', "a change");
    const [before] = presenceOf(alice).members;
    wire.cut();
    const isNew = () => {
      const [member, other] = presenceOf(alice).members;
      return !other && member !== undefined && member.connection !== before?.connection;
    };
    await shows(alice, isNew, "the same client on another connection");
    assert.deepEqual(there(), [["Bob", { typing: true }]]);
    presenceOf(bob).leave();
    await shows(alice, () => presenceOf(alice).count === 0, "nobody");
  });

  test("P8 what an agent asks is decided on one device, and shown on the other", async (t) => {
    const name = fixture.session();
    const agent = await connect(fixture.server, name, { sub: "agent", caps: { "*": ["agent"] } });
    const phone = await open(t, fixture.server, name, { sub: "ada" });
    const laptop = await open(t, fixture.server, name, { sub: "ada" });
    const waiting = () =>
      approvalsOf(laptop)
        .pending.map(({ title }) => title)
        .join();
    await agent.ok({ type: "approval.request", id: "a1", title: "Buy?" });
    await shows(laptop, () => waiting() === "Buy?", "what is asked");
    const late = await open(t, fixture.server, name, { sub: "ada" });
    await shows(late, () => approvalsOf(late).pending.length === 1, "what was asked before");
    const decided = await approvalsOf(phone).decide("a1", "approve", { comment: "go" });
    assert.deepEqual([decided.status, decided.decidedBy], ["approved", "ada"]);
    await shows(laptop, () => waiting() === "", "that it is decided");
    const again = approvalsOf(late).decide("a1", "reject");
    await assert.rejects(again, ({ info }) => info.approval.decidedBy === "ada");
    await agent.close();
  });

  test("P4.5 a signal is passed on, and events say what happens", async (t) => {
    const name = fixture.session();
    const alice = await open(t, fixture.server, name, { sub: "alice", timing: STEADY });
    const bob = await open(t, fixture.server, name, { sub: "bob", timing: STEADY });
    const heard: string[] = [];
    const signalled = new Promise<unknown>((done) => alice.on("signal", ({ data }) => done(data)));
    alice.on("message", ({ type }) => heard.push(type));
    alice.on("frame", ({ type }) => heard.push(`frame ${type}`));
    const end = bob.on("message", () => {
      throw new Error("a listener's own fault");
    });
    end();
    await bob.send("x");
    assert.equal(bob.signal("typing", { on: true }), true);
    assert.deepEqual(await within(signalled, "a signal"), { on: true });
    assert.deepEqual(heard.slice(0, 2), ["frame message.create", "message.create"]);
    bob.close();
    assert.equal(bob.signal("typing"), false, "not connected, it is not sent at all");
  });

  test("P3.6 a log that cannot be resumed is read anew, and never shown in part", async (t) => {
    const name = fixture.cutSession();
    const wire = await CuttingProxy.start(fixture.server.port);
    t.after(() => wire.stop());
    const writer = await connect(fixture.server, name, { sub: "writer" });
    const publish = (count: number) =>
      writer.ok({
        type: "publish",
        messages: Array.from({ length: count }, (_, i) => ({ data: i })),
      });
    await publish(100);
    const reader = await open(t, wire, name, { sub: "reader", rewind: 10 });
    await historyOf(reader).loadOlder(50);
    assert.equal(reader.messages.length, 60);
    const lengths: number[] = [];
    reader.subscribe(() => lengths.push(reader.messages.length));
    const reset = new Promise((done) => reader.on("reset", done));
    wire.unplug();
    for (let round = 0; round < 11; round += 1) await publish(100);
    wire.plug();
    reader.link.nudge();
    await within(reset, "a reset");
    assert.equal(reader.messages.length, 60, "as far back as before");
    assert.ok(lengths.every((length) => length === 60));
    const expected = await history(fixture.server, name);
    assertSame(reader.log, expected.slice(-60));
    await publish(1);
    await shows(reader, ({ messages }) => messages.length === 61, "it goes on");
  });

  test("P3.7 cut in the middle of a replay, again and again, it misses nothing", async (t) => {
    const name = fixture.session();
    const writer = await connect(fixture.server, name, { sub: "writer" });
    const serial = await writer.publish("", { status: "streaming" });
    // Takes so many WebSocket messages, then is cut.
    let most = Number.POSITIVE_INFINITY;
    class CutSocket extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        let left = most;
        this.addEventListener("message", () => {
          left -= 1;
          if (left >= 0) return;
          this.onmessage = null;
          this.close();
        });
      }
    }
    const reader = await open(t, fixture.server, name, { sub: "reader", WebSocket: CutSocket });
    reader.close();
    const filler = "f".repeat(1500);
    for (let first = 0; first < 400; first += 50) {
      const messages = Array.from({ length: 50 }, (_, i) => ({ data: `${first + i} ${filler}` }));
      await writer.ok({ type: "publish", messages });
      await writer.ok({ type: "append", serial, data: `${first} ` });
    }
    let replays = 0;
    reader.on("frame", ({ type }) => {
      if (type !== "attached") return;
      replays += 1;
      // One more each time.
      most = replays + 2;
      writer.send({ type: "append", serial, data: `cut ${replays} ` });
    });
    most = 2;
    reader.connect();
    await shows(reader, ({ messages }) => messages.length === 401, "the whole replay");
    assert.ok(replays > 4, `cut in ${replays} replays`);
    await writer.ok({ type: "append", serial, data: "", status: "complete" });
    await shows(reader, ({ messages }) => messages[0]?.status === "complete", "the end");
    assertSame(reader.log, await history(fixture.server, name));
  });

  test("P2.6 a token is renewed before it expires, and the connection stays", async (t) => {
    const name = fixture.session();
    let asked = 0;
    const session = createSession({
      url: fixture.server.url,
      session: name,
      token: () => {
        asked += 1;
        return makeToken({ expiresIn: 4 });
      },
      timing: { ...STEADY, renewMs: 2_000 },
    });
    t.after(() => session.close());
    const states: string[] = [];
    session.on("connection", ({ state }) => states.push(state));
    await session.connect();
    const renewed = new Promise<void>((done) => {
      session.on("frame", (frame) => {
        if (frame.type === "ack" && "expiresAt" in (frame.result as object)) done();
      });
    });
    await within(renewed, "a token to be renewed");
    assert.ok(asked >= 2);
    await session.send("still here");
    assert.deepEqual(states, ["connecting", "connected"]);
  });

  test("what was said offline arrives once, after a reload too", async (t) => {
    const name = fixture.cutSession();
    const wire = await CuttingProxy.start(fixture.server.port);
    t.after(() => wire.stop());
    const outbox = memory();
    const before = await open(t, wire, name, { sub: "alice", outbox });
    await before.send("online");
    wire.unplug();
    before.send("offline 1");
    before.send("offline 2");
    assert.deepEqual(
      before.messages.map(({ data, delivery }) => [data, delivery]),
      [
        ["online", undefined],
        ["offline 1", "pending"],
        ["offline 2", "pending"],
      ],
    );
    before.close();
    const after = await open(t, wire, name, {
      sub: "alice",
      outbox,
      client: "alice",
      isIdle: true,
    });
    after.connect();
    await shows(after, ({ messages }) => messages.length === 2, "what waits, before it connects");
    const other = await open(t, fixture.server, name, { sub: "alice", outbox, isIdle: true });
    wire.plug();
    other.connect();
    const isAll = () => after.messages.length === 3 && !after.messages.some((it) => it.delivery);
    await shows(after, isAll, "everything to arrive");
    await shows(other, () => other.messages.length === 3, "the other tab");
    const arrived = await history(fixture.server, name);
    assert.deepEqual(
      arrived.map(({ data }) => data),
      ["online", "offline 1", "offline 2"],
    );
    assert.deepEqual(outbox.stored, []);
  });

  test("a page from a snapshot shows it at once, and goes on from there", async (t) => {
    const name = fixture.session();
    const writer = await open(t, fixture.server, name);
    await writer.send("one");
    await writer.send("two");
    const options = { url: fixture.server.url, session: name, token: await makeToken({}) };
    const initial = await fetchSnapshot({ ...options, rewind: 1 });
    await writer.send("three");
    const page = createSession({ ...options, initial, timing: QUICK });
    t.after(() => page.close());
    const data = () => page.messages.map((message) => message.data);
    assert.deepEqual(data(), ["two"]);
    let isReset = false;
    page.on("reset", () => {
      isReset = true;
    });
    await page.connect();
    assert.deepEqual(data(), ["two", "three"]);
    assert.equal(isReset, false);
    await historyOf(page).loadOlder(5);
    assert.deepEqual(data(), ["one", "two", "three"]);
  });

  test("P6.9 an edited message is a branch that can be chosen", async (t) => {
    const name = fixture.session();
    const session = await open(t, fixture.server, name);
    const tree = branchesOf(session);
    const data = () => tree.messages.map((message) => message.data);
    const { serial } = await tree.send("first");
    await tree.send("second");
    await tree.edit(serial, "first, better");
    assert.deepEqual(data(), ["first, better"]);
    assert.deepEqual(tree.at(serial).options.length, 2);
    tree.select(serial);
    assert.deepEqual(data(), ["first", "second"]);
    await tree.send("third");
    assert.deepEqual(data(), ["first", "second", "third"], "it follows what is seen");
    const other = await open(t, fixture.server, name);
    assert.deepEqual(
      branchesOf(other).messages.map((message) => message.data),
      ["first, better"],
    );
  });

  test("closing and connecting again keeps what is shown, and cancels nothing", async (t) => {
    const name = fixture.session();
    const session = await open(t, fixture.server, name);
    const agent = await connect(fixture.server, name, { sub: "agent" });
    await session.send("one");
    const { turn } = (await agent.ok({ type: "turn.start" })) as unknown as { turn: Turn };
    session.close();
    assert.equal(session.connection.state, "idle");
    await agent.publish("while away");
    await session.connect();
    assert.deepEqual(
      session.messages.map(({ data }) => data),
      ["one", "while away"],
    );
    assert.equal(session.turns.find(({ id }) => id === turn.id)?.status, "active");
    await agent.ok({ type: "turn.end", turn: turn.id, status: "complete" });
  });
});
