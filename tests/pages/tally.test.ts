// The counters of the demo: they find what is missing, and what is there twice.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Acknowledged,
  compare,
  type Report,
  SETTLE_REPORTS,
  Tally,
  tokensIn,
} from "../../pages/demo/tally.ts";
import { Random } from "../support/random.ts";

const TEXT =
  "A train enters a tunnel, a laptop is closed, a tab is reloaded by mistake: the model goes on " +
  "speaking, and nobody hears it. A train enters a tunnel again, and again, and again.";
const ALL = tokensIn(TEXT);

function without(from: number, count: number): string {
  return ALL.toSpliced(from, count).join("");
}

function twice(from: number, count: number): string {
  return ALL.toSpliced(from, 0, ...ALL.slice(from, from + count)).join("");
}

describe("two texts", () => {
  test("that are the same have all tokens delivered", () => {
    assert.deepEqual(compare(TEXT, TEXT), { delivered: ALL.length, lost: 0, repeated: 0 });
    assert.equal(ALL.join(""), TEXT);
  });

  test("of which one is shown in part lack the rest, and no token is halved", () => {
    const shown = ALL.slice(0, 10).join("").slice(0, -1);
    assert.deepEqual(compare(TEXT, shown), { delivered: 9, lost: ALL.length - 9, repeated: 0 });
  });

  test("of which the shown one is ahead of what the agent has heard repeat nothing", () => {
    const said = ALL.slice(0, 10).join("");
    assert.deepEqual(compare(said, TEXT), { delivered: 10, lost: 0, repeated: 0 });
    const whole = compare(said, TEXT, true);
    assert.deepEqual([whole.lost, whole.repeated], [0, ALL.length - 10]);
  });

  test("anywhere: what is missing is lost, what is there twice is repeated", (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let run = 0; run < 500; run += 1) {
      const count = 1 + random.below(6);
      const from = 1 + random.below(ALL.length - count - 6);
      const gap = compare(TEXT, without(from, count));
      assert.ok(gap.lost >= 1, `lost ${count} from ${from}: ${JSON.stringify(gap)}`);
      const again = compare(TEXT, twice(from, count), true);
      assert.ok(again.repeated >= 1, `repeated ${count} from ${from}: ${JSON.stringify(again)}`);
    }
  });

  test("count by the token", () => {
    assert.deepEqual(compare(TEXT, without(20, 3)), {
      ...{ delivered: ALL.length - 3, lost: 3, repeated: 0 },
    });
    assert.deepEqual(compare(TEXT, twice(20, 3), true), {
      ...{ delivered: ALL.length, lost: 0, repeated: 3 },
    });
  });
});

describe("a tally", () => {
  const at = (position: string, text = TEXT, serial = "m1"): Acknowledged => ({
    ...{ serial, text, position },
  });
  const report = (position: string, ...texts: { serial: string; text: string }[]) => ({
    ...{ texts, position, isCaughtUp: true, of: "" },
  });

  /** As a device does that has nothing new to tell. */
  const goOn = (tally: Tally, device: string, told: Report, reports = SETTLE_REPORTS) => {
    for (let count = 0; count < reports; count += 1) tally.shows(device, told);
  };

  test("a token is lost only once its place was read, and some reports later", () => {
    const tally = new Tally();
    tally.begun("ada");
    tally.acknowledged(at("p5"));
    goOn(tally, "ada", report("p4"), 100);
    assert.equal(tally.counts("ada").lost, 0, "it is on its way");
    tally.shows("ada", report("p5"));
    goOn(tally, "ada", report("p5"), SETTLE_REPORTS - 1);
    assert.equal(tally.counts("ada").lost, 0, "it is about to show");
    tally.shows("ada", report("p5"));
    assert.equal(tally.counts("ada").lost, ALL.length);
    goOn(tally, "ada", { ...report("p5"), isCaughtUp: false });
    assert.equal(tally.counts("ada").lost, 0, "a device that is away has lost nothing");
  });

  test("a text that is shown in full is delivered, on each device by itself", () => {
    const tally = new Tally();
    tally.acknowledged(at("p5"));
    tally.shows("ada", report("p5", { serial: "m1", text: TEXT }));
    tally.shows("ben", report("p5", { serial: "m1", text: without(3, 2) }));
    goOn(tally, "ben", report("p5"));
    assert.deepEqual(tally.counts("ada"), { delivered: ALL.length, lost: 0, repeated: 0 });
    assert.equal(tally.counts("ben").lost, 2);
    tally.shows("ada", report("p6", { serial: "m1", text: twice(3, 2) }));
    tally.acknowledged({ ...at("p5"), isWhole: true });
    assert.equal(tally.counts("ada").repeated, 2);
    assert.equal(tally.said, ALL.length);
  });

  test("a device that was loaded anew tells everything again", () => {
    const tally = new Tally();
    tally.acknowledged(at("p5"));
    tally.shows("ada", report("p5", { serial: "m1", text: TEXT }));
    tally.begun("ada");
    assert.equal(tally.counts("ada").delivered, 0);
    tally.shows("ada", report("p5"));
    goOn(tally, "ada", report("p5"));
    assert.equal(tally.counts("ada").lost, ALL.length, "it does not show it any more");
  });

  test("what is older than all that a device holds was not asked for", () => {
    const tally = new Tally();
    tally.acknowledged(at("p5"));
    goOn(tally, "ada", { ...report("p9"), of: "m2" }, 1 + SETTLE_REPORTS);
    assert.equal(tally.counts("ada").lost, 0);
  });

  test("a report that comes late takes nothing back", () => {
    const tally = new Tally();
    tally.acknowledged(at("p5"));
    tally.acknowledged(at("p4", "A train"));
    assert.equal(tally.said, ALL.length);
  });
});
