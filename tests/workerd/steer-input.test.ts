// P6.2, P10.3: whether an input steers a turn or begins one is decided by the session: of many
// that race the ends of turns, each is read by exactly one turn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame, Turn } from "../support/frames.ts";
import { getHistory } from "../support/http.ts";
import { agent, getTurns, settings, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

// As fast as they can.
const LIMITS = { framesPerSecond: 1e6, framesBurst: 1e6 };
const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(LIMITS) } });
const INPUTS = 1000;

/** An agent that answers whatever comes, ends its turns at once, and counts what it has read. */
class Agent {
  /** How often each input was read, and by how many as an instruction. */
  readonly reads = new Map<string, number>();
  steered = 0;
  #client: Client;

  constructor(client: Client) {
    this.#client = client;
    client.onFrames = (frames) => {
      for (const frame of frames) this.#take(frame);
    };
  }

  #take(frame: Frame): void {
    const { type, message, turn } = frame;
    if (type === "message.create" && message?.role === "user" && !message.headers?.steer) {
      void this.#answer(message.serial);
    }
    if (type === "turn.queue") void this.#answer(turn?.input as string);
    if (type === "turn.steer" && turn) void this.#read(turn, frame.message as unknown as string);
  }

  #count(input: string): void {
    this.reads.set(input, (this.reads.get(input) ?? 0) + 1);
  }

  async #answer(input: string): Promise<void> {
    const { result } = await this.#client.request({ type: "turn.start", input });
    const turn = result?.turn;
    if (!turn || result?.duplicate) return;
    this.#count(input);
    // A few more inputs come in between.
    await this.#client.ping();
    await this.#client.request({ type: "turn.end", turn: turn.id, status: "complete" });
  }

  async #read(turn: Turn, serial: string): Promise<void> {
    const { result } = await this.#client.request({ type: "turn.steered", turn: turn.id, serial });
    if (!result || result.duplicate) return;
    this.#count(serial);
    this.steered += 1;
  }
}

test("P10.3 of a thousand inputs that race a turn's end each is read by one turn", async () => {
  const session = fixture.session("steer");
  await settings(fixture.server, session, { onInput: "steer" });
  const reader = new Agent(await agent(fixture.server, session, { keep: false }));
  const user = await connect(fixture.server, session, { ...USER, keep: false });
  const sent: string[] = [];
  let next = 0;
  const send = async () => {
    while (next < INPUTS) {
      next += 1;
      sent.push(await user.publish(`input ${next}`, { id: `m${next}` }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, send));
  await until(
    async () => (await getTurns(fixture.server, session)).turns.length,
    (open) => open === 0 && reader.reads.size === INPUTS,
    "every input to be read",
  );
  assert.deepEqual(
    [...reader.reads.values()].filter((count) => count !== 1),
    [],
  );
  assert.deepEqual([...reader.reads.keys()].sort(), sent.sort());
  const history = await getHistory(fixture.server, session);
  const words = history.map(({ headers }) => headers?.steer ?? "answered");
  const count = (word: string) => words.filter((it) => it === word).length;
  assert.equal(count("taken"), reader.steered);
  assert.equal(count("waiting") + count("missed"), 0);
  // All three ways were gone.
  for (const word of ["taken", "requeued", "answered"]) assert.ok(0 < count(word), word);
});
