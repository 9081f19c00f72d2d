// The shell of the connection, with a WebSocket that is moved by hand (P2.4, P13.1, P13.6, P13.7).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Connection } from "../../src/connection/connection.ts";
import { SocketConnection } from "../../src/connection/over-socket.ts";
import type { ConnectionOptions, Owner } from "../../src/connection/types.ts";
import type { ServerFrame } from "../../src/index.ts";

/** A WebSocket that does what the test does. */
class Wire {
  static all: Wire[] = [];
  readonly url: string;
  readonly protocols: string[];
  readonly sent: string[] = [];
  isClosed = false;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
    Wire.all.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  /** The sent frames. */
  get frames(): Record<string, unknown>[] {
    return this.sent.filter((text) => text !== "ping").flatMap((text) => JSON.parse(text));
  }

  hear(...frames: object[]): void {
    this.onmessage?.({ data: JSON.stringify(frames.length === 1 ? frames[0] : frames) });
  }

  attach(
    limits = { frameBytes: 1000, publishMessages: 10 },
    expiresAt = Date.now() + 3_600_000,
    client = "alice",
    at = Date.now(),
    crowd = {},
  ): void {
    const who = { session: "s", connection: "c", client, serial: "", expiresAt, at, ...crowd };
    this.hear({ type: "attached", protocol: 1, resumed: false, hasOlder: false, limits, ...who });
    this.hear({ type: "caught-up", serial: "" });
  }
}

/** Lets everything happen that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

interface Made {
  connection: Connection;
  taken: ServerFrame[];
  owner: Owner;
  /** The newest socket. */
  wire(): Wire;
  /** Loses the connection and comes back on another. */
  reconnect(): Promise<Wire>;
}

function make(options: Partial<ConnectionOptions> = {}): Made {
  Wire.all = [];
  const taken: ServerFrame[] = [];
  const owner: Owner = {
    position: () => undefined,
    take: (frames) => void taken.push(...frames),
    changed: () => {},
  };
  const connection = new SocketConnection(
    {
      url: "https://example.com/base/",
      session: "a:b",
      token: "a.b.c",
      WebSocket: Wire as unknown as typeof WebSocket,
      fetch: () => Promise.reject(new Error("no network")),
      ...options,
    },
    owner,
  );
  const wire = () => Wire.all.at(-1) ?? assert.fail("no socket was opened");
  const reconnect = async () => {
    wire().onclose?.({ code: 1006 });
    connection.nudge();
    await settle();
    wire().attach();
    await settle();
    return wire();
  };
  return { connection, taken, owner, wire, reconnect };
}

async function attached(options?: Partial<ConnectionOptions>): Promise<Made> {
  const made = make(options);
  made.connection.start();
  await settle();
  made.wire().attach();
  return made;
}

describe("a connection", () => {
  test("P2.4, P3.3 it opens the session's address with its token and the query", async () => {
    const made = make({ rewind: 0, names: ["a", "b"] });
    made.owner.position = () => "k3x900000001";
    made.connection.start();
    await settle();
    const { url, protocols } = made.wire();
    const query = "since=k3x900000001&rewind=0&names=a%2Cb";
    assert.equal(url, `wss://example.com/base/v1/sessions/a:b/connect?${query}`);
    assert.deepEqual(protocols, ["sessile.v1", "sessile.token.a.b.c"]);
    made.connection.stop();
    assert.equal(made.wire().isClosed, true);
  });

  test("P13.1 what was not answered is sent again on each new connection, in order", async () => {
    const { connection, wire, reconnect } = await attached();
    const results = ["a", "b", "c"].map((turn) => connection.request({ type: "cancel", turn }));
    wire().hear({ type: "ack", ref: 2, result: { turns: ["of b"] } });
    assert.deepEqual(await results[1], { turns: ["of b"] });
    const next = await reconnect();
    assert.deepEqual(
      next.frames.map(({ turn }) => turn),
      ["a", "c"],
    );
    assert.equal(next.sent.length, 1, "in one array");
    const error = { code: "not-found", status: 404, message: "unable to cancel; …" };
    next.hear({ type: "nack", ref: 1, error }, { type: "ack", ref: 3, result: { turns: [] } });
    await assert.rejects(results[0] ?? Promise.resolve(), { code: "not-found", status: 404 });
    assert.deepEqual(await results[2], { turns: [] });
    assert.deepEqual((await reconnect()).frames, []);
    connection.stop();
  });

  test("what one client asked for is not asked by the next one", async () => {
    const { connection, wire } = await attached();
    const asked = connection.request({ type: "delete", serial: "s1" });
    wire().onclose?.({ code: 1006 });
    connection.nudge();
    await settle();
    wire().attach(undefined, undefined, "bob");
    await assert.rejects(asked, { code: "disconnected", message: /alice asked for it/ });
    await settle();
    assert.deepEqual(wire().frames, []);
    connection.stop();
  });

  test("what is asked once is not sent again", async () => {
    const { connection, wire, reconnect } = await attached();
    const once = connection.request({ type: "cancel", all: true }, { once: true });
    wire().onclose?.({ code: 1006 });
    await assert.rejects(once, { code: "disconnected" });
    const early = connection.request({ type: "cancel", all: true }, { once: true });
    await assert.rejects(early, { code: "disconnected" });
    assert.equal(connection.send({ type: "signal", name: "x" }), false);
    const next = await reconnect();
    assert.deepEqual(next.frames, []);
    assert.equal(connection.send({ type: "signal", name: "x" }), true);
    connection.send({ type: "presence.leave" });
    connection.stop();
    assert.equal(next.frames.length, 2, "what was said right before the end is sent");
  });

  test("P13.7 a probe is answered when everything before it was taken", async () => {
    const { connection, wire, taken, owner } = await attached();
    let isTaken = false;
    owner.take = (frames) => {
      assert.deepEqual(wire().frames, [], "not before");
      isTaken = true;
      taken.push(...frames);
    };
    wire().hear({ type: "log.trim", before: "k3x900000001" }, { type: "probe", n: 7 });
    assert.ok(isTaken);
    await settle();
    assert.deepEqual(wire().frames, [{ type: "seen", n: 7 }]);
    connection.stop();
  });

  test("a socket that was given up says nothing any more", async () => {
    const { connection, wire, taken, reconnect } = await attached();
    const old = wire();
    await reconnect();
    const before = taken.length;
    old.hear({ type: "probe", n: 1 });
    old.onclose?.({ code: 4403 });
    assert.equal(taken.length, before);
    assert.equal(connection.status.state, "connected");
    connection.stop();
  });

  test("stopping rejects what waits; one token is asked for at a time, always anew", async () => {
    let asked = 0;
    let give: (token: string) => void = () => {};
    const token = () => {
      asked += 1;
      return new Promise<string>((done) => {
        give = done;
      });
    };
    const { connection, wire } = make({ token });
    const waiting = connection.request({ type: "cancel", all: true });
    connection.start();
    const read = connection.read("messages");
    read.catch(() => {});
    await settle();
    assert.equal(asked, 1, "for both");
    give("a.b.c");
    await settle();
    wire().attach();
    await settle();
    assert.equal(wire().frames.length, 1);
    connection.stop();
    await assert.rejects(waiting, { code: "session-closed" });
    await assert.rejects(read, { code: "unreachable" });
    connection.start();
    await settle();
    assert.equal(asked, 2);
    connection.stop();
  });

  test("P13.3 it comes back over a time that grows with the connections", async (t) => {
    t.mock.method(Math, "random", () => 0.5);
    const pauses: number[] = [];
    const said = [{ connections: 9_000 }, { presence: [], presenceCount: 4_000 }, { presence: [] }];
    for (const crowd of said) {
      t.mock.timers.enable({ apis: ["Date"], now: 1_000 });
      const { connection, wire } = await attached();
      wire().attach(undefined, undefined, undefined, undefined, crowd);
      wire().onclose?.({ code: 1012 });
      pauses.push((connection.status.retryAt ?? 0) - 1_000);
      connection.stop();
      t.mock.timers.reset();
    }
    assert.deepEqual(pauses, [4_500, 2_000, 250]);
  });

  for (const hours of [2, -2]) {
    test(`P2.6 ${hours} h ahead of the session, it renews its token in time`, async (t) => {
      const start = Date.now();
      const now = start + hours * 3_600_000;
      t.mock.timers.enable({ apis: ["Date", "setTimeout"], now });
      let asked = 0;
      const { connection, wire } = make({
        token: () => {
          asked += 1;
          return "e30.e30.x";
        },
      });
      t.after(() => connection.stop());
      const pass = async (seconds: number) => {
        for (let second = 0; second < seconds; second += 5) {
          t.mock.timers.tick(5_000);
          wire().onmessage?.({ data: "pong" });
          await settle();
        }
      };
      connection.start();
      await settle();
      wire().attach(undefined, start + 3_600_000, "alice", start);
      await pass(59 * 60);
      assert.equal(connection.status.state, "connected");
      assert.deepEqual([Wire.all.length, asked], [1, 1]);
      assert.deepEqual(wire().frames, []);
      await pass(55);
      assert.equal(wire().frames[0]?.type, "auth", "and is renewed in time");
    });
  }

  test("P14 what is larger than a frame may be is refused here, by its bytes", async () => {
    const { connection, wire } = await attached();
    const publish = (data: string) =>
      connection.request({ type: "publish", messages: [{ data }] }, { once: true });
    await assert.rejects(publish("x".repeat(1000)), { code: "too-large", message: /of one frame/ });
    await assert.rejects(publish("é".repeat(480)), { code: "too-large" });
    publish("x".repeat(480)).catch(() => {});
    await settle();
    assert.equal(wire().frames.length, 1);
    connection.stop();
  });
});
