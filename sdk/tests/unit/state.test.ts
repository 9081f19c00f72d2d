// The shared state: the session's tree, and own changes above it (P9.1, P9.2).

import assert from "node:assert/strict";
import { test } from "node:test";
import { StateFeature } from "../../src/client/state.ts";
import type { AttachedFrame, Engine, ServerFrame, StateResult } from "../../src/index.ts";

interface Trip {
  count?: number;
  place?: { city: string; days: number[] };
}

function make(attached?: object, initial?: object) {
  const asked: { frame: object; done(result: object): void; fail(error: Error): void }[] = [];
  const ask = (frame: object) =>
    new Promise((done, fail) => {
      asked.push({ frame, done, fail });
    });
  const link = { attached, request: ask, read: ask };
  const engine = { link, options: { initial }, changed: () => {} };
  const state = new StateFeature<Trip>(engine as unknown as Engine);
  const attach = (fields: object) => {
    link.attached = { client: "ann" };
    state.attached({ resumed: false, ...fields } as AttachedFrame);
  };
  const told = (serial: string, client: string, ...ops: StateResult[]) =>
    state.take({ type: "state.change", serial, client, ops } as ServerFrame);
  const caughtUp = () => state.take({ type: "caught-up", serial: "x9" });
  return { state, asked, attach, told, caughtUp };
}

const set = (path: string[], value: unknown) => ({ op: "set", path, value }) as StateResult;
const settled = () => new Promise(setImmediate);

test("P9.2 an own change counts once: told before its answer, after it, or again", async () => {
  for (const order of ["told, answered", "answered, told"]) {
    const { state, asked, attach, told } = make();
    attach({ state: { value: { count: 5 }, version: "x1" } });
    const shown: unknown[] = [];
    state.subscribe(["count"], (count) => shown.push(count));
    const adding = state.increment(["count"]);
    for (const what of order.split(", ")) {
      if (what === "told") told("x2", "ann", set(["count"], 6));
      else asked[0]?.done({ serial: "x2" });
      await settled();
    }
    await adding;
    told("x2", "ann", set(["count"], 6));
    assert.deepEqual([state.value, shown], [{ count: 6 }, [6]], order);
    told("x3", "bob", set(["count"], 7));
    assert.deepEqual(shown, [6, 7]);
  }
});

test("P9.2 a change that was cut off counts once while it waits for its answer", async () => {
  const { state, asked, attach, told, caughtUp } = make();
  attach({ state: { value: { count: 5 }, version: "x1" } });
  const shown: unknown[] = [];
  state.subscribe(["count"], (count) => shown.push(count));
  const adding = state.increment(["count"]);
  // On another connection. The session had taken it, and tells that with a change of somebody else.
  attach({ resumed: true });
  told("x3", "bob", set(["count"], 7));
  caughtUp();
  const more = state.increment(["count"]);
  assert.deepEqual(shown, [6, 7], "what came is shown when it is known what it contains");
  asked[0]?.done({ serial: "x2" });
  await adding;
  assert.deepEqual(shown, [6, 7, 8]);
  told("x4", "ann", set(["count"], 8));
  asked[1]?.done({ serial: "x4" });
  await more;
  assert.deepEqual([state.value, shown], [{ count: 8 }, [6, 7, 8]]);
});

test("P9.2 a tree that is read late may contain an own change, which counts once", async () => {
  const { state, asked, told } = make({ client: "ann" });
  const shown: unknown[] = [];
  state.subscribe(["count"], (count) => shown.push(count));
  const adding = state.increment(["count"]);
  told("x2", "ann", set(["count"], 6));
  asked[1]?.done({ serial: "x2" });
  await adding;
  const more = state.increment(["count"]);
  assert.deepEqual(shown, [1, 2], "as far as it is known");
  told("x3", "ann", set(["count"], 7));
  asked[0]?.done({ value: { count: 7 }, version: "x3" });
  await settled();
  assert.deepEqual(shown, [1, 2]);
  asked[2]?.done({ serial: "x3" });
  await more;
  assert.deepEqual(shown, [1, 2, 7]);
});

test("P9.2 an own change that was answered before it is told is no other's echo", async () => {
  const { state, asked, told } = make({ client: "ann" });
  const adding = state.increment(["count"]);
  told("x2", "ann", set(["count"], 1));
  asked[1]?.done({ serial: "x2" });
  await adding;
  const more = state.increment(["count"]);
  asked[0]?.done({ value: {}, version: "x1" });
  await settled();
  assert.deepEqual(state.value, { count: 2 });
  told("x3", "ann", set(["count"], 2));
  asked[2]?.done({ serial: "x3" });
  await more;
  assert.deepEqual(state.value, { count: 2 });
});

test("P9.2 another tab's like change is no answer to one's own", async () => {
  const { state, asked, attach, told } = make();
  attach({});
  const adding = state.increment(["count"]);
  told("x2", "ann", set(["count"], 1));
  asked[0]?.done({ serial: "x3" });
  await adding;
  assert.equal(state.get(["count"]), 2);
  told("x3", "ann", set(["count"], 2));
  assert.equal(state.get(["count"]), 2);
});

test("P9.1 a refused change leaves no trace, and those of others stay", async () => {
  const { state, asked, attach, told } = make();
  attach({ state: { value: { place: { city: "Rome", days: [1] } }, version: "x1" } });
  const { place } = state.value;
  const setting = state.set(["place", "city"], "Oslo");
  assert.equal(state.get(["place", "city"]), "Oslo");
  told("x2", "bob", set(["count"], 1));
  asked[0]?.fail(new Error("refused"));
  await assert.rejects(setting, /refused/);
  assert.deepEqual(state.value, { place, count: 1 });
});

test("P9.1 a batch is one frame; one whose callback throws is none", async () => {
  const { state, asked, attach } = make();
  attach({});
  const wrong = state.batch((batch) => {
    batch.set(["count"], 1);
    throw new Error("mine");
  });
  await assert.rejects(wrong, /mine/);
  assert.deepEqual([state.value, asked], [{}, []]);
  const city = { city: "Rome", days: [] as number[] };
  void state.batch((batch) => {
    batch.set(["place"], city);
    batch.increment(["count"], 2);
    batch.remove(["other"]);
  });
  city.city = "changed later";
  assert.deepEqual(state.value, { place: { city: "Rome", days: [] }, count: 2 });
  assert.equal(asked.length, 1);
});

test("P9.2 a listener hears of its own part alone, and not of an equal value", () => {
  const { state, attach, told } = make();
  attach({ state: { value: { count: 1, place: { city: "Rome", days: [1, 2] } }, version: "x1" } });
  const heard: unknown[] = [];
  const end = state.subscribe(["place"], (place) => heard.push(place));
  told("x2", "bob", set(["count"], 2));
  told("x3", "bob", set(["place"], { days: [1, 2], city: "Rome" }));
  assert.deepEqual(heard, []);
  told("x4", "bob", { op: "remove", path: ["place"] });
  assert.deepEqual(heard, [undefined]);
  end();
  told("x5", "bob", set(["place"], null));
  assert.equal(heard.length, 1);
});

test("P9.2 a tree too large for `attached` comes in the replay, and is not missed before", () => {
  const { state, attach, told, caughtUp } = make();
  attach({ state: { value: { count: 1 }, version: "x1" } });
  attach({});
  assert.deepEqual(state.value, { count: 1 }, "until the replay brings it");
  told("x1", "bob", set([], { count: 2 }));
  caughtUp();
  assert.deepEqual(state.value, { count: 2 });
  attach({});
  caughtUp();
  assert.deepEqual(state.value, {}, "a session without state");
});

test("P9.2 one that begins late reads the tree, and applies what came meanwhile once", async () => {
  const { state, asked, told } = make({ client: "ann" });
  told("x2", "bob", set(["count"], 2));
  told("x4", "bob", { op: "remove", path: ["place"] });
  asked[0]?.done({ value: { count: 3, place: { city: "Rome", days: [] } }, version: "x3" });
  await settled();
  assert.deepEqual(state.value, { count: 3 });
});

test("P9.1 a change that changed nothing is forgotten when answered", async () => {
  const { state, asked, attach, told } = make();
  attach({});
  const removing = state.remove(["count"]);
  asked[0]?.done({ serial: "x2" });
  await removing;
  told("x1", "bob", set(["count"], 1));
  assert.deepEqual(state.value, { count: 1 });
});
