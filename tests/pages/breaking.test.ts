// The demo breaks things at random, and mends all of them.

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type Breakable, Breaking, type Broken } from "../../pages/demo/breaking.ts";
import { type Network, WHOLE } from "../../pages/wire/wire.ts";

/** Two devices and agents that note what is done to them. */
class Things implements Breakable {
  networks: Network[] = [WHOLE, WHOLE];
  isRunning = true;
  written = 0;
  log: string[] = [];
  readonly frames = [0, 1].map((at) => ({
    isReady: true,
    setNetwork: (change: Partial<Network>) => {
      this.networks[at] = { ...(this.networks[at] ?? WHOLE), ...change };
      this.log.push(`network ${at} ${JSON.stringify(change)}`);
    },
    reload: () => this.log.push(`reload ${at}`),
    write: () => {
      this.written += 1;
    },
  }));

  start(): void {
    this.isRunning = true;
    this.log.push("start");
  }

  kill(): void {
    this.isRunning = false;
    this.log.push("kill");
  }

  async restart(): Promise<void> {
    this.log.push("restart");
  }
}

function begun(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const things = new Things();
  const told: Broken[] = [];
  const breaking = new Breaking(
    () => things,
    (broken) => told.push(broken),
    () => Date.now(),
  );
  return { things, told, breaking };
}

describe("breaking", () => {
  test("does everything there is to do, keeps the agents busy, and mends it all", async (t) => {
    const { things, told, breaking } = begun(t);
    const over = breaking.begin(300_000);
    for (let step = 0; step < 3_200; step += 1) {
      t.mock.timers.tick(100);
      await null;
      await null;
    }
    await over;
    assert.deepEqual(things.networks, [WHOLE, WHOLE]);
    assert.ok(things.isRunning);
    const last = told.at(-1);
    assert.equal(last?.isGoingOn, false);
    assert.equal(Object.keys(last?.counts ?? {}).length, 6, JSON.stringify(last?.counts));
    assert.ok(things.written >= 40, `${things.written} questions`);
  });

  test("that is stopped mends at once, and does nothing more", async (t) => {
    const { things, told, breaking } = begun(t);
    const over = breaking.begin(300_000);
    const isHurt = () => !things.isRunning || things.networks.some(({ isDropped }) => isDropped);
    for (let step = 0; step < 3_000 && !isHurt(); step += 1) {
      t.mock.timers.tick(100);
      await null;
      await null;
    }
    assert.ok(isHurt());
    breaking.stop();
    assert.deepEqual([things.networks, things.isRunning], [[WHOLE, WHOLE], true]);
    const done = things.log.length;
    for (let step = 0; step < 100; step += 1) {
      t.mock.timers.tick(100);
      await null;
      await null;
    }
    await over;
    assert.equal(things.log.length, done);
    assert.equal(told.at(-1)?.isGoingOn, false);
  });
});
