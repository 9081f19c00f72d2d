// Every class of objects in the same tests: one shell runs them all, so each survives eviction, a
// panic and `kill -9`, renews tokens in place, and keeps its bounds.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { type Class, classes, panics, serial, speaks } from "../support/classes.ts";
import { useServer } from "../support/fixture.ts";
import { problem } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { within } from "../support/wait.ts";

const limits = { SESSILE_LIMITS: JSON.stringify({ clientConnections: 3, frameBytes: 4096 }) };
const build = process.env.SESSILE_FAULTS_BUILD ?? "build/faults";
const fixture = useServer({ build, vars: limits });
const KILLS = 5;

let used: [Class, string][] = [];
let count = 0;

/** A name that nobody used; its object can be evicted after the test, or something pins it. */
function fresh(one: Class): string {
  count += 1;
  const name = `${one.kind}-${count}`;
  used.push([one, name]);
  return name;
}

function evict(one: Class, name: string): Promise<boolean> {
  return fixture.server.evict(one.object(name), one.kind);
}

afterEach(async () => {
  const objects = used;
  used = [];
  for (const [one, name] of objects) await evict(one, name);
});

for (const one of classes) {
  describe(`eviction of a ${one.kind}`, () => {
    test("one with connections can be evicted, and ping does not wake it", async () => {
      const name = fresh(one);
      const client = await one.open(fixture.server, name);
      assert.equal(await evict(one, name), true);
      await client.ping();
      await client.ping();
      assert.equal(await evict(one, name), false, "pong came from an object that sleeps");
      assert.equal(client.isClosed, false);
    });

    test("a connection goes on after it, and the serials do", async () => {
      const name = fresh(one);
      const [first, second] = [
        await one.open(fixture.server, name),
        await one.open(fixture.server, name),
      ];
      const before = await serial(one, fixture.server, name);
      assert.equal(await evict(one, name), true);
      await speaks(first);
      assert.equal(await serial(one, fixture.server, name), before);
      assert.equal(await evict(one, name), true);
      await speaks(second);
    });

    test("P2.6 a token is renewed after it; a bad one and another's leave the old", async () => {
      const name = fresh(one);
      const client = await one.open(fixture.server, name, { expiresIn: 60 });
      await evict(one, name);
      const token = await makeToken({ sub: name, expiresIn: 3600 });
      const { result } = await client.request({ type: "auth", token });
      const { expiresAt } = (result ?? {}) as { expiresAt?: number };
      assert.ok(Number(expiresAt) > Date.now() + 3_000_000, `${expiresAt}`);
      const another = await makeToken({ sub: "another" });
      const bad = await makeToken({ sub: name, key: "a key of nobody that is long enough for it" });
      await evict(one, name);
      for (const token of [another, bad]) {
        const answer = await client.request({ type: "auth", token });
        assert.match(String(answer.error?.code), /^(unauthorized|forbidden)$/);
      }
    });

    test("P2.6 an expired connection is closed with 4401 at its next frame", async () => {
      const name = fresh(one);
      const client = await one.open(fixture.server, name, { expiresIn: -28 });
      await evict(one, name);
      await new Promise((done) => setTimeout(done, 2500));
      client.send({ type: "seen", ref: 1, n: 0 });
      await client.closedWith(4401);
    });

    test("one that left while it slept makes room", async () => {
      const name = fresh(one);
      const open = () => one.open(fixture.server, name);
      const [first] = [await open(), await open(), await open()];
      const full = await one.begin(fixture.server, name);
      assert.equal((await full.next("nack")).error?.code, "over-limit");
      await full.closedWith(4429);
      await evict(one, name);
      await first?.close();
      await speaks(await open());
    });

    test("objects reset all at once close their sockets, and serve again", async () => {
      const name = fresh(one);
      const client = await one.open(fixture.server, name);
      await fixture.server.abortAll();
      await within(client.closed, "the close");
      await speaks(await one.open(fixture.server, name));
    });
  });

  describe(`bounds of a ${one.kind}`, () => {
    test("P2.5 a token that grants nothing is refused, and nothing is woken", async () => {
      const name = fresh(one);
      for (const caps of [{}, { "*": [] }]) {
        const answer = await one.read(fixture.server, name, { caps });
        assert.equal(answer.status, 403, answer.text);
        assert.equal(problem(answer).code, "forbidden");
        const client = await one.begin(fixture.server, name, { caps });
        assert.equal((await client.next("nack")).error?.code, "forbidden");
        await client.closedWith(4403);
      }
      assert.equal(await evict(one, name), false, "the object never ran");
    });

    test("P13.6 a message that cannot be read is answered or ends the connection", async () => {
      const name = fresh(one);
      const client = await one.open(fixture.server, name);
      client.socket.send("no JSON");
      assert.equal((await client.next("nack")).error?.code, "invalid-frame");
      const pad = "t".repeat(5000);
      const error = await client.refused({ type: "seen", n: 0, pad }, "too-large");
      assert.equal(error.status, 413);
      await speaks(client);
      client.socket.send(JSON.stringify({ type: "seen", pad: pad.repeat(4) }));
      assert.equal((await client.next("nack")).error?.code, "too-large");
      await client.closedWith(4413);
    });
  });

  describe(`a panic in a ${one.kind}`, () => {
    test("its connection is answered or closed at once, and it serves again", async () => {
      const name = fresh(one);
      const client = await one.open(fixture.server, name);
      assert.match(await panics(client), /^(nack|closed)$/);
      await speaks(await one.open(fixture.server, name));
      assert.equal((await one.read(fixture.server, name)).status, 200);
    });

    test("P13.4 so is one that asks for too much memory", async () => {
      const name = fresh(one);
      const client = await one.open(fixture.server, name);
      assert.match(await panics(client, "sessile.fault.memory"), /^(nack|closed)$/);
      await speaks(await one.open(fixture.server, name));
    });

    for (const other of classes) {
      test(`a ${other.kind} of the isolate is whole, or reset and serves again`, async () => {
        const [awake, asleep] = [fresh(other), fresh(other)];
        const clients = [
          await other.open(fixture.server, awake),
          await other.open(fixture.server, asleep),
        ];
        await evict(other, asleep);
        const attacker = await one.open(fixture.server, fresh(one));
        const reads = Array.from({ length: 10 }, () => other.read(fixture.server, awake));
        await panics(attacker);
        for (const answer of await within(Promise.all(reads), "every request to be answered")) {
          if (answer.status !== 200) assert.equal(problem(answer).code, "internal", answer.text);
        }
        for (const [index, client] of clients.entries()) {
          const spoke = speaks(client).then(
            () => "spoke",
            () => "closed",
          );
          await within(spoke, "an answer or a close");
          const name = index === 0 ? awake : asleep;
          await speaks(await other.open(fixture.server, name));
        }
      });
    }
  });

  describe(`kill -9 of a ${one.kind}`, () => {
    test(`${KILLS} times: whoever comes again is served`, async () => {
      const name = fresh(one);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const clients = [
          await one.open(fixture.server, name),
          await one.open(fixture.server, name),
        ];
        await Promise.all(clients.map(speaks));
        for (const client of clients) client.send({ type: "seen", n: 0 });
        await fixture.server.restart();
        await Promise.all(clients.map((client) => within(client.closed, "the close")));
        assert.equal((await one.read(fixture.server, name)).status, 200);
      }
      await speaks(await one.open(fixture.server, name));
    });
  });
}
