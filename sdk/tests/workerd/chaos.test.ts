// A wire that cuts, delays and freezes at random: what the client shows is always sound, and in
// the end it is what the session holds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect } from "../../../tests/support/client.ts";
import { useServer } from "../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { Random, token } from "../../../tests/support/random.ts";
import { sleep } from "../../../tests/support/wait.ts";
import { historyOf, type Session } from "../../src/index.ts";
import { assertSame, history, open, shows } from "../support.ts";

const FRAMES = 10_000;
const STREAMS = 16;
const fixture = useServer();

interface Stream {
  turn: string;
  serial: string;
  seq: number;
  pieces: number;
}

/** An agent on a good wire, with several answers at once that it begins, grows, changes, ends. */
class Agent {
  readonly texts = new Map<string, string>();
  readonly #client: Client;
  readonly #random: Random;
  readonly #streams: Stream[] = [];
  readonly #whole: string[] = [];

  constructor(client: Client, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  async begin(): Promise<void> {
    const { turn } = (await this.#client.ok({ type: "turn.start" })) as { turn?: { id: string } };
    assert.ok(turn);
    const fields = { status: "streaming", role: "assistant", turn: turn.id };
    const serial = await this.#client.publish("", fields);
    this.texts.set(serial, "");
    this.#streams.push({ turn: turn.id, serial, seq: 0, pieces: this.#random.between(50, 400) });
  }

  /** One piece for one of the streams; those that are whole end. */
  async grow(): Promise<void> {
    const stream = this.#random.pick(this.#streams);
    stream.seq += 1;
    const { turn, serial, seq } = stream;
    const data = token(seq);
    this.texts.set(serial, this.texts.get(serial) + data);
    this.#client.send({ type: "append", serial, data, seq });
    if (seq < stream.pieces) return;
    this.#streams.splice(this.#streams.indexOf(stream), 1);
    await this.#client.ok({ type: "turn.end", turn, status: "complete" });
    this.#whole.push(serial);
    await this.begin();
  }

  /** Something else that happens to messages. */
  async change(): Promise<void> {
    const client = this.#client;
    const what = this.#random.below(3);
    if (what === 0) await client.publish(`a note of ${this.#random.below(1000)}`);
    const serial = this.#whole.at(-1);
    if (serial === undefined || what === 0) return;
    if (what === 1)
      return void (await client.ok({ type: "update", serial, headers: { seen: "1" } }));
    this.#whole.pop();
    this.texts.delete(serial);
    await client.ok({ type: "delete", serial });
  }

  async end(): Promise<void> {
    for (const { turn } of this.#streams) {
      await this.#client.ok({ type: "turn.end", turn, status: "failed" });
    }
  }
}

/** Cuts, delays and freezes, until told not to. */
async function harm(wire: CuttingProxy, random: Random, isOver: () => boolean): Promise<number> {
  let cuts = 0;
  while (!isOver()) {
    await sleep(random.between(30, 300));
    const what = random.below(6);
    if (what < 4) {
      // A delay that changes on an open wire would change the order, too.
      wire.cut();
      wire.delay(random.pick([0, 0, random.between(1, 60)]));
      cuts += 1;
    } else if (what === 4) {
      wire.unplug();
      await sleep(random.between(10, 200));
      wire.plug();
    } else {
      // Longer than the client waits for a pong, now and then.
      wire.stall();
      await sleep(random.between(50, 500));
      wire.unstall();
    }
  }
  return cuts;
}

/** Everything that is shown is in order, there once, and the beginning of what was said. */
function watch(session: Session, agent: Agent): string[] {
  const wrong: string[] = [];
  const lengths = new Map<string, number>();
  const seen = new WeakSet<object>();
  session.subscribe(() => {
    let last = "";
    for (const message of session.messages) {
      const { serial, data, delivery } = message;
      if (serial <= last) wrong.push(`${serial} after ${last}`);
      last = serial;
      // The same object says the same.
      if (seen.has(message)) continue;
      seen.add(message);
      const text = agent.texts.get(serial);
      if (text === undefined || typeof data !== "string" || delivery) continue;
      if (!text.startsWith(data)) wrong.push(`${serial} is not what was said`);
      if (data.length < (lengths.get(serial) ?? 0)) wrong.push(`${serial} became shorter`);
      lengths.set(serial, data.length);
    }
  });
  return wrong;
}

test(`what is shown equals the session after ${FRAMES} frames of a bad wire`, async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  // Not one of the fixture's, which are evicted at the end: the runtime does not let go of a
  // socket that is cut while it is being opened.
  const name = "chaos";
  const wire = await CuttingProxy.start(fixture.server.port);
  t.after(() => wire.stop());
  const client = await connect(fixture.server, name, { sub: "agent" });
  const agent = new Agent(client, random);
  for (let stream = 0; stream < STREAMS; stream += 1) await agent.begin();
  const session = await open(t, wire, name, { sub: "reader", rollup: 0, rewind: 5 });
  const wrong = watch(session, agent);
  let frames = 0;
  let resets = 0;
  session.on("frame", () => {
    frames += 1;
  });
  session.on("reset", () => {
    resets += 1;
  });
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const harmed = harm(wire, random, () => isOver);
  const sent: string[] = [];
  for (let round = 0; frames < FRAMES; round += 1) {
    for (let piece = 0; piece < 2 * STREAMS; piece += 1) await agent.grow();
    if (round % 10 === 0) await agent.change();
    if (round % 12 === 0 && sent.length < 100) {
      sent.push(`said ${sent.length}`);
      session.send(sent.at(-1));
    }
    // Below the 2,000 messages a second that one connection may send (P14).
    await sleep(20);
  }
  isOver = true;
  const cuts = await harmed;
  await agent.end();
  await client.publish("the end");
  await shows(session, ({ messages }) => messages.at(-1)?.data === "the end", "the end");
  await shows(session, ({ messages }) => !messages.some((it) => it.delivery), "all to be sent");
  const expected = await history(fixture.server, name);
  await historyOf(session).loadOlder(expected.length);
  t.diagnostic(`${frames} frames, ${cuts} cuts, ${resets} resets, ${expected.length} messages`);
  assertSame(session.log, expected);
  assert.deepEqual(wrong, []);
  const own = session.messages.filter((message) => message.client === "reader");
  assert.deepEqual(
    own.map(({ data }) => data),
    sent,
    "what was sent arrived once, in order",
  );
  assert.ok(cuts > 10, "the wire was bad");
  assert.deepEqual(
    session.turns.filter(({ endedAt }) => endedAt === undefined),
    [],
    "every turn is known to have ended",
  );
});
