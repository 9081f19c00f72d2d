// The sums of usage, folded from `attached` and `usage` (P6.12).

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageFeature } from "../../src/client/usage.ts";
import {
  type AttachedFrame,
  type Engine,
  type OverBudget,
  type ServerFrame,
  type Turn,
  type Usage,
  usageOfTree,
} from "../../src/index.ts";

const used = (usage: Usage, overBudget?: OverBudget): ServerFrame => ({
  ...{ type: "usage", usage },
  ...(overBudget && { overBudget }),
});
const over = (sum: number): OverBudget => ({ name: "tokens", limit: 10, used: sum });

function make(attached?: object, initial?: object) {
  let answer = (_: unknown) => {};
  const read = () =>
    new Promise((done) => {
      answer = done;
    });
  const engine = { link: { attached, read }, options: { initial }, changed: () => {} };
  const usage = new UsageFeature(engine as unknown as Engine);
  return { usage, answer: (result: unknown) => answer(result) };
}

test("P6.12 sums begin with the first frame, and are those of the latest report", () => {
  const { usage } = make(undefined, { usage: { tokens: 1 } });
  assert.deepEqual(usage.value, { sums: { tokens: 1 }, overBudget: undefined });
  usage.attached({ usage: { tokens: 5 } } as unknown as AttachedFrame);
  const { value } = usage;
  usage.take(used({ tokens: 7, cost: 2 }));
  assert.deepEqual(usage.value.sums, { tokens: 7, cost: 2 });
  assert.deepEqual(value.sums, { tokens: 5 }, "a value never changes in place");
  usage.attached({} as AttachedFrame);
  assert.deepEqual(usage.value.sums, {}, "it may be another session of that name");
});

test("P6.12 a spent budget is shown with the sum as it stands, until it is raised", () => {
  const { usage } = make();
  usage.attached({ usage: { tokens: 5 } } as unknown as AttachedFrame);
  usage.take(used({ tokens: 11 }, over(11)));
  usage.take(used({ tokens: 12 }, over(12)));
  assert.deepEqual(usage.value.sums, { tokens: 12 });
  assert.deepEqual(usage.value.overBudget, over(12));
  usage.take({ type: "usage" });
  assert.equal(usage.value.overBudget, undefined);
  usage.attached({ usage: { tokens: 12 }, overBudget: over(12) } as unknown as AttachedFrame);
  assert.deepEqual(usage.value.overBudget, over(12));
});

test("P6.12 one that begins late reads the sums, and keeps those that came meanwhile", async () => {
  const { usage, answer } = make({ client: "ann" });
  answer({ usage: { tokens: 5 }, overBudget: over(5) });
  await new Promise(setImmediate);
  assert.deepEqual(usage.value, { sums: { tokens: 5 }, overBudget: over(5) });
  const later = make({ client: "ann" });
  later.usage.take(used({ tokens: 7 }));
  later.answer({ usage: { tokens: 5, cost: 2 }, overBudget: over(5) });
  await new Promise(setImmediate);
  assert.deepEqual(later.usage.value, { sums: { tokens: 7, cost: 2 }, overBudget: undefined });
});

test("P6.12 the usage of a tree of turns is added up", () => {
  const turn = (id: string, within?: string, usage?: Usage) => ({ id, within, usage }) as Turn;
  const turns = [
    turn("root", undefined, { tokens: 1 }),
    turn("child", "root", { tokens: 2, cost: 1 }),
    turn("leaf", "child", { tokens: 4 }),
    turn("idle", "child"),
    turn("other", undefined, { tokens: 8 }),
    turn("orphan", "gone", { tokens: 16 }),
  ];
  assert.deepEqual(usageOfTree(turns, "root"), { tokens: 7, cost: 1 });
  assert.deepEqual(usageOfTree(turns, "leaf"), { tokens: 4 });
  assert.deepEqual(usageOfTree(turns, "none"), {});
});
