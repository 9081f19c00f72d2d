// P3.2, P6.8: `kill -9` of workerd in the middle of turns. Acknowledged frames stand, every turn is
// open with its attempt or final, and nobody waits forever.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Turn } from "../support/frames.ts";
import { getHistory } from "../support/http.ts";
import { Random, tokens } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import { agent, answer, drive, end, getTurns, start, USER } from "../support/turns.ts";
import { sleep } from "../support/wait.ts";

const KILLS = Number(process.env.SESSILE_KILLS ?? 8);
const OPEN = new Set(["queued", "active", "suspended"]);
const fixture = useServer();

/** The acknowledged state of each turn, at the least: it may have come further. */
type Acked = Map<string, Turn>;

/** How far a turn has come: later acks may only be of what is further. */
function rank(turn: Turn): number {
  return OPEN.has(turn.status) ? turn.attempt + (turn.cancel ? 0.5 : 0) : Number.POSITIVE_INFINITY;
}

/** Starts, streams, cancels, adopts and ends turns until the server is gone. */
async function work(clients: Client[], phone: Client, random: Random, acked: Acked, round: number) {
  const note = (turn: Turn) => acked.set(turn.id, turn);
  for (let count = 0; ; count += 1) {
    const leader = random.pick(clients);
    const turn = await start(leader, { id: `turn-${round}-${count}`, leaseMs: 1000 });
    note(turn);
    const serial = await answer(leader, turn.id);
    for (const data of tokens(random.below(10))) leader.send({ type: "append", serial, data });
    if (random.below(3) === 0) {
      const { turns } = await phone.ok({ type: "cancel", turn: turn.id });
      for (const cancelled of turns ?? []) note(cancelled);
    }
    let last = leader;
    if (random.below(3) === 0) {
      last = random.pick(clients);
      note(await drive(last, "turn.adopt", turn.id));
    }
    if (random.below(2) === 0) note(await end(last, turn.id));
  }
}

test(`P6.8 ${KILLS} times: turns are as acknowledged, or further; leases run out`, async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const session = fixture.session("crash");
  const { server } = fixture;
  const acked: Acked = new Map();
  const reader = new Reader(server, session, USER);
  await reader.attach();
  for (let round = 0; round < KILLS; round += 1) {
    const clients = [await agent(server, session), await agent(server, session)];
    const phone = await connect(server, session, USER);
    const working = Promise.allSettled(
      [0, 1, 2].map((lane) => work(clients, phone, random, acked, round * 10 + lane)),
    );
    await sleep(random.between(20, 150));
    await server.kill9();
    await working;
    await reader.cut();
    await server.start();
    const { turns } = await getTurns(server, session, "?status=all&limit=1000");
    const found = new Map(turns.map((turn) => [turn.id, turn]));
    for (const [id, turn] of acked) {
      const kept = found.get(id);
      assert.ok(kept, `${id} is there`);
      assert.ok(rank(kept) >= rank(turn), `${JSON.stringify(kept)} after ${JSON.stringify(turn)}`);
      if (!OPEN.has(turn.status)) assert.deepEqual(kept, turn, "what is final stays as it was");
    }
    await reader.attach();
    assert.equal(reader.fold.attached?.resumed, true);
    reader.fold.assertSound();
  }
  t.diagnostic(`${acked.size} turns were acknowledged`);
  assert.ok(acked.size > KILLS);
  await reader.holds(
    ({ turns }) => [...turns.values()].every((turn) => !OPEN.has(turn.status)),
    "every lease to run out",
  );
  const messages = await getHistory(server, session);
  assert.deepEqual(
    messages.filter((message) => message.status === "streaming"),
    [],
  );
  const { turns } = await getTurns(server, session, "?status=all&limit=1000");
  for (const turn of turns) {
    assert.deepEqual(reader.fold.turns.get(turn.id), turn, "a reader has it as the session does");
    if (turn.cancel) assert.equal(turn.status, "cancelled");
    else if (turn.status === "failed") assert.equal(turn.reason, "agent-lost");
  }
  reader.fold.assertSound();
});
