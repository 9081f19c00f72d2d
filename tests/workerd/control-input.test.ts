// Interrupt and steer (P6.6, P6.7), and what a session does with inputs that come while another
// is answered (P10.3).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame, Message } from "../support/frames.ts";
import { assertRefused, getMessage } from "../support/http.ts";
import { Random, tokens } from "../support/random.ts";
import { EventReader, Reader } from "../support/reader.ts";
import {
  agent,
  answer,
  drive,
  end,
  getTurn,
  getTurns,
  post,
  settings,
  start,
  USER,
  VIEWER,
} from "../support/turns.ts";
import { sleep } from "../support/wait.ts";

const fixture = useServer();

/** The frames after the first cancel, in one message to a reader. */
function afterCancel(frames: readonly Frame[]): string[] | undefined {
  const at = frames.findIndex((frame) => frame.type === "turn.cancel");
  return at < 0 ? undefined : frames.slice(at).map((frame) => frame.type);
}

describe("interrupt", () => {
  test("P6.6 every reader sees the cancel, then the message, in one array", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const phone = await connect(fixture.server, session, USER);
    const readers = [0, 40, 500].map(
      (rollup) => new Reader(fixture.server, session, { sub: `r${rollup}`, query: { rollup } }),
    );
    const seen = new Map<Reader, string[][]>(readers.map((reader) => [reader, []]));
    for (const reader of readers) {
      await reader.attach();
      reader.onFrames = (frames) => {
        const found = afterCancel(frames);
        if (found !== undefined) seen.get(reader)?.push(found);
      };
    }
    const sse = new EventReader(fixture.server, session, { sub: "sse" });
    await sse.attach();
    const events = await openEvents(fixture.server, session, { sub: "sse" });
    const ROUNDS = 8;
    let last = "";
    for (let round = 0; round < ROUNDS; round += 1) {
      const turns = [await start(scribe), await start(scribe)];
      const answers = await Promise.all(turns.map((turn) => answer(scribe, turn.id)));
      for (const data of tokens(random.between(1, 30))) {
        for (const serial of answers) scribe.send({ type: "append", serial, data });
      }
      await sleep(random.below(60));
      const result = await phone.ok({
        type: "publish",
        interrupt: true,
        messages: [{ id: `new-${round}`, data: `instead ${round}` }],
      });
      last = result.messages?.[0]?.serial ?? "";
      for (const turn of turns) await end(scribe, turn.id, "cancelled");
    }
    for (const reader of readers) {
      await reader.holdsText(last, `instead ${ROUNDS - 1}`);
      const expected = Array(ROUNDS).fill(["turn.cancel", "turn.cancel", "message.create"]);
      assert.deepEqual(seen.get(reader), expected);
      await reader.holds((fold) => fold.counts["turn.end"] === ROUNDS * 2, "every end");
      reader.fold.assertSound();
    }
    await sse.holds((fold) => fold.counts["turn.end"] === ROUNDS * 2, "every end by SSE");
    sse.fold.assertSound();
    await sse.cut();
    await events.next(({ frame }) => frame.serial === sse.fold.position);
    const types = events.inbox.map(({ frame }) => frame.type).join(" ");
    const steps = types.match(/turn\.cancel turn\.cancel message\.create/g);
    assert.equal(steps?.length, ROUNDS, types);
    assert.equal(types.match(/turn\.cancel/g)?.length, ROUNDS * 2);
    events.cut();
  });

  test("P6.6 one turn alone; a duplicate cancels nothing; it needs cancel", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const phone = await connect(fixture.server, session, USER);
    const [one, two] = [await start(scribe), await start(scribe)];
    const messages = [{ id: "m", data: "instead" }];
    await phone.ok({ type: "publish", interrupt: one.id, messages });
    assert.equal((await getTurn(fixture.server, session, one.id)).cancel?.by, "ann");
    const again = await phone.ok({ type: "publish", interrupt: true, messages });
    assert.equal(again.messages?.[0]?.duplicate, true);
    assert.equal((await getTurn(fixture.server, session, two.id)).cancel, undefined);
    const unable = { sub: "carl", caps: { "*": ["read", "publish"] } };
    const carl = await connect(fixture.server, session, unable);
    await carl.refused({ type: "publish", interrupt: true, messages: [{ data: 1 }] }, "forbidden");
    const missing = { type: "publish", interrupt: "nothing", messages: [{ data: 1 }] };
    await phone.refused(missing, "not-found");
    await end(scribe, one.id);
    await end(scribe, two.id);
    assert.equal((await getTurn(fixture.server, session, two.id)).status, "complete");
  });
});

describe("steer", () => {
  const steerOf = (message: Message) => message.headers?.steer;

  test("P6.7 taken: the agent has the instruction, its sender sees that", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const reader = new Reader(fixture.server, session, USER);
    await reader.attach();
    const phone = await connect(fixture.server, session, USER);
    const turn = await start(scribe);
    const { serial, turn: steered } = await phone.ok({
      type: "steer",
      turn: turn.id,
      data: { tone: "shorter" },
    });
    assert.ok(serial);
    assert.equal(steered?.id, turn.id);
    const heard = await scribe.next("turn.steer");
    assert.deepEqual(
      [heard.serial, heard.turn?.id, heard.data],
      [serial, turn.id, { tone: "shorter" }],
    );
    await reader.holds((fold) => fold.messages.has(serial), "the instruction as a message");
    const waiting = await getMessage(fixture.server, session, serial);
    assert.deepEqual(
      [waiting.name, waiting.role, waiting.turn, waiting.client, steerOf(waiting)],
      ["steer", "user", turn.id, "ann", "waiting"],
    );
    await drive(scribe, "turn.steered", turn.id, { serial });
    await end(scribe, turn.id);
    await reader.holdsTurn(turn.id, "complete");
    assert.equal(steerOf(await getMessage(fixture.server, session, serial)), "taken");
    const held = reader.fold.messages.get(serial);
    assert.ok(held && steerOf(held) === "taken", "its sender saw it live");
    reader.fold.assertSound();
  });

  test("P6.7 not taken is missed when the turn ends; after that it is refused", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const reader = new Reader(fixture.server, session, USER);
    await reader.attach();
    const phone = await connect(fixture.server, session, USER);
    const turn = await start(scribe);
    const { serial } = await phone.ok({ type: "steer", turn: turn.id, data: "shorter" });
    assert.ok(serial);
    await fixture.server.evict(session);
    const ends: string[] = [];
    reader.onFrames = (frames) => ends.push(...frames.map((frame) => frame.type));
    await end(scribe, turn.id);
    await reader.holdsTurn(turn.id, "complete");
    assert.deepEqual(ends, ["message.update", "turn.end"], "its sender knows before the end");
    const held = reader.fold.messages.get(serial);
    assert.ok(held && steerOf(held) === "missed");
    await phone.refused({ type: "steer", turn: turn.id, data: "shorter" }, "turn-closed");
    await phone.refused({ type: "steer", turn: "nothing", data: "x" }, "not-found");
    await scribe.refused({ type: "turn.steered", turn: turn.id, serial }, "turn-closed");
    const viewer = await post(
      fixture.server,
      session,
      { type: "steer", turn: turn.id, data: 1 },
      VIEWER,
    );
    assertRefused(viewer, 403, "forbidden");
    reader.fold.assertSound();
  });
});

describe("P10.3 onInput: an input while another is answered", () => {
  const begun = async (onInput: string) => {
    const session = fixture.session(onInput);
    await settings(fixture.server, session, { onInput });
    const scribe = await agent(fixture.server, session);
    const phone = await connect(fixture.server, session, USER);
    const turn = await start(scribe, { input: await phone.publish("one") });
    return { session, scribe, phone, turn };
  };

  test("queue: it waits as a turn without a leader, until an agent takes it", async () => {
    const { session, scribe, phone, turn } = await begun("queue");
    const input = await phone.publish("two");
    const { turn: queued } = await scribe.next("turn.queue");
    assert.deepEqual([queued?.status, queued?.input, queued?.agent], ["queued", input, undefined]);
    await fixture.server.evict(session);
    await end(scribe, turn.id);
    const { turns } = await getTurns(fixture.server, session);
    assert.deepEqual(
      turns.map(({ id }) => id),
      [queued?.id],
    );
    const taken = await start(scribe, { input });
    assert.deepEqual([taken.id, taken.status, taken.attempt], [queued?.id, "active", 1]);
    await end(scribe, taken.id);
  });

  test("interrupt: the turn is cancelled in the same step", async () => {
    const { session, scribe, phone, turn } = await begun("interrupt");
    await phone.publish("two");
    const { turn: cancelled } = await scribe.next("turn.cancel");
    assert.deepEqual([cancelled?.id, cancelled?.cancel?.by], [turn.id, "ann"]);
    await end(scribe, turn.id);
    assert.equal((await getTurn(fixture.server, session, turn.id)).status, "cancelled");
  });

  test("reject: it is busy", async () => {
    const { scribe, phone, turn } = await begun("reject");
    await phone.refused({ type: "publish", messages: [{ data: "two" }] }, "busy");
    await end(scribe, turn.id);
    await phone.publish("two");
  });
});
