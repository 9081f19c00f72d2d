// P14: bounds of connections, presence and of what is not taken, per client and over everybody.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertUndisturbed, besides } from "../support/bystanders.ts";
import { type Client, connect, open } from "../support/client.ts";
import { diagnostics, type Fixture, useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { call, streamBody } from "../support/http.ts";
import { AGENT, getPresence, USER, VIEWER } from "../support/turns.ts";
import { sleep, until, within } from "../support/wait.ts";

const MIB = 1024 * 1024;
const query = { rewind: 0 };

async function clientsOf(fixture: Fixture, session: string): Promise<string[]> {
  const { connections } = await diagnostics(fixture.server, session);
  return connections.map(({ client }) => client);
}

describe("connections", () => {
  const limits = { connections: 60, clientConnections: 20, reservedConnections: 10 };
  const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });
  /** A tenth of all is kept for those who write, at most. */
  const OPEN = 54;

  /** Attaches unless it is refused, as one connection too many is. */
  async function attachOne(session: string, sub: string, caps: string): Promise<Client | null> {
    const options = { sub, caps: { "*": [caps] }, query, keep: true };
    const client = await open(fixture.server, session, options);
    const first = await client.next(({ type }) => type === "caught-up" || type === "nack");
    if (first.type === "caught-up") return client;
    assert.equal(first.error?.code, "over-limit");
    await client.closedWith(4429);
    return null;
  }

  test("P14 one viewer takes its share, and writers get in when viewers took the rest", async () => {
    const [session, other] = [fixture.session("crowded"), fixture.session("other")];
    const held: Client[] = [];
    const attach = async (sub: string, caps: string): Promise<boolean> => {
      const client = await attachOne(session, sub, caps);
      if (client !== null) held.push(client);
      return client !== null;
    };
    let attaches = 0;
    const cost = await besides(fixture.server, session, other, async () => {
      for (let count = 0; count < 40; count += 1) {
        assert.equal(await attach("victor", "viewer"), count < 20, `connection ${count}`);
      }
      assert.ok(await attach("vera", "viewer"), "somebody else is let in");
      const taken = async () => (await clientsOf(fixture, session)).length;
      while ((await taken()) < OPEN) await attach(`viewer-${held.length}`, "viewer");
      assert.equal(await attach("one-more", "viewer"), false, "the rest is for those who write");
      assert.ok(await attach("scribe", "agent"));
      assert.ok(await attach("ann", "user"));
      attaches = held.length;
      for (const client of held) await client.close();
    });
    assertUndisturbed(cost, attaches * 10);
  });
});

describe("presence", () => {
  const told = 2 * MIB;
  const limits = { presenceBytesPerSecond: told, framesPerSecond: 1000 };
  const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });

  test("P7.3 what a hundred members of one client say is told at a bounded rate", async () => {
    const [session, other] = [fixture.session("present"), fixture.session("other")];
    const members = 97;
    let bytes = 0;
    let seconds = 0;
    const cost = await besides(fixture.server, session, other, async () => {
      const clients: Client[] = [];
      for (let count = 0; count < members; count += 1) {
        clients.push(await connect(fixture.server, session, { ...VIEWER, query, keep: false }));
      }
      const start = performance.now();
      const before = clients.reduce((sum, client) => sum + client.bytes, 0);
      for (let round = 0; performance.now() - start < 2000; round += 1) {
        const data = { round, more: "x".repeat(4000) };
        for (const client of clients) client.send({ type: "presence.set", data });
        await sleep(50);
      }
      seconds = (performance.now() - start) / 1000;
      for (const client of clients) {
        assert.equal(client.isClosed, false);
        bytes += client.bytes;
      }
      bytes -= before;
      for (const client of clients) await client.close();
    });
    const most = told * (seconds + 2);
    assert.ok(bytes < most, `${bytes} bytes in ${seconds} s, at most ${most}`);
    assert.ok(bytes > told / 4, `${bytes} bytes are next to nothing`);
    assertUndisturbed(cost, members * 10);
  });
});

describe("readers who read nothing", () => {
  const limits = {
    unsentBytes: 64 * MIB,
    clientUnsentBytes: 8 * MIB,
    readersUnsentBytes: 16 * MIB,
    textBytesPerSecond: 256 * MIB,
    frameBytes: MIB,
  };
  const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });

  test("P14 hold so much together, whoever they are, and nobody else is closed", async () => {
    const [session, other] = [fixture.cutSession(), fixture.session("other")];
    await besides(fixture.server, session, other, async () => {
      const stalled = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          connect(fixture.server, session, { ...VIEWER, sub: `stalled-${index}`, query }),
        ),
      );
      for (const one of stalled) one.socket.stall();
      const writer = await connect(fixture.server, session, { ...USER, keep: false });
      const data = "x".repeat(MIB - 4096);
      // Each of them holds less than its client may.
      for (let count = 0; count < 6; count += 1) await writer.publish(data);
      const rest = await until(
        async () => (await diagnostics(fixture.server, session)).connections,
        (rest) => rest.reduce((sum, { unsent }) => sum + unsent, 0) <= limits.readersUnsentBytes,
        "readers that read nothing to be closed",
      );
      const clients = rest.map(({ client }) => client);
      const left = clients.filter((client) => client.startsWith("stalled")).length;
      assert.ok(left < stalled.length, `${left} are left`);
      for (const one of ["reader-0", "reader-1", "writer", "ann"]) {
        assert.ok(clients.includes(one), `${one} is not closed`);
      }
      for (const one of stalled) one.cut();
      await writer.close();
    });
  });
});

describe("names and presence that are kept over a sleep", () => {
  const fixture = useServer();

  test("P14 in the widest form they fit, or are refused by name", async () => {
    const session = fixture.session("kept");
    const witness = await connect(fixture.server, session, { sub: "witness" });
    const control = "\u0001".repeat(128);
    const name = "\u4e00".repeat(128);
    const kept: Client[] = [];
    const present: string[] = [];
    let refused = 0;
    for (const count of [1, 2, 3, 4, 5, 6, 8, 16, 32]) {
      const names = Array.from({ length: count }, (_, index) => control.slice(2) + index).join();
      const options = { sub: `c${count}`.padEnd(128, "c"), name, query: { names, rewind: 0 } };
      const client = await open(fixture.server, session, options);
      const first = await client.next(({ type }) => type === "caught-up" || type === "nack");
      if (first.type === "nack") {
        refused += 1;
        assert.match(first.error?.code ?? "", /^(too-large|invalid-frame)$/);
        await within(client.closed, "the close of what is refused");
        continue;
      }
      kept.push(client);
      const data = "\u0001".repeat(670);
      const answer = await client.request({ type: "presence.set", data });
      if (answer.type === "ack") present.push(options.sub);
      else assert.equal(answer.error?.code, "too-large");
    }
    assert.ok(refused > 0 && kept.length > 0, `${refused} refused, ${kept.length} kept`);
    assert.ok(0 < present.length && present.length < kept.length, `${present.length} are present`);
    assert.equal(await fixture.server.evict(session), true);
    const members = await getPresence(fixture.server, session);
    assert.deepEqual(members.map(({ client }) => client).sort(), present.sort());
    for (const client of [witness, ...kept]) {
      assert.equal((await client.request({ type: "signal", name: "n", data: 1 })).type, "ack");
    }
  });
});

describe("one client", () => {
  const limits = { framesPerSecond: 10, framesBurst: 50 };
  const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });
  /** As much as eight connections may. */
  const BURST = 8 * limits.framesBurst;
  const PER_SECOND = 8 * limits.framesPerSecond;

  test("P14 is no faster with many connections and requests than with eight", async () => {
    const [session, other] = [fixture.session("fast"), fixture.session("other")];
    await besides(fixture.server, session, other, async () => {
      const start = performance.now();
      let taken = 0;
      const count = (answers: readonly Frame[]): void => {
        for (const { type, error } of answers) {
          taken += type === "ack" ? 1 : 0;
          if (type === "nack") assert.equal(error?.code, "rate-limited");
        }
      };
      const array = Array.from({ length: 50 }, (_, ref) => ({
        type: "publish",
        ref,
        messages: [{ data: 1 }],
      }));
      for (let connection = 0; connection < 12; connection += 1) {
        const client = await connect(fixture.server, session, { ...USER, query });
        client.send(array);
        await client.next(({ ref }) => ref === 49).then((last) => count([last]));
        count(client.inbox.filter(({ type }) => /^n?ack$/.test(type)));
        await client.close();
      }
      const posts = Array.from({ length: 100 }, () =>
        call(fixture.server, session, "POST", "/messages", { ...USER, json: { data: 1 } }),
      );
      for (const answer of await Promise.all(posts)) {
        assert.ok([201, 429].includes(answer.status), answer.text);
        taken += answer.status === 201 ? 1 : 0;
      }
      const most = BURST + PER_SECOND * ((performance.now() - start) / 1000 + 1);
      assert.ok(taken >= BURST, `${taken} were taken`);
      assert.ok(taken <= most, `${taken} were taken, at most ${most} may be`);
      const stranger = await connect(fixture.server, session, { ...AGENT, query });
      await stranger.publish("others are as fast as ever");
      await stranger.close();
    });
  });
});

describe("bodies that say nothing", () => {
  const fixture = useServer();

  test("P2.6 end with their tokens, fifty of them as well", async () => {
    const [session, other] = [fixture.session("silent"), fixture.session("other")];
    await besides(fixture.server, session, other, async () => {
      const who = { ...AGENT, expiresIn: 2 };
      const begun = Array.from({ length: 50 }, async (_, index) => {
        const path = index % 2 === 0 ? "/messages?stream=1" : "/frames";
        const type = index % 2 === 0 ? "text/plain" : "application/x-ndjson";
        const body = await streamBody(fixture.server, session, path, type, who);
        body.write(index % 2 === 0 ? "said " : "\n");
        return body;
      });
      for (const body of await Promise.all(begun)) {
        const { status, text } = await within(body.answer, "the end of a silent body");
        assert.ok(status === 401 || text.includes("unauthorized"), `${status} ${text}`);
      }
      const left = await until(
        () => clientsOf(fixture, session),
        (clients) => !clients.includes(AGENT.sub),
        "nothing to be left of them",
      );
      assert.deepEqual(left.sort(), ["reader-0", "reader-1", "writer"]);
    });
  });
});
