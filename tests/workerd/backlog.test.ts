// P14: what readers who read nothing hold together, and what a read may cost.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { Reader } from "../support/reader.ts";
import { until } from "../support/wait.ts";

const MIB = 1024 * 1024;

describe("readers who read nothing", () => {
  // Each may leave more than all of a client may, so that only the sum counts.
  const limits = {
    unsentBytes: 64 * MIB,
    clientUnsentBytes: 4 * MIB,
    textBytesPerSecond: 256 * MIB,
    frameBytes: MIB,
  };
  const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });

  test("P14 are closed by what their client holds, and nobody else is", async () => {
    const session = fixture.cutSession();
    const writer = await connect(fixture.server, session, { sub: "writer", keep: false });
    const good = new Reader(fixture.server, session, { sub: "good" });
    await good.attach();
    const stalled = await Promise.all(
      Array.from({ length: 3 }, () => connect(fixture.server, session, { sub: "stalled" })),
    );
    for (const one of stalled) one.socket.stall();
    const data = "x".repeat(MIB - 4096);
    for (let count = 0; count < 12; count += 1) await writer.publish(data);
    const clients = await until(
      async () => (await diagnostics(fixture.server, session)).connections.map((c) => c.client),
      (clients) => clients.filter((client) => client === "stalled").length < 2,
      "those that read nothing to be closed",
    );
    assert.ok(clients.includes("good"));
    assert.ok(clients.includes("writer"));
    for (const one of stalled) one.cut();
    await good.close();
    await writer.close();
  });
});

describe("reads", () => {
  const quick = {
    framesPerSecond: 1_000_000,
    framesBurst: 1_000_000,
    messagesPerSecond: 1_000_000,
  };
  const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(quick) } });

  test("P3.6 an old position costs no more rows in a longer log", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent", keep: false });
    const since = await agent.publish("x");
    let count = 0;
    const turns = async (more: number): Promise<void> => {
      const end = count + more;
      for (; count < end; count += 1) {
        const turn = `t${count}`;
        agent.send([
          { type: "turn.start", id: turn },
          { type: "turn.end", turn, status: "complete" },
        ]);
      }
      await agent.publish("all of it is there");
    };
    const cost = async (query: Record<string, string | number>): Promise<number> => {
      const before = (await diagnostics(fixture.server, session)).rowsRead;
      const { client, attached } = await attach(fixture.server, session, { sub: "r", query });
      assert.equal(attached.resumed, false);
      await client.close();
      return (await diagnostics(fixture.server, session)).rowsRead - before;
    };
    const old = { since, rewind: 0 };
    await turns(2_100);
    const few = await cost(old);
    await turns(1_000);
    const many = await cost(old);
    assert.ok(few < 4_200, `${few} rows were read to find that it is too much`);
    assert.ok(many <= few + 20, `${few} rows, then ${many}`);
    const rare = await cost({ names: "rare" });
    assert.ok(rare < 4_200, `${rare} rows were read to find none of a name`);
    assert.equal((await call(fixture.server, session, "GET", "/messages")).status, 200);
    await agent.close();
  });
});
