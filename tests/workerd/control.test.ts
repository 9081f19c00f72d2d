// Cancel (P6.5): from any device, before, during and after a turn, over real sockets.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { useServer } from "../support/fixture.ts";
import type { Turn } from "../support/frames.ts";
import { assertRefused, call, field, getMessage } from "../support/http.ts";
import { tokens } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";
import {
  AGENT,
  agent,
  answer,
  cancel,
  end,
  getTurn,
  post,
  settings,
  start,
  USER,
  untilNoneIsOpen,
  VIEWER,
} from "../support/turns.ts";
import { paced } from "../support/wait.ts";

const fixture = useServer();

/** Streams at 100 tokens a second until told to stop; gives what was acknowledged. */
async function streamUntil(
  client: Client,
  serial: string,
  isStopped: () => boolean,
  count = 150,
  word = "",
): Promise<string> {
  const pieces = tokens(count).map((piece) => word + piece);
  const acked: Promise<unknown>[] = [];
  let text = "";
  await paced(count, 100, (i) => {
    if (isStopped()) return;
    const data = pieces[i] ?? "";
    text += data;
    acked.push(client.ok({ type: "append", serial, data, seq: i + 1 }));
  });
  await Promise.all(acked);
  return text;
}

/** The agent's side of a cancel: `when` comes true with the frame, and says who asked. */
function listen(client: Client, turn: string): { cancelled: Turn | undefined } {
  const heard: { cancelled: Turn | undefined } = { cancelled: undefined };
  client.onFrames = (frames) => {
    for (const frame of frames) {
      if (frame.type === "turn.cancel" && frame.turn?.id === turn) heard.cancelled = frame.turn;
    }
  };
  return heard;
}

describe("cancel", () => {
  test("P6.5 from a second device: the agent stops, what it said stays as cancelled", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const laptop = new Reader(fixture.server, session, { ...USER });
    await laptop.attach();
    const phone = await connect(fixture.server, session, USER);
    const input = await phone.publish("a question");
    const turn = await start(scribe, { input });
    const serial = await answer(scribe, turn.id);
    const heard = listen(scribe, turn.id);
    const streaming = streamUntil(scribe, serial, () => heard.cancelled !== undefined);
    await laptop.holds((fold) => fold.text(serial).length > 100, "some of the answer");
    const [asked] = await cancel(phone, { turn: turn.id, reason: "enough" });
    assert.equal(asked?.status, "active", "its leader is given time to stop");
    assert.deepEqual([asked.cancel?.by, asked.cancel?.reason], ["ann", "enough"]);
    const text = await streaming;
    assert.deepEqual(heard.cancelled?.cancel, asked.cancel, "the agent knows who asked");
    const ended = await end(scribe, turn.id, "complete");
    assert.equal(ended.status, "cancelled", "a turn that was cancelled ends so (P6.1)");
    await laptop.holdsTurn(turn.id, "cancelled");
    assert.equal(laptop.fold.messages.get(serial)?.status, "cancelled");
    assertText(laptop.fold.text(serial), text);
    laptop.fold.assertSound();
    const late = { turn: turn.id, data: "late" };
    await scribe.refused({ type: "append", serial, data: "late" }, "turn-closed");
    await scribe.refused({ type: "publish", messages: [late] }, "turn-closed");
  });

  test("P6.5 an agent that does not stop is stopped after the grace", async () => {
    const session = fixture.session();
    await settings(fixture.server, session, { cancelGraceMs: 200 });
    const scribe = await agent(fixture.server, session);
    const reader = new Reader(fixture.server, session, { ...USER });
    await reader.attach();
    const turn = await start(scribe);
    const serial = await answer(scribe, turn.id);
    await scribe.ok({ type: "append", serial, data: "half" });
    await cancel(await connect(fixture.server, session, USER), { turn: turn.id });
    await reader.holdsTurn(turn.id, "cancelled");
    assert.equal(reader.fold.messages.get(serial)?.status, "cancelled");
    await scribe.refused({ type: "append", serial, data: " an answer" }, "turn-closed");
    await scribe.refused({ type: "turn.heartbeat", turn: turn.id }, "turn-closed");
    assertText((await getMessage(fixture.server, session, serial)).data, "half");
    reader.fold.assertSound();
  });

  test("P6.5 the grace ends with nobody connected", async () => {
    const session = fixture.session();
    await settings(fixture.server, session, { cancelGraceMs: 300 });
    const scribe = await agent(fixture.server, session);
    const turn = await start(scribe);
    const serial = await answer(scribe, turn.id);
    await scribe.ok({ type: "append", serial, data: "half" });
    await scribe.close();
    const asked = await post(fixture.server, session, { type: "cancel", all: true }, USER);
    assert.equal(asked.status, 200, asked.text);
    await fixture.server.evict(session);
    await untilNoneIsOpen(fixture.server, session);
    assert.equal((await getTurn(fixture.server, session, turn.id)).status, "cancelled");
    assert.equal((await getMessage(fixture.server, session, serial)).status, "cancelled");
  });

  test("P6.5 a second cancel, or one of a final turn, is acknowledged, no more", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const reader = new Reader(fixture.server, session, { ...USER });
    await reader.attach();
    const phone = await connect(fixture.server, session, USER);
    const tablet = await connect(fixture.server, session, { ...USER, sub: "ben" });
    const turn = await start(scribe);
    const [first] = await cancel(phone, { turn: turn.id });
    const [second] = await cancel(tablet, { turn: turn.id, reason: "me too" });
    assert.deepEqual(second?.cancel, first?.cancel, "the first who asked stands");
    await end(scribe, turn.id, "cancelled");
    const [third] = await cancel(tablet, { turn: turn.id });
    assert.equal(third?.status, "cancelled");
    const done = await start(scribe);
    await end(scribe, done.id);
    const [fourth] = await cancel(phone, { turn: done.id });
    assert.equal(fourth?.status, "complete");
    assert.equal(fourth.cancel, undefined, "nothing is written on a final turn");
    const mark = await phone.publish("mark");
    await reader.holdsText(mark, "mark");
    assert.deepEqual(reader.fold.counts, {
      "turn.start": 2,
      "turn.cancel": 1,
      "turn.end": 2,
      "message.create": 1,
    });
    reader.fold.assertSound();
  });

  test("P6.5 before the turn starts: it is born cancelled, but for one with again", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const reader = new Reader(fixture.server, session, { ...USER });
    await reader.attach();
    const phone = await connect(fixture.server, session, USER);
    const input = await phone.publish("a question");
    assert.deepEqual(await cancel(phone, { input, reason: "typo" }), []);
    await fixture.server.evict(session);
    const born = await start(scribe, { input });
    assert.deepEqual(
      [born.status, born.cancel?.by, born.cancel?.reason],
      ["cancelled", "ann", "typo"],
    );
    await reader.holdsTurn(born.id, "cancelled");
    assert.equal(reader.fold.counts["turn.start"], undefined, "it never began");
    await scribe.refused(
      { type: "publish", messages: [{ turn: born.id, data: "x" }] },
      "turn-closed",
    );
    const again = await start(scribe, { input, again: true, id: "another" });
    assert.equal(again.status, "active");
    await end(scribe, again.id);
    reader.fold.assertSound();
  });

  test("P6.5 input and all cancel every turn that is meant, and no other", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const phone = await connect(fixture.server, session, USER);
    const [one, two] = [await phone.publish("one"), await phone.publish("two")];
    const first = await start(scribe, { input: one });
    const second = await start(scribe, { input: one, again: true, id: "second" });
    const other = await start(scribe, { input: two });
    const ids = (turns: Turn[]) => turns.map((turn) => turn.id);
    assert.deepEqual(ids(await cancel(phone, { input: one })), [first.id, second.id]);
    assert.equal((await getTurn(fixture.server, session, other.id)).cancel, undefined);
    assert.deepEqual(ids(await cancel(phone, { all: true })), [first.id, second.id, other.id]);
    await phone.refused({ type: "cancel" }, "invalid-frame");
    await phone.refused({ type: "cancel", all: true, turn: first.id }, "invalid-frame");
    await phone.refused({ type: "cancel", turn: "nothing" }, "not-found");
    for (const turn of [first, second, other]) await end(scribe, turn.id, "cancelled");
  });

  test("P6.5, P6.7 by HTTP, heard over SSE by an agent that only has fetch", async () => {
    const session = fixture.session();
    const events = await openEvents(fixture.server, session, AGENT);
    await events.next("caught-up");
    const started = await call(fixture.server, session, "POST", "/turns", { ...AGENT, json: {} });
    assert.equal(started.status, 201, started.text);
    const { id, attempt } = field(started, "turn") as Turn;
    const steer = { type: "steer", turn: id, data: "shorter" };
    assert.equal((await post(fixture.server, session, steer, USER)).status, 200);
    const steered = await events.next("turn.steer");
    assert.deepEqual([steered.id, steered.frame.data], [steered.frame.serial, "shorter"]);
    const asked = await call(fixture.server, session, "POST", `/turns/${id}/cancel`, {
      ...USER,
      json: { reason: "enough" },
    });
    assert.equal(asked.status, 200, asked.text);
    const heard = await events.next("turn.cancel");
    assert.deepEqual([heard.frame.turn?.id, heard.frame.turn?.cancel?.by], [id, "ann"]);
    const ended = await call(fixture.server, session, "POST", `/turns/${id}/end`, {
      ...AGENT,
      json: { attempt, status: "cancelled" },
    });
    assert.equal(ended.status, 200, ended.text);
    assert.equal((field(ended, "turn") as Turn).status, "cancelled");
    const forbidden = await call(fixture.server, session, "POST", `/turns/${id}/cancel`, VIEWER);
    assertRefused(forbidden, 403, "forbidden");
    events.cut();
  });

  test("P6.5 all tabs closed: it runs on; reopened, all is there, stop stops", async () => {
    const session = fixture.session();
    const scribe = await agent(fixture.server, session);
    const tabs = ["one", "two"].map(
      (name) => new Reader(fixture.server, session, { ...USER, name }),
    );
    for (const tab of tabs) await tab.attach();
    const turn = await start(scribe);
    const serial = await answer(scribe, turn.id);
    const pieces = tokens(120);
    await scribe.appendAll(serial, pieces.slice(0, 40), 1);
    await tabs[0]?.holdsText(serial, pieces.slice(0, 40).join(""));
    await tabs[0]?.close();
    await tabs[1]?.cut();
    await scribe.appendAll(serial, pieces.slice(40, 80), 41);
    const [tab] = tabs;
    assert.ok(tab);
    await tab.attach();
    assert.equal(tab.fold.attached?.resumed, true);
    assert.equal(tab.fold.attached?.turns?.[0]?.status, "active", "no closed tab is a cancel");
    assert.equal(tab.fold.turns.get(turn.id)?.cancel, undefined);
    await tab.holdsText(serial, pieces.slice(0, 80).join(""));
    tab.client?.send({ type: "cancel", turn: turn.id });
    await scribe.next("turn.cancel");
    await scribe.appendAll(serial, pieces.slice(80, 81), 81);
    await end(scribe, turn.id, "cancelled");
    await tab.holdsTurn(turn.id, "cancelled");
    assertText(tab.fold.text(serial), pieces.slice(0, 81).join(""));
    assert.equal(tab.fold.messages.get(serial)?.status, "cancelled");
    tab.fold.assertSound();
    const cold = new Reader(fixture.server, session, { ...USER });
    await cold.attach();
    assertText(cold.fold.text(serial), pieces.slice(0, 81).join(""));
    assert.equal(cold.fold.turns.get(turn.id)?.status, "cancelled", "a rewind tells of its turns");
  });

  test("P6.4 two agents at 100 tokens a second: none mixed, each cancelled alone", async () => {
    const session = fixture.session();
    const agents = await Promise.all(
      ["scribe", "poet"].map((sub) => agent(fixture.server, session, { sub })),
    );
    const readers = [0, 40].map(
      (rollup) => new Reader(fixture.server, session, { query: { rollup } }),
    );
    for (const reader of readers) await reader.attach();
    const phone = await connect(fixture.server, session, USER);
    const answers = await Promise.all(
      agents.map(async (client, i) => {
        const turn = await start(client, { id: `turn-of-${i}` });
        const serial = await answer(client, turn.id);
        const heard = listen(client, turn.id);
        const isStopped = () => heard.cancelled !== undefined;
        return { client, turn, serial, text: streamUntil(client, serial, isStopped, 150, `${i}:`) };
      }),
    );
    const [one, two] = answers;
    assert.ok(one && two);
    const [reader] = readers;
    await reader?.holds((fold) => fold.text(one.serial).length > 300, "some of an answer");
    await cancel(phone, { turn: one.turn.id });
    const cut = await one.text;
    await end(one.client, one.turn.id, "cancelled");
    const whole = await two.text;
    await end(two.client, two.turn.id);
    for (const each of readers) {
      await each.holdsTurn(two.turn.id, "complete");
      assertText(each.fold.text(one.serial), cut);
      assertText(each.fold.text(two.serial), whole);
      assert.equal(each.fold.turns.get(one.turn.id)?.status, "cancelled");
      assert.equal(each.fold.turns.get(two.turn.id)?.cancel, undefined);
      each.fold.assertSound();
    }
  });
});
