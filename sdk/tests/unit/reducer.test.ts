// How a connection decides (P2.6, P7.2, P13.3): the reducer alone, with the time passed in.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Circumstances,
  deadline,
  type Effect,
  IDLE,
  type Input,
  type State,
  shift,
  statusOf,
  step,
  TIMING,
} from "../../src/connection/reducer.ts";
import { SessileError } from "../../src/index.ts";

/** A connection without a socket: inputs in, effects collected. */
class Machine {
  state: State = IDLE;
  now = 1_000_000;
  random = 1;
  canRenew = true;
  crowd = 0;
  effects: Effect[] = [];

  get #at(): Circumstances {
    const { now, random, canRenew, crowd } = this;
    return { now, random, timing: TIMING, canRenew, crowd };
  }

  /** Gives what follows. */
  take(input: Input): readonly Effect[] {
    const [state, effects] = step(this.state, input, this.#at);
    this.state = state;
    return effects;
  }

  /** Lets the time pass until there is something to do. */
  wait(): readonly Effect[] {
    const at = deadline(this.state, TIMING);
    assert.ok(at !== Infinity, "there is something to wait for");
    this.now = Math.max(this.now, at);
    return this.take({ type: "tick" });
  }

  open(): void {
    if (this.state.phase === "idle") this.take({ type: "start" });
    assert.equal(this.state.phase, "token");
    this.take({ type: "opening" });
  }

  attach(forMs = 3_600_000): void {
    this.open();
    this.take({ type: "attached", protocol: 1, forMs });
    this.take({ type: "caught-up" });
    assert.equal(statusOf(this.state).state, "connected");
  }
}

function attached(forMs?: number): Machine {
  const machine = new Machine();
  machine.attach(forMs);
  return machine;
}

describe("the reducer of a connection", () => {
  test("it connects, and shows each step", () => {
    const machine = new Machine();
    assert.equal(statusOf(machine.state).state, "idle");
    assert.deepEqual(machine.take({ type: "start" }), ["token"]);
    assert.equal(statusOf(machine.state).state, "connecting");
    machine.take({ type: "opening" });
    machine.take({ type: "attached", protocol: 1, forMs: 1e6 });
    assert.equal(statusOf(machine.state).state, "connecting");
    machine.take({ type: "caught-up" });
    assert.equal(statusOf(machine.state).state, "connected");
    assert.equal(statusOf(machine.state).error, undefined);
  });

  test("pauses double with each failure, up to a most, and are spread over their whole", () => {
    const machine = attached();
    const pauses: number[] = [];
    for (let failure = 0; failure < 12; failure += 1) {
      machine.take({ type: "lost", code: 1006 });
      assert.equal(statusOf(machine.state).state, "waiting");
      pauses.push((machine.state.retryAt ?? 0) - machine.now);
      assert.deepEqual(machine.wait(), ["token"]);
      machine.take({ type: "opening" });
    }
    assert.deepEqual(pauses.slice(0, 4), [500, 1000, 2000, 4000]);
    assert.equal(pauses.at(-1), TIMING.backoffMostMs);
    machine.random = 0;
    machine.take({ type: "lost", code: 1006 });
    assert.equal(machine.state.retryAt, machine.now);
  });

  test("the more are there, the longer the time over which they come back", () => {
    const back = Array.from({ length: 10_000 }, (_, index) => {
      const machine = attached();
      machine.crowd = 10_000;
      machine.random = index / 10_000;
      machine.take({ type: "lost", code: 1012 });
      return (machine.state.retryAt ?? 0) - machine.now;
    });
    const inHalfASecond = back.filter((ms) => ms < 500).length;
    assert.ok(inHalfASecond <= 500, `${inHalfASecond} at once`);
    assert.ok(Math.max(...back) <= TIMING.backoffMostMs);
    const [few, many] = [100, 1e6].map((crowd) => {
      const machine = attached();
      machine.crowd = crowd;
      machine.take({ type: "lost", code: 1006 });
      return (machine.state.retryAt ?? 0) - machine.now;
    });
    assert.deepEqual([few, many], [TIMING.backoffMs, TIMING.backoffMostMs]);
  });

  test("one that was lost at once keeps its pauses; one that lasted begins anew", () => {
    const machine = attached();
    for (const expected of [500, 1000]) {
      machine.take({ type: "lost", code: 1006 });
      assert.equal((machine.state.retryAt ?? 0) - machine.now, expected);
      machine.wait();
      machine.attach();
    }
    machine.now += 60_000;
    machine.take({ type: "lost", code: 1006 });
    assert.equal((machine.state.retryAt ?? 0) - machine.now, 500);
  });

  test("a network that is back ends the pause, and asks one that is open whether it lives", () => {
    const machine = attached();
    machine.take({ type: "lost", code: 1006 });
    assert.deepEqual(machine.take({ type: "nudge" }), ["token"]);
    machine.attach();
    assert.deepEqual(machine.take({ type: "nudge" }), ["ping"]);
    assert.ok(deadline(machine.state, TIMING) <= machine.now + TIMING.pongMs / 2);
    machine.take({ type: "heard" });
    assert.ok(deadline(machine.state, TIMING) > machine.now + TIMING.pongMs / 2);
  });

  test("P7.2 a peer that answers no ping is dead; one that is heard is not", () => {
    const machine = attached();
    assert.deepEqual(machine.wait(), ["ping"]);
    machine.take({ type: "heard" });
    assert.deepEqual(machine.wait(), ["ping"]);
    assert.deepEqual(machine.wait(), ["drop"]);
    assert.deepEqual(statusOf(machine.state).reason, "silent");
    assert.deepEqual(machine.wait(), ["token"]);
  });

  test("connecting does not take for ever, wherever it hangs", () => {
    const machine = new Machine();
    machine.take({ type: "start" });
    assert.deepEqual(machine.wait(), ["drop"]);
    machine.wait();
    machine.open();
    assert.deepEqual(machine.wait(), ["drop", "look"]);
    assert.equal(statusOf(machine.state).state, "waiting");
  });

  test("P13.3 it gives up after 4400, 4403, 4410 and 4413, and says why", () => {
    const reasons = ["protocol-error", "forbidden", "session-deleted", "too-large"];
    for (const [index, code] of [4400, 4403, 4410, 4413].entries()) {
      const machine = attached();
      assert.deepEqual(machine.take({ type: "lost", code }), ["drop"]);
      assert.equal(statusOf(machine.state).state, "closed");
      assert.equal(statusOf(machine.state).reason, reasons[index]);
      assert.equal(deadline(machine.state, TIMING), Infinity);
      assert.deepEqual(machine.take({ type: "nudge" }), []);
      assert.deepEqual(machine.take({ type: "start" }), ["token"], "but may be told to try again");
    }
  });

  test("P13.3 after 4401 it gets a new token at once, but not again and again", () => {
    const machine = attached();
    assert.deepEqual(machine.take({ type: "lost", code: 4401 }), ["drop", "token"]);
    machine.take({ type: "opening" });
    const error = new SessileError("unauthorized", "unable to attach; the token has expired");
    machine.take({ type: "refused", error });
    assert.deepEqual(machine.take({ type: "lost", code: 4401 }), ["drop"]);
    const { state, reason, error: shown } = statusOf(machine.state);
    assert.deepEqual([state, reason, shown], ["waiting", "unauthorized", error]);
    machine.canRenew = false;
    machine.wait();
    machine.take({ type: "opening" });
    machine.take({ type: "lost", code: 4401 });
    assert.equal(statusOf(machine.state).state, "closed", "a fixed token does not get better");
  });

  test("P2.6 a token is renewed 30 s before it expires", () => {
    const machine = attached(100_000);
    const effects: Effect[] = [];
    const start = machine.now;
    while (!effects.includes("renew")) {
      effects.push(...machine.wait());
      machine.take({ type: "heard" });
    }
    assert.equal(machine.now - start, 70_000);
    machine.take({ type: "renewed", forMs: 20_000 });
    assert.equal(machine.state.renewAt - machine.now, 10_000, "in the middle of a short life");
    machine.take({ type: "renewed", forMs: -5_000_000 });
    assert.ok(machine.state.renewAt > machine.now, "no endless renewing");
    machine.take({ type: "renewed", forMs: Infinity });
    assert.equal(machine.state.renewAt, Infinity, "nobody knows: the session reminds");
    machine.canRenew = false;
    machine.take({ type: "renewed", forMs: 100_000 });
    assert.equal(machine.state.renewAt, Infinity);
  });

  test("a session of a newer protocol closes it, and says what to do", () => {
    const machine = new Machine();
    machine.open();
    const effects = machine.take({ type: "attached", protocol: 2, forMs: 0 });
    assert.deepEqual(effects, ["drop"]);
    const { state, reason, error } = statusOf(machine.state);
    assert.deepEqual([state, reason], ["closed", "outdated"]);
    assert.match(error?.message ?? "", /newer version of sessile/);
  });

  test("a first attempt that nobody answers is looked into soon, and the next waits", () => {
    const machine = new Machine();
    machine.open();
    const began = machine.now;
    assert.deepEqual(machine.wait(), ["drop", "look"]);
    assert.equal(machine.now - began, TIMING.firstMs);
    machine.wait();
    const again = machine.now;
    machine.take({ type: "opening" });
    machine.wait();
    assert.equal(machine.now - again, TIMING.connectMs);
  });

  test("where no Worker is and nothing answers, three short attempts are all", () => {
    const machine = new Machine();
    const began = machine.now;
    machine.random = 0;
    for (let time = 0; time < 3; time += 1) {
      if (time > 0) machine.wait();
      machine.open();
      machine.wait();
      machine.take({ type: "looked", error: new SessileError("wrong-url", "it gives HTML") });
    }
    assert.equal(statusOf(machine.state).state, "closed");
    assert.equal(machine.now - began, 3 * TIMING.firstMs);
  });

  test("it looks by HTTP why it cannot connect: once, then now and then", () => {
    const machine = new Machine();
    let looks = 0;
    machine.open();
    for (let failure = 0; failure < 9; failure += 1) {
      if (machine.take({ type: "lost", code: 1006 }).includes("look")) looks += 1;
      const error = new SessileError("unreachable", "unable to reach it");
      machine.take({ type: "refused", error });
      assert.equal(statusOf(machine.state).error, error);
      machine.wait();
      machine.take({ type: "opening" });
      assert.equal(statusOf(machine.state).error, error, "still shown while it tries again");
    }
    assert.equal(looks, 3);
  });

  /** Fails so often with an answer that says what is wrong; says how it stands then. */
  function mistaken(machine: Machine, times: number, code: SessileError["code"]): string {
    for (let time = 0; time < times; time += 1) {
      if (machine.state.phase === "idle") machine.take({ type: "start" });
      if (machine.state.phase === "waiting") machine.wait();
      machine.take({ type: "opening" });
      assert.ok(machine.take({ type: "lost", code: 1006 }).includes("look"), "looked each time");
      machine.take({ type: "looked", error: new SessileError(code, "unable to attach") });
    }
    return statusOf(machine.state).state;
  }

  test("P13.3 who was never let in gives up the third time that something is wrong", () => {
    const reasons = { "wrong-url": "wrong-url", "not-configured": "not-configured" } as const;
    for (const [code, reason] of Object.entries(reasons)) {
      const machine = new Machine();
      assert.equal(mistaken(machine, 2, code as "wrong-url"), "waiting");
      assert.equal(mistaken(machine, 1, code as "wrong-url"), "closed");
      assert.deepEqual([machine.state.reason, machine.state.error?.code], [reason, code]);
    }
    const offline = new Machine();
    offline.take({ type: "start" });
    const error = new SessileError("token-failed", "the token function failed");
    for (let time = 0; time < 9; time += 1) {
      offline.take({ type: "tokenless", error, mayPass: true });
      assert.equal(statusOf(offline.state).state, "waiting", "what may pass is waited for");
      offline.wait();
    }
    for (const state of ["waiting", "waiting", "closed"]) {
      offline.take({ type: "tokenless", error, mayPass: false });
      assert.equal(statusOf(offline.state).state, state);
      if (state === "waiting") offline.wait();
    }
    assert.equal(offline.state.reason, "token");
  });

  test("P2.5 a token that is refused three times is given up, and a fixed one at once", () => {
    const machine = new Machine();
    machine.open();
    for (const state of ["waiting", "waiting", "closed"]) {
      machine.take({ type: "lost", code: 4401 });
      assert.equal(statusOf(machine.state).state, state);
      if (state === "waiting") machine.wait();
      machine.take({ type: "opening" });
    }
    const fixed = new Machine();
    fixed.canRenew = false;
    assert.equal(mistaken(fixed, 1, "unauthorized"), "closed");
    assert.equal(mistaken(new Machine(), 1, "forbidden"), "closed");
  });

  test("who was let in once waits for as long as it takes", () => {
    const machine = attached();
    machine.take({ type: "lost", code: 4401 });
    machine.take({ type: "opening" });
    for (let time = 0; time < 9; time += 1) {
      machine.take({ type: "lost", code: 4401 });
      assert.equal(statusOf(machine.state).state, "waiting");
      machine.wait();
      machine.take({ type: "opening" });
    }
  });

  test("what cannot even be tried is given up at once", () => {
    const machine = new Machine();
    machine.open();
    const error = new SessileError("missing-option", "this platform has no WebSocket");
    assert.deepEqual(machine.take({ type: "impossible", error }), ["drop"]);
    const { state, reason } = statusOf(machine.state);
    assert.deepEqual([state, reason], ["closed", "unsupported"]);
  });

  test("a clock that is set back by hours delays nothing", () => {
    const machine = attached();
    const inMs = deadline(machine.state, TIMING) - machine.now;
    const back = 7_200_000;
    machine.state = shift(machine.state, -back);
    machine.now -= back;
    assert.equal(deadline(machine.state, TIMING) - machine.now, inMs);
  });

  test("a process that was busy asks once more before it takes its peer for dead", () => {
    const machine = attached();
    machine.wait();
    machine.now += 2 * TIMING.pongMs + 1;
    assert.deepEqual(machine.take({ type: "tick" }), ["ping"]);
    machine.take({ type: "heard" });
    assert.equal(statusOf(machine.state).state, "connected");
    machine.wait();
    machine.now += 10 * 60_000;
    assert.deepEqual(machine.take({ type: "tick" }), ["drop"], "a device that slept comes back");
  });

  test("what is stopped stays away", () => {
    const machine = attached();
    assert.deepEqual(machine.take({ type: "stop" }), ["drop"]);
    for (const input of [
      { type: "nudge" },
      { type: "tick" },
      { type: "lost", code: 1006 },
    ] as const)
      assert.deepEqual(machine.take(input), []);
    assert.equal(statusOf(machine.state).state, "idle");
  });
});
