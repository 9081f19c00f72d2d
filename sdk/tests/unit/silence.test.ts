// A turn of which nothing is heard for a third of its lease is shown as silent (P6.8).

import assert from "node:assert/strict";
import { test } from "node:test";
import { SilenceFeature } from "../../src/client/silence.ts";
import type { ConnectionState, Engine, ServerFrame, Turn } from "../../src/index.ts";
import { Log } from "../../src/log/log.ts";

const turn = (id: string, status: Turn["status"] = "active"): Turn => ({
  ...{ id, status, attempt: 1, createdAt: 0 },
  // A third is more than a slow machine takes between two lines.
  leaseMs: 3_000,
});

test("silent is who says nothing for a third of the lease, until something is heard", async (t) => {
  let changes = 0;
  let wake = () => {};
  const log = new Log();
  let state: ConnectionState = "connected";
  const link = {
    get status() {
      return { state };
    },
  };
  const changed = () => {
    changes += 1;
    wake();
  };
  const silence = new SilenceFeature({ log, link, changed } as unknown as Engine);
  const take = (frame: ServerFrame) => {
    log.take(frame);
    silence.take(frame, log);
  };
  t.after(() => silence.status({ state: "idle" }));
  const turns = [turn("a"), turn("b", "suspended"), turn("c", "complete")];
  for (const [at, it] of turns.entries()) {
    take({ type: "turn.start", serial: `s${at}`, turn: it });
  }
  assert.equal(silence.value.size, 0);
  const silent = new Promise<void>((done) => {
    wake = done;
  });
  await silent;
  assert.deepEqual([...silence.value], ["a"], "only who is active");
  assert.equal(silence.has("a"), true);
  assert.equal(changes, 1);
  const same = silence.value;
  take({ type: "caught-up", serial: "s9" });
  assert.equal(silence.value, same, "nothing is different");
  take({ type: "turn.resume", serial: "t1", turn: turn("a") });
  assert.equal(silence.value.size, 0, "something was heard of it");
  state = "waiting";
  silence.status({ state });
  assert.equal(silence.value.size, 0);
});
