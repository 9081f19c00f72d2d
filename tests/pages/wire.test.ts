// The wire between the SDK and the network, by a clock of the test.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Clock, Line } from "../../pages/wire/line.ts";
import { SLOW, WHOLE, Wire } from "../../pages/wire/wire.ts";

/** A clock that stands until it is told. */
class Hand implements Clock {
  #now = 0;
  #calls: { at: number; call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const entry = { at: this.#now + ms, call };
    this.#calls.push(entry);
    return () => {
      this.#calls = this.#calls.filter((it) => it !== entry);
    };
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#calls.filter(({ at }) => at <= end).sort((one, two) => one.at - two.at)[0];
      if (!due) break;
      this.#calls = this.#calls.filter((it) => it !== due);
      this.#now = Math.max(this.#now, due.at);
      due.call();
    }
    this.#now = end;
  }
}

/** The platform's WebSocket, as far as the wire uses it. */
class Under {
  static made: Under[] = [];
  readyState = 0;
  protocol = "sessile.v1";
  sent: string[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null = null;

  constructor() {
    Under.made.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  says(data: string): void {
    this.onmessage?.({ data });
  }
}

/** A wire with one open socket, and what that heard. */
function opened() {
  const clock = new Hand();
  const answers: (() => void)[] = [];
  const fetch = () =>
    new Promise<Response>((done) => answers.push(() => done(new Response("x".repeat(4000)))));
  const wire = new Wire({ WebSocket: Under as unknown as typeof WebSocket, fetch, clock });
  const heard: string[] = [];
  const open = () => {
    const socket = new wire.WebSocket("ws://there", ["sessile.v1"]);
    socket.onopen = () => heard.push("open");
    socket.onmessage = ({ data }) => heard.push(data);
    socket.onclose = ({ code, wasClean }) => heard.push(`close ${code} ${wasClean}`);
    return socket;
  };
  const socket = open();
  const under = Under.made.at(-1) as Under;
  under.opens();
  heard.length = 0;
  return { clock, wire, socket, under, heard, open, answers };
}

describe("a line", () => {
  test("is not there while it is whole: what is put on it comes out at once, in order", () => {
    const line = new Line(new Hand());
    const out: number[] = [];
    line.put(1, () => {
      line.put(1, () => out.push(2));
      out.push(1);
    });
    line.put(1, () => out.push(3));
    assert.deepEqual(out, [1, 2, 3]);
  });

  test("takes bytes at its pace, each after the one before, and brings them later", () => {
    const clock = new Hand();
    const line = new Line(clock);
    const out: number[] = [];
    line.set({ latencyMs: 100, bytesPerSecond: 1000 }, false);
    line.put(500, () => out.push(clock.now()));
    line.put(250, () => out.push(clock.now()));
    clock.pass(599);
    assert.equal(out.length, 0);
    clock.pass(1000);
    assert.deepEqual(out, [600, 850]);
    line.put(0, () => out.push(clock.now()));
    clock.pass(100);
    assert.deepEqual(out, [600, 850, 1699]);
  });

  test("keeps the order when it becomes whole in between, or stands still", () => {
    const clock = new Hand();
    const line = new Line(clock);
    const out: number[] = [];
    line.set({ latencyMs: 100, bytesPerSecond: 1000 }, false);
    for (const n of [1, 2]) line.put(100, () => out.push(n));
    line.set(undefined, true);
    line.put(0, () => out.push(3));
    clock.pass(10_000);
    assert.equal(out.length, 0);
    line.set(undefined, false);
    assert.deepEqual(out, [1, 2, 3]);
  });
});

describe("a WebSocket on the wire", () => {
  test("is as the platform's while the wire is whole", () => {
    const { socket, under, heard } = opened();
    socket.send("ping");
    under.says("pong");
    assert.deepEqual([under.sent, heard], [["ping"], ["pong"]]);
    assert.equal(socket.protocol, "sessile.v1");
    assert.equal(socket.readyState, socket.OPEN);
    socket.close();
    assert.ok(under.isClosed);
    under.onclose?.({ code: 1000, reason: "", wasClean: true });
    assert.deepEqual(heard, ["pong", "close 1000 true"]);
    assert.throws(() => socket.send("late"), /not open/);
  });

  test("breaks when the network is dropped, and loses what was on its way", () => {
    const { clock, wire, socket, under, heard, open } = opened();
    wire.set({ isSlow: true });
    socket.send("lost");
    under.says("lost, too");
    wire.set({ isDropped: true });
    assert.deepEqual(heard, ["close 1006 false"]);
    clock.pass(10_000);
    assert.deepEqual([under.sent, heard], [[], ["close 1006 false"]]);
    const made = Under.made.length;
    const next = open();
    assert.equal(next.readyState, next.CONNECTING);
    clock.pass(10_000);
    assert.equal(heard.at(-1), "close 1006 false");
    assert.equal(Under.made.length, made, "nothing got through");
    wire.set(WHOLE);
    open();
    assert.equal(Under.made.length, made + 1);
  });

  test("stays open while the network is frozen, and then hears all of it, in order", () => {
    const { clock, wire, socket, under, heard } = opened();
    wire.set({ isFrozen: true });
    socket.send("one");
    socket.send("two");
    under.says("three");
    under.says("four");
    clock.pass(100_000);
    assert.deepEqual([under.sent, heard], [[], []]);
    assert.equal(socket.readyState, socket.OPEN);
    wire.set({ isFrozen: false });
    assert.deepEqual(
      [under.sent, heard],
      [
        ["one", "two"],
        ["three", "four"],
      ],
    );
  });

  test("that was left in a frozen network sends what it had, then goes, and hears nothing", () => {
    const { wire, socket, under, heard } = opened();
    wire.set({ isFrozen: true });
    socket.send("one");
    socket.close();
    assert.ok(!under.isClosed);
    under.says("late");
    wire.set({ isFrozen: false });
    assert.deepEqual([under.sent, under.isClosed, heard], [["one"], true, []]);
  });

  test("is slow as it says", () => {
    const { clock, wire, socket, under, heard } = opened();
    wire.set({ isSlow: true });
    socket.send("x".repeat(SLOW.bytesPerSecond));
    under.says("hello");
    clock.pass(SLOW.latencyMs + 999);
    assert.deepEqual([under.sent.length, heard], [0, ["hello"]]);
    clock.pass(1);
    assert.equal(under.sent.length, 1);
  });
});

describe("a request on the wire", () => {
  const settled = () => new Promise((done) => setImmediate(done));

  test("fails when the network is dropped, before or meanwhile", async () => {
    const { clock, wire, answers } = opened();
    const meanwhile = wire.fetch("http://there");
    wire.set({ isDropped: true });
    await assert.rejects(meanwhile, /Failed to fetch/);
    const later = wire.fetch("http://there");
    clock.pass(1000);
    await assert.rejects(later, /Failed to fetch/);
    assert.equal(answers.length, 1);
  });

  test("waits in a frozen network, and takes its time in a slow one", async () => {
    const { clock, wire, answers } = opened();
    wire.set({ isFrozen: true });
    let status = 0;
    const asked = wire.fetch("http://there").then((response) => {
      status = response.status;
      return response.text();
    });
    await settled();
    assert.equal(answers.length, 0);
    wire.set({ isFrozen: false, isSlow: true });
    clock.pass(SLOW.latencyMs);
    answers[0]?.();
    await settled();
    clock.pass(SLOW.latencyMs + (4000 / SLOW.bytesPerSecond) * 1000 - 1);
    await settled();
    assert.equal(status, 0);
    clock.pass(1);
    assert.equal((await asked).length, 4000);
  });
});
