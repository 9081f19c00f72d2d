// Messages that are sent and not in the log yet: order, bounds, refusals, and surviving a reload.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Outbox, StoredMessage } from "../../src/client/outbox.ts";
import { Sending } from "../../src/client/sending.ts";
import type { Link } from "../../src/connection/types.ts";
import {
  type AttachedFrame,
  DEFAULT_LIMITS,
  type ErrorInfo,
  type Message,
  type PublishFrame,
  SessileError,
} from "../../src/index.ts";

interface Answer {
  done(result: unknown): void;
  fail(error: unknown): void;
}

/** A connection that is answered by hand. */
class Wire {
  readonly address = "a";
  attached: AttachedFrame | undefined;
  readonly limits = { ...DEFAULT_LIMITS, frameBytes: 1e6, publishMessages: 3 };
  readonly published: PublishFrame[] = [];
  log: Message[] = [];
  isUp = true;
  #answer: Answer | undefined;
  #place = 0;

  readonly request: Link["request"] = (frame) => {
    if (!this.isUp) return Promise.reject(new SessileError("disconnected", "no connection"));
    assert.equal(this.#answer, undefined, "one at a time");
    this.published.push(frame as unknown as PublishFrame);
    return new Promise((done, fail) => {
      this.#answer = { done: done as (result: unknown) => void, fail };
    });
  };

  get ids(): (string | undefined)[][] {
    return this.published.map(({ messages }) => messages.map(({ id }) => id));
  }

  /** The session says who this is. */
  attach(client: string): void {
    this.isUp = true;
    this.attached = { client } as AttachedFrame;
  }

  async ack(): Promise<void> {
    const messages = this.published.at(-1)?.messages.map(({ id }) => {
      this.#place += 1;
      return { id, serial: `s${this.#place}`, version: `s${this.#place}` };
    });
    await this.#settle((answer) => answer.done({ messages }));
  }

  async nack(code: ErrorInfo["code"], more: Partial<ErrorInfo> = {}): Promise<void> {
    const error = SessileError.of({ code, status: 400, message: `it is ${code}`, ...more });
    await this.#settle((answer) => answer.fail(error));
  }

  async cut(): Promise<void> {
    this.isUp = false;
    const error = new SessileError("disconnected", "cut");
    await this.#settle((answer) => answer.fail(error));
  }

  async #settle(settle: (answer: Answer) => void): Promise<void> {
    const answer = this.#answer;
    assert.ok(answer, "something was sent");
    this.#answer = undefined;
    settle(answer);
    await new Promise((done) => setImmediate(done));
  }
}

class Memory implements Outbox {
  stored: StoredMessage[] = [];
  async load(_address: string, client: string): Promise<StoredMessage[]> {
    await undefined;
    return this.stored.filter((it) => it.client === client);
  }
  put(stored: StoredMessage): void {
    this.stored.push(structuredClone(stored));
  }
  get kept(): string[] {
    return this.stored.map(({ client, message }) => `${client}: ${message.id}`);
  }
  remove(_address: string, id: string): void {
    this.stored = this.stored.filter(({ message }) => message.id !== id);
  }
}

function start(most = 20, outbox?: Outbox, client = "alice"): { wire: Wire; sending: Sending } {
  const wire = new Wire();
  const log = () => ({ messages: wire.log });
  const options = { link: wire, outbox, most, changed: () => {}, log };
  const sending = new Sending(options);
  sending.begin(client);
  return { wire, sending };
}

function states(sending: Sending): string {
  return sending.shown.map(({ id, delivery }) => `${id} ${delivery}`).join(", ");
}

describe("sending", () => {
  test("it is shown at once, and gone when it is in the log", async () => {
    const { wire, sending } = start();
    const sent = sending.add({ id: "a", data: "Hello" });
    assert.equal(sent.id, "a");
    const [shown] = sending.shown;
    assert.equal(shown?.data, "Hello");
    assert.equal(shown?.delivery, "pending");
    assert.match(shown?.serial ?? "", /^~/);
    await wire.ack();
    assert.equal((await sent).serial, "s1");
    assert.deepEqual(sending.shown, []);
  });

  test("one publish at a time, in order, as many together as may be", async () => {
    const { wire, sending } = start();
    for (const id of ["a", "b", "c", "d", "e"]) sending.add({ id, data: id });
    await wire.ack();
    await wire.ack();
    assert.deepEqual(wire.ids, [["a"], ["b", "c", "d"]].concat([["e"]]));
  });

  test("an interrupt goes alone, since all or none of a publish happens", async () => {
    const { wire, sending } = start();
    sending.add({ id: "a", data: 1 });
    sending.add({ id: "b", data: 2 });
    sending.add({ id: "c", data: 3 }, true);
    sending.add({ id: "d", data: 4 });
    for (let answer = 0; answer < 3; answer += 1) await wire.ack();
    assert.deepEqual(wire.ids, [["a"], ["b"], ["c"], ["d"]]);
    assert.deepEqual(
      wire.published.map(({ interrupt }) => interrupt),
      [undefined, undefined, true, undefined],
    );
  });

  test("what was cut off is sent again, first, with its id", async () => {
    const { wire, sending } = start();
    const sent = sending.add({ id: "a", data: 1 });
    sending.add({ id: "b", data: 2 });
    await wire.cut();
    assert.equal(states(sending), "a pending, b pending");
    wire.isUp = true;
    sending.flush();
    await wire.ack();
    assert.deepEqual(wire.ids, [["a"], ["a", "b"]]);
    assert.equal((await sent).id, "a");
  });

  test("what arrived in the log, of which the answer was lost, is not sent again", async () => {
    const { wire, sending } = start();
    const sent = sending.add({ id: "a", data: 1 });
    await wire.cut();
    const times = { createdAt: 1, updatedAt: 1 };
    const message = {
      serial: "s9",
      version: "s9",
      name: "message",
      role: "user",
      ...times,
    } as const;
    sending.arrived([{ ...message, id: "a", client: "bob" }]);
    assert.equal(states(sending), "a pending", "another client's id is another id");
    sending.arrived([{ ...message, id: "a", client: "alice" }]);
    assert.equal((await sent).serial, "s9");
    wire.isUp = true;
    sending.flush();
    assert.equal(wire.published.length, 1);
  });

  test("of several together only the refused one fails, the others keep order", async () => {
    const { wire, sending } = start();
    sending.add({ id: "a", data: 1 });
    const [, bad] = ["b", "c", "d"].map((id) => sending.add({ id, data: id }));
    await wire.ack();
    await wire.nack("too-large");
    await wire.ack();
    await wire.nack("too-large");
    await wire.ack();
    assert.deepEqual(wire.ids, [["a"], ["b", "c", "d"], ["b"], ["c"], ["d"]]);
    assert.equal(states(sending), "c failed");
    assert.equal(sending.shown[0]?.error?.code, "too-large");
    await assert.rejects(bad ?? Promise.resolve(), { code: "too-large" });
    sending.retry("c");
    assert.equal(states(sending), "c pending");
    await wire.ack();
    assert.equal(states(sending), "");
  });

  test("too fast: it waits as long as it is told, and nothing overtakes", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { wire, sending } = start();
    sending.add({ id: "a", data: 1 });
    await wire.nack("rate-limited", { retryAfterMs: 50 });
    sending.add({ id: "b", data: 2 });
    const before = wire.published.length;
    assert.equal(before, 1, "nothing overtakes");
    t.mock.timers.tick(50);
    await new Promise((done) => setImmediate(done));
    await wire.ack();
    assert.deepEqual(wire.ids, [["a"], ["a", "b"]]);
  });

  test("what is failed may be taken back; so may what still waits", async () => {
    const { wire, sending } = start();
    wire.isUp = false;
    const sent = sending.add({ id: "a", data: 1 });
    assert.equal(sending.discard("a"), true);
    assert.equal(sending.discard("a"), false);
    await assert.rejects(sent, { code: "discarded" });
    assert.equal(states(sending), "");
  });

  test("the queue has a bound, and says so", async () => {
    const { wire, sending } = start(2);
    wire.isUp = false;
    for (const id of ["a", "b"]) sending.add({ id, data: id });
    await assert.rejects(sending.add({ id: "c", data: 3 }), /2 messages wait/);
    assert.equal(states(sending), "a pending, b pending");
  });

  test("a session that was given up fails what waits, and says why", async () => {
    const { wire, sending } = start();
    wire.isUp = false;
    const sent = sending.add({ id: "a", data: 1 });
    sending.failAll(new SessileError("forbidden", "unable to attach; read is missing"));
    await assert.rejects(sent, { code: "forbidden" });
    assert.equal(states(sending), "a failed");
  });

  test("P1.3 half a character that was typed becomes U+FFFD, shown and sent", async () => {
    const { wire, sending } = start();
    const headers = { title: "cut \ud83e" };
    sending.add({ id: "a", data: { text: "cut \ud83e" }, headers });
    assert.deepEqual(sending.shown[0]?.data, { text: "cut \ufffd" });
    await wire.ack();
    assert.deepEqual(wire.published[0]?.messages[0]?.headers, { title: "cut \ufffd" });
  });

  test("what cannot be JSON is refused alone, by name, and holds up nothing", async () => {
    const { wire, sending } = start();
    const odd = sending.add({ id: "a", data: { n: 1n } });
    sending.add({ id: "b", data: 1 });
    await assert.rejects(odd, { code: "invalid-frame", message: /cannot be JSON.*BigInt/ });
    await wire.ack();
    assert.deepEqual(wire.ids, [["b"]]);
  });

  test("what is too large is not back after a reload, what was said after it is", async () => {
    const outbox = new Memory();
    const { wire, sending } = start(20, outbox);
    const large = sending.add({ id: "a", data: "x".repeat(100_000) });
    sending.add({ id: "b", data: "small" });
    await wire.nack("too-large");
    await assert.rejects(large, { code: "too-large" });
    assert.equal(states(sending), "a failed, b pending");
    assert.deepEqual(
      outbox.stored.map(({ message }) => message.id),
      ["b"],
    );
    await wire.ack();
    assert.deepEqual(wire.ids, [["a"], ["b"]]);
  });

  test("an outbox brings back after a reload what this client had not sent", async () => {
    const outbox = new Memory();
    const before = start(20, outbox);
    before.sending.add({ id: "a", data: 1 });
    await before.wire.ack();
    before.sending.add({ id: "b", data: 2 });
    before.sending.add({ id: "c", data: 3 }, true);
    const [b, c] = outbox.stored;
    assert.ok(b && c && b.writtenAt < c.writtenAt, "the order is kept, however fast one writes");
    const foreign = { address: "a", client: "bob", writtenAt: 1 };
    outbox.put({ ...foreign, message: { id: "x", data: "not alice's" } });
    const after = start(20, outbox, "");
    after.sending.begin("alice");
    await new Promise((done) => setImmediate(done));
    assert.equal(states(after.sending), "b pending, c pending");
    await after.wire.ack();
    await after.wire.ack();
    assert.deepEqual(after.wire.ids, [["b"], ["c"]]);
    assert.deepEqual(
      outbox.stored.map(({ message }) => message.id),
      ["x"],
    );
  });

  test("what was written before it is known by whom is kept as soon as that is", async () => {
    const outbox = new Memory();
    const { wire, sending } = start(20, outbox, "");
    wire.isUp = false;
    sending.add({ id: "a", data: 1 });
    assert.deepEqual(outbox.kept, [], "nobody could say whose it is");
    sending.begin("alice");
    assert.deepEqual(outbox.kept, ["alice: a"]);
    assert.equal(sending.shown[0]?.client, "alice");
    await new Promise((done) => setImmediate(done));
    wire.attach("alice");
    sending.begin("alice");
    await wire.ack();
    assert.deepEqual(wire.ids, [["a"]]);
    assert.deepEqual(outbox.kept, []);
  });

  test("what one person wrote is never sent, or shown, by the next one", async () => {
    const outbox = new Memory();
    outbox.put({ address: "a", client: "", writtenAt: 1, message: { id: "x", data: "whose?" } });
    const { wire, sending } = start(20, outbox);
    wire.isUp = false;
    const sent = sending.add({ id: "a", data: "alice's" });
    wire.attach("bob");
    sending.add({ id: "b", data: "alice's, too" });
    await new Promise((done) => setImmediate(done));
    assert.deepEqual(wire.ids, [], "not even before what is shown is the next one's");
    sending.begin("bob");
    assert.equal(states(sending), "");
    await assert.rejects(sent, { code: "disconnected", message: /alice wrote it/ });
    sending.add({ id: "c", data: "bob's" });
    await wire.ack();
    assert.deepEqual(wire.ids, [["c"]]);
    assert.deepEqual(outbox.kept, [": x", "alice: a", "alice: b"]);
    wire.attach("alice");
    sending.begin("alice");
    await new Promise((done) => setImmediate(done));
    await wire.ack();
    assert.deepEqual(wire.ids, [["c"], ["a"], ["b"]]);
  });

  test("what an outbox gives that is in the log already is kept no longer", async () => {
    const outbox = new Memory();
    const { wire, sending } = start(20, outbox, "");
    for (const id of ["a", "b"]) {
      outbox.put({ address: "a", client: "alice", writtenAt: 1, message: { id, data: id } });
    }
    const message = { ...{ serial: "s9", version: "s9", name: "message", role: "user" as const } };
    wire.log = [{ ...message, id: "a", client: "alice", createdAt: 1, updatedAt: 1 }];
    wire.isUp = false;
    sending.begin("alice");
    await new Promise((done) => setImmediate(done));
    assert.equal(states(sending), "b pending");
    assert.deepEqual(outbox.kept, ["alice: b"]);
  });

  test("what an outbox gives that is another's, or comes late, is left there", async () => {
    const outbox = new Memory();
    const message = { id: "x", data: "alice's" };
    outbox.put({ address: "a", client: "alice", writtenAt: 1, message });
    const all = { load: async () => outbox.stored, put() {}, remove() {} };
    const { wire, sending } = start(20, all, "");
    for (const client of ["alice", "bob"]) {
      wire.attach(client);
      sending.begin(client);
    }
    await new Promise((done) => setImmediate(done));
    assert.equal(states(sending), "");
    assert.deepEqual(wire.ids, []);
  });
});
