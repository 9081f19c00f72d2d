// The shared state that streams tell: AG-UI's snapshots and JSON Patches, and the AI SDK's `data-*`
// parts, become operations of the session (P9.1). AG-UI's own client is the judge of patches.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbstractAgent, type BaseEvent } from "@ag-ui/client";
import { from } from "rxjs";
import { Random } from "../../../tests/support/random.ts";
import { batchesOf } from "../../src/agent/changes.ts";
import { agUi } from "../../src/agent/codec/ag-ui.ts";
import { aiSdk } from "../../src/agent/codec/ai-sdk.ts";
import { applied } from "../../src/client/state-tree.ts";
import { bytesOf, DEFAULT_LIMITS, type Json, type StateOp } from "../../src/protocol/index.ts";
import { contents, type Outcome, run } from "./codec.ts";

const ids = { threadId: "t", runId: "r" };
const started = { type: "RUN_STARTED", ...ids };
const finished = { type: "RUN_FINISHED", ...ids };
type Event = { type: string; [name: string]: unknown };
type Patch = Record<string, unknown>[];

function snapshot(value: unknown): Event {
  return { type: "STATE_SNAPSHOT", snapshot: value };
}

function delta(...patch: Patch): Event {
  return { type: "STATE_DELTA", delta: patch };
}

function told(...events: Event[]): Outcome {
  return run(agUi, [started, ...events, finished]);
}

/** The operations on the state. */
function opsOf({ operations }: Outcome): StateOp[] {
  return operations.flatMap((one) => (one.op === "state" ? one.ops : []));
}

/** The state that AG-UI's client has after the events. */
async function judged(events: Event[]): Promise<unknown> {
  class Scripted extends AbstractAgent {
    run() {
      return from([started, ...events, finished] as unknown as BaseEvent[]);
    }
  }
  const agent = new Scripted();
  await agent.runAgent({ runId: "r" });
  return agent.state;
}

describe("the state of AG-UI's events", () => {
  test("P9.1 is set by a snapshot, and changed by patches", () => {
    const steps = [
      { description: "Look", status: "pending" },
      { description: "Book", status: "pending" },
    ];
    const outcome = told(
      snapshot({ steps, city: "Oslo" }),
      delta({ op: "replace", path: "/steps/0/status", value: "completed" }),
      delta({ op: "add", path: "/hotel", value: { name: "Adler" } }),
      delta({ op: "replace", path: "/hotel/name", value: "Bristol" }),
      delta({ op: "remove", path: "/city" }),
    );
    assert.deepEqual(outcome.state, {
      steps: [{ description: "Look", status: "completed" }, steps[1]],
      hotel: { name: "Bristol" },
    });
    const places = opsOf(outcome).map((op) => [op.op, ...("path" in op ? op.path : [])].join(" "));
    const wanted = ["set", "set steps", "set hotel", "set hotel name", "remove city"];
    assert.deepEqual(places, wanted, "each change says its own place, a list all of itself");
    assert.deepEqual(
      contents(outcome).map(([name]) => name),
      ["response"],
      "none of it is a message",
    );
  });

  test("comes to what AG-UI's client makes of the same events, whatever they are", async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const random = new Random(seed);
      const state = treeOf(random, 3);
      const events = [snapshot(state)];
      let now: unknown = state;
      for (let at = 0; at < 8; at += 1) {
        events.push(delta(...patchOf(random, now)));
        now = await judged(events);
      }
      assert.deepEqual(told(...events).state, now, `seed ${seed}: ${JSON.stringify(events)}`);
    }
  });

  test("stays where it is put", () => {
    const at = ["agents", "planner"];
    const codec = () => agUi({ state: { at, value: { n: 1, list: [1] } } });
    const patches = delta(
      { op: "add", path: "/list/-", value: 2 },
      { op: "replace", path: "/n", value: 2 },
    );
    const changed = run(codec, [started, patches, finished]);
    assert.deepEqual(changed.state, { agents: { planner: { list: [1, 2], n: 2 } } });
    const gone = run(codec, [started, snapshot(7), snapshot(null), finished]);
    assert.deepEqual(gone.state, { agents: {} });
  });

  test("is emptied by a snapshot of nothing", () => {
    assert.deepEqual(told(snapshot({ a: 1 }), snapshot(null)).state, {});
  });

  test("is as it was said, whatever becomes of the object", () => {
    const state = { n: 1 };
    const read = agUi();
    const operations = read(snapshot(state));
    state.n = 2;
    assert.deepEqual(operations, [
      { op: "state", ops: [{ op: "set", path: [], value: { n: 1 } }] },
    ]);
  });

  test("is left alone by what the tree cannot hold, and by patches that do not apply", () => {
    const deep = JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`) as unknown;
    const odd = [
      snapshot(7),
      snapshot([1]),
      snapshot({ "": 1 }),
      snapshot({ ["k".repeat(129)]: 1 }),
      snapshot({ deep }),
      snapshot(JSON.parse('{"__proto__":1}')),
      delta({ op: "test", path: "/n", value: 2 }, { op: "remove", path: "/n" }),
      delta({ op: "add", path: "/list/7", value: 1 }),
      delta({ op: "add", path: "/n/below", value: 1 }),
      delta({ op: "move", from: "/none", path: "/n" }),
      delta({ op: "increment", path: "/n" }),
      delta({ op: "add", path: "n", value: 1 }),
      delta({ op: "replace", path: "/n" }),
    ];
    const outcome = told(snapshot({ n: 1, list: [] }), ...odd);
    assert.deepEqual(outcome.state, { n: 1, list: [] });
    const messages = contents(outcome).filter(([name]) => name.startsWith("STATE_"));
    assert.deepEqual(
      messages.map(([, data]) => data),
      odd,
    );
  });

  test("is messages, as unknown events are, where it is not wanted", () => {
    const event = snapshot({ n: 1 });
    const outcome = run(() => agUi({ state: false }), [started, event, finished]);
    assert.deepEqual(outcome.state, {});
    assert.deepEqual(contents(outcome)[1], ["STATE_SNAPSHOT", event]);
  });
});

describe("the state of the AI SDK's data parts", () => {
  const plan = (data: unknown, more = {}) => ({ type: "data-plan", data, ...more });
  const finish = { type: "finish" };

  test("P9.1 is their data by name and id, beside the parts", () => {
    const parts = [
      plan({ goal: "Oslo" }),
      plan("first", { id: "a" }),
      plan("second", { id: "a" }),
      { type: "data-other", data: 1 },
    ];
    const named = run(() => aiSdk({ state: ["plan"] }), [...parts.slice(1), finish]);
    assert.deepEqual(named.state, { plan: { a: "second" } });
    const whole = run(() => aiSdk({ state: ["plan"] }), [...parts.slice(0, 1), finish]);
    assert.deepEqual(whole.state, { plan: { goal: "Oslo" } });
    const plain = run(aiSdk, [...parts, finish]);
    assert.deepEqual(plain.state, {});
    const both = run(() => aiSdk({ state: ["plan"] }), [...parts, finish]);
    assert.deepEqual(contents(both), contents(plain), "they are messages all the same");
  });

  test("transient ones are the state alone; those that it does not take stay as they are", () => {
    const codec = () => aiSdk({ state: ["plan"] });
    const passing = run(codec, [plan(1, { transient: true }), finish]);
    assert.deepEqual([passing.state, passing.signals], [{ plan: 1 }, []]);
    const odd = plan({ "": 1 }, { transient: true });
    const outcome = run(codec, [odd, finish]);
    assert.deepEqual(outcome.state, {});
    assert.deepEqual(outcome.signals, [{ name: "data-plan", data: odd }]);
  });
});

describe("operations on the state in frames (P14)", () => {
  const limits = { ...DEFAULT_LIMITS, frameBytes: 8192 };

  test("are one frame where they fit, and in order otherwise", () => {
    const few: StateOp[] = [
      { op: "set", path: ["a"], value: 1 },
      { op: "remove", path: ["b"] },
    ];
    assert.deepEqual(batchesOf(few, limits), [few]);
    const many = Array.from({ length: 2500 }, (_, at): StateOp => {
      return { op: "set", path: ["n"], value: at };
    });
    const batches = batchesOf(many, DEFAULT_LIMITS);
    assert.deepEqual(
      batches.map(({ length }) => length),
      [1000, 1000, 500],
    );
    assert.deepEqual(batches.flat(), many);
  });

  test("a value larger than a frame is set part by part", () => {
    const text = "ä".repeat(1000);
    const value = { a: { b: text, c: text, d: { e: text } }, f: [text], g: {} };
    const batches = batchesOf([{ op: "set", path: [], value }], limits);
    assert.ok(batches.length > 1);
    for (const ops of batches) assert.ok(bytesOf(JSON.stringify(ops)) < limits.frameBytes);
    assert.deepEqual(applied({ old: true }, batches.flat()), value);
  });
});

const KEYS = ["a", "b", "c/d", "e~f"];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}

function treeOf(random: Random, levels: number): Record<string, Json> {
  const entries = KEYS.filter(() => random.below(3) > 0).map((key) => [key, value(random, levels)]);
  return Object.fromEntries(entries);
}

function value(random: Random, levels: number): Json {
  const kind = levels === 0 ? 0 : random.below(3);
  if (kind === 0) return random.below(100);
  if (kind === 1) return treeOf(random, levels - 1);
  return Array.from({ length: random.below(4) }, () => value(random, levels - 1));
}

/** The pointers to everything in a tree but its root. */
function pointersIn(tree: unknown, at = ""): string[] {
  if (typeof tree !== "object" || tree === null) return [];
  return Object.entries(tree).flatMap(([key, part]) => {
    const pointer = `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return [pointer, ...pointersIn(part, pointer)];
  });
}

/** One operation of a patch that most likely applies, and sometimes two. */
function patchOf(random: Random, tree: unknown): Patch {
  const pointers = pointersIn(tree);
  const some = pointers.length > 0 ? pick(random, pointers) : "/a";
  const made = { value: value(random, 1) };
  switch (random.below(6)) {
    case 0:
      return pointers.length > 0 ? [{ op: "remove", path: some }] : [];
    case 1:
      return [{ op: "add", path: some, ...made }];
    case 2:
      return [{ op: "add", path: `/${pick(random, ["a", "b", "new"])}`, ...made }];
    case 3:
      return pointers.length > 0 ? [{ op: "copy", from: some, path: "/copied" }] : [];
    case 4:
      return pointers.length > 0 ? [{ op: "move", from: some, path: "/moved" }] : [];
    default:
      return pointers.length > 0
        ? [
            { op: "replace", path: some, ...made },
            { op: "test", path: some, ...made },
          ]
        : [];
  }
}
