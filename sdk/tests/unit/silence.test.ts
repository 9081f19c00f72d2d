// A turn of which nothing is heard for a third of its lease is shown as silent (P6.8).

import assert from "node:assert/strict";
import { test } from "node:test";
import { Silence } from "../../src/client/silence.ts";
import type { Turn } from "../../src/index.ts";

const turn = (id: string, status: Turn["status"] = "active"): Turn => ({
  ...{ id, status, attempt: 1, createdAt: 0 },
  // A third is more than a slow machine takes between two lines.
  leaseMs: 3_000,
});

test("silent is who says nothing for a third of the lease, until something is heard", async (t) => {
  let changes = 0;
  let wake = () => {};
  const silence = new Silence(() => {
    changes += 1;
    wake();
  });
  t.after(() => silence.stop());
  const turns = [turn("a"), turn("b", "suspended"), turn("c", "complete")];
  silence.look(turns);
  const before = silence.turns;
  assert.equal(before.size, 0);
  const silent = new Promise<void>((done) => {
    wake = done;
  });
  await silent;
  assert.deepEqual([...silence.turns], ["a"], "only who is active");
  assert.equal(changes, 1);
  const same = silence.turns;
  silence.look(turns);
  assert.equal(silence.turns, same, "nothing is different");
  silence.hear("a");
  silence.look(turns);
  assert.equal(silence.turns.size, 0);
  silence.stop();
  assert.equal(silence.turns.size, 0);
});
