// P6.12: usage and budgets in the real runtime: a spent budget stops every stream at once, keeps
// what was said and says why to everybody; sums outlive eviction and `kill -9`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { rowsWritten, useServer } from "../support/fixture.ts";
import type { Frame, Turn } from "../support/frames.ts";
import { call, getHistory } from "../support/http.ts";
import {
  agent,
  answer,
  drive,
  end,
  getSnapshot,
  getTurns,
  post,
  settings,
  start,
  USER,
  VIEWER,
} from "../support/turns.ts";
import { within } from "../support/wait.ts";

const fixture = useServer();

type Usage = Record<string, number>;
type Used = Turn & { usage?: Usage };

interface Leader {
  client: Client;
  turn: string;
  serial: string;
  /** The length of its text that was acknowledged. */
  said: number;
}

async function lead(session: string, turn: string): Promise<Leader> {
  const client = await agent(fixture.server, session, { sub: `agent-${turn}` });
  await start(client, { id: turn, leaseMs: 600_000 });
  return { client, turn, serial: await answer(client, turn), said: 0 };
}

/** Streams until its turn is over, as one that does not hear of the cancel. */
async function stream(leader: Leader): Promise<string> {
  const { client, serial } = leader;
  for (let seq = 1; ; seq += 1) {
    const data = `${leader.turn} ${seq} `;
    const { type, error } = await client.request({ type: "append", serial, seq, data });
    if (type === "nack") return error?.code ?? "";
    leader.said += data.length;
  }
}

async function shown(session: string): Promise<{ usage?: Usage; overBudget?: unknown }> {
  return (await getSnapshot(fixture.server, session)) as never;
}

test("P6.12 a budget that is spent amid three streams stops them all, and says why", async () => {
  const { server } = fixture;
  const session = fixture.session("budget");
  await settings(server, session, { budget: { tokens: 100 }, cancelGraceMs: 0 });
  const readers = [
    await connect(server, session, USER),
    await connect(server, session, { ...VIEWER, query: { names: "nothing" } }),
  ];
  const leaders = [await lead(session, "a"), await lead(session, "b"), await lead(session, "c")];
  const everybody = [...readers, ...leaders.map(({ client }) => client)];
  const told = everybody.map((client) =>
    within(
      Promise.all([
        client.next((it) => it.type === "usage" && "overBudget" in it),
        ...leaders.map(({ turn }) =>
          client.next((it) => it.type === "turn.cancel" && it.turn?.id === turn),
        ),
      ]),
      "everybody to be told",
    ),
  );
  const streams = leaders.map(stream);
  const [a, b] = leaders as [Leader, Leader];
  await drive(a.client, "turn.usage", "a", { usage: { tokens: 60 } });
  assert.equal((await shown(session)).overBudget, undefined);
  await drive(b.client, "turn.usage", "b", { usage: { tokens: 41 } });
  const codes = await within(Promise.all(streams), "every stream to be refused");
  assert.deepEqual(codes, ["turn-closed", "turn-closed", "turn-closed"]);
  const over = { name: "tokens", limit: 100, used: 101 };
  for (const [spent, ...cancels] of await Promise.all(told)) {
    assert.deepEqual((spent as Frame & { overBudget: unknown }).overBudget, over);
    for (const { turn } of cancels) {
      assert.deepEqual([turn?.cancel?.reason, turn?.cancel?.by], ["budget", "agent-b"]);
    }
  }
  const { turns } = await getTurns(server, session, "?status=all");
  assert.deepEqual(
    turns.map(({ id, status }) => [id, status]).sort(),
    [..."abc"].map((id) => [id, "cancelled"]),
  );
  assert.equal(new Set(turns.map((turn) => turn.cancel?.at)).size, 1, "in one step");
  const history = new Map((await getHistory(server, session)).map((it) => [it.serial, it]));
  for (const { serial, said } of leaders) {
    const { data, status } = history.get(serial) ?? {};
    assert.ok(said > 0 && String(data).length >= said, `${said} were acknowledged: ${data}`);
    assert.equal(status, "cancelled");
  }
  // Nothing begins until the limit is raised, also after the session has slept.
  const refused = async () => {
    const error = await a.client.refused({ type: "turn.start", id: "d" }, "over-budget");
    assert.deepEqual(
      { ...error, message: "" },
      { code: "over-budget", status: 402, message: "", ...over },
    );
  };
  await refused();
  await server.evict(session);
  await refused();
  const byHttp = await post(server, session, { type: "turn.start", id: "d" });
  assert.equal(byHttp.status, 402);
  assert.deepEqual((await shown(session)).overBudget, over);
  await readers[0]?.publish("anybody there?");
  await settings(server, session, { budget: { tokens: 1000 } });
  await readers[1]?.next((it) => it.type === "usage" && !("usage" in it || "overBudget" in it));
  assert.equal((await start(a.client, { id: "d" })).status, "active");
  for (const client of everybody) await client.close();
});

test("P6.12 sums are exact over repeats, eviction and kill -9, until the end", async () => {
  const { server } = fixture;
  const session = fixture.session("sums");
  let sum = 0;
  for (let round = 0; round < 4; round += 1) {
    const client = await agent(server, session);
    const turn = `t${round}`;
    await start(client, { id: turn, leaseMs: 600_000 });
    for (let n = 0; n < 20; n += 1) {
      const frame = { type: "turn.usage", turn, id: `u${round}-${n}`, usage: { tokens: n } };
      sum += n;
      await client.ok(frame);
      if (n % 5 === 0) assert.equal((await client.ok(frame)).duplicate, true);
    }
    if (round % 2 === 0) await end(client, turn, "complete", { usage: { tokens: 0.5, calls: 1 } });
    sum += round % 2 === 0 ? 0.5 : 0;
    client.cut();
    if (round % 2 === 0) {
      await server.kill9();
      await server.start();
    } else await server.evict(session);
    assert.deepEqual((await shown(session)).usage, {
      calls: Math.ceil((round + 1) / 2),
      tokens: sum,
    });
    const { turns } = await getTurns(server, session, "?status=all");
    const own = turns.reduce((all, it) => all + ((it as Used).usage?.tokens ?? 0), 0);
    assert.equal(own, sum, "each turn has its own");
  }
  const deleted = await call(server, session, "DELETE", "");
  assert.equal(deleted.status, 200);
  assert.equal((await shown(session)).usage, undefined);
});

test("P6.12 a report costs three rows, in an end one", async (t) => {
  const { server } = fixture;
  const session = fixture.session("rows");
  const client = await agent(server, session);
  await start(client, { id: "t", leaseMs: 600_000 });
  await start(client, { id: "u", leaseMs: 600_000 });
  await drive(client, "turn.usage", "t", { usage: { tokens: 1 } });
  const cost = async (work: () => Promise<unknown>) => {
    const before = await rowsWritten(server, session);
    await work();
    return (await rowsWritten(server, session)) - before;
  };
  const report = await cost(() => drive(client, "turn.usage", "t", { usage: { tokens: 1 } }));
  const plain = await cost(() => end(client, "u"));
  const ended = await cost(() => end(client, "t", "complete", { usage: { tokens: 1 } }));
  t.diagnostic(`a report ${report} rows, an end ${plain}, with usage ${ended}`);
  assert.deepEqual([report, ended - plain], [3, 1]);
  await client.close();
});
