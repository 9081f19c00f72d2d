// P6.11: turns within turns, in the real runtime: a cancel of the root reaches every leaf, whoever
// leads it and whatever streams.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Turn } from "../support/frames.ts";
import { getMessage } from "../support/http.ts";
import { agent, answer, cancel, end, getTurns, settings, start, USER } from "../support/turns.ts";
import { until, within } from "../support/wait.ts";

const fixture = useServer();

/** A root with three children, and three in each of those: names, and those around them. */
const TREE: readonly [string, string | undefined][] = [
  ["root", undefined],
  ...["a", "b", "c"].flatMap((child): [string, string][] => [
    [child, "root"],
    ...[1, 2, 3].map((leaf): [string, string] => [`${child}${leaf}`, child]),
  ]),
];
const ROUNDS = 25;
/** The rule's bound, for a machine that does nothing else: others are given four times that. */
const REFUSED_MS = 300;
const PIECE = "x".repeat(100);

type Nested = Turn & { within?: string };

interface Leader {
  client: Client;
  turn: string;
  serial: string;
}

/** A turn that streams, led by a client of its own. */
async function lead(client: Client, turn: string, around?: string): Promise<Leader> {
  await start(client, { id: turn, leaseMs: 600_000, ...(around && { within: around }) });
  return { client, turn, serial: await answer(client, turn) };
}

function leader(session: string, name: string): Promise<Client> {
  return agent(fixture.server, session, { sub: `agent-${name}` });
}

/** Streams until it is refused, and tells when that was and how much was taken until then. */
async function stream({ client, serial }: Leader): Promise<{ at: number; taken: number }> {
  for (let seq = 1; ; seq += 1) {
    const { type, error } = await client.request({ type: "append", serial, seq, data: PIECE });
    if (type === "ack") continue;
    assert.equal(error?.code, "turn-closed");
    return { at: performance.now(), taken: seq - 1 };
  }
}

/** The value that 99 of a hundred do not exceed. */
function percentile99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
}

/** Leaders that stop when they are told to; and those that do not, in a session without grace. */
for (const isObedient of [true, false]) {
  const kind = isObedient ? "is ended by its leader" : "is ended without its leader";
  test(`P6.11 every leaf of a tree that streams and is cancelled ${kind}, soon`, async (t) => {
    const session = fixture.session("tree");
    const user = await connect(fixture.server, session, USER);
    if (!isObedient) await settings(fixture.server, session, { cancelGraceMs: 0 });
    const clients = new Map<string, Client>();
    for (const [name] of TREE) clients.set(name, await leader(session, name));
    const waits: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const leaders: Leader[] = [];
      const idOf = (name: string) => `${name}-${round}`;
      for (const [name, around] of TREE) {
        const client = clients.get(name) as Client;
        leaders.push(await lead(client, idOf(name), around && idOf(around)));
      }
      const streams = leaders.map(stream);
      const stops = leaders.map(async ({ client, turn }) => {
        const told = await client.next((it) => it.type === "turn.cancel" && it.turn?.id === turn);
        assert.equal(told.turn?.cancel?.by, USER.sub);
        if (isObedient) await client.request({ type: "turn.end", turn, status: "cancelled" });
      });
      // In the middle of it.
      await user.ping();
      const asked = performance.now();
      const [root] = await cancel(user, { turn: idOf("root"), reason: "enough" });
      assert.equal(root?.cancel?.reason, "enough");
      const ends = await within(Promise.all(streams), "every leaf to be refused");
      await Promise.all(stops);
      waits.push(...ends.map(({ at }) => at - asked));
      // All that was acknowledged is there, and nothing that was refused.
      for (const [at, { serial }] of leaders.entries()) {
        const { data, status } = await getMessage(fixture.server, session, serial);
        assert.equal(String(data).length, (ends[at]?.taken ?? 0) * PIECE.length);
        assert.equal(status, "cancelled");
      }
      for (const { client } of leaders) client.inbox = [];
    }
    const { turns } = await getTurns(fixture.server, session, "?status=all&limit=1000");
    assert.equal(turns.length, TREE.length * ROUNDS);
    assert.deepEqual(new Set(turns.map(({ status }) => status)), new Set(["cancelled"]));
    const around = new Map(turns.map((turn) => [turn.id, (turn as Nested).within]));
    assert.deepEqual(
      [around.get("root-1"), around.get("a-1"), around.get("a1-1")],
      [undefined, "root-1", "a-1"],
    );
    // All of a tree is cancelled in one step.
    assert.equal(new Set(turns.map((turn) => turn.cancel?.at)).size, ROUNDS);
    const slow = percentile99(waits);
    t.diagnostic(`refused after ${Math.round(slow)} ms at the 99th of ${waits.length}`);
    assert.ok(slow < 4 * REFUSED_MS, `refused after ${Math.round(slow)} ms`);
  });
}

test("P6.11 a turn that ends takes those within it along, over an eviction", async () => {
  const session = fixture.session("ends");
  await settings(fixture.server, session, { cancelGraceMs: 0 });
  const root = await lead(await leader(session, "root"), "root");
  const child = await lead(await leader(session, "a"), "a", "root");
  const leaf = await lead(await leader(session, "a1"), "a1", "a");
  const free = await agent(fixture.server, session, { sub: "free" });
  await start(free, { id: "free", leaseMs: 600_000, within: "root", detached: true });
  await end(child.client, "a");
  const cancelled = await leaf.client.next("turn.cancel");
  assert.equal(cancelled.turn?.cancel?.reason, "parent-ended");
  await fixture.server.evict(session);
  await end(root.client, "root");
  const { turns } = await until(
    () => getTurns(fixture.server, session, "?status=all"),
    ({ turns: all }) => all.filter(({ status }) => status === "active").length === 1,
    "all but the detached one to end",
  );
  const statuses = Object.fromEntries(turns.map(({ id, status }) => [id, status]));
  assert.deepEqual(statuses, { free: "active", a1: "cancelled", a: "complete", root: "complete" });
  await end(free, "free");
});
