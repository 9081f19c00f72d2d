// A turn that asks, on a wire that a test holds: frames that cross, are missed, or arrive twice.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AgentOptions, createAgentSession, type StartOptions } from "../../src/agent/index.ts";
import type { Wire } from "../../src/agent/link.ts";
import type { Owner } from "../../src/connection/types.ts";
import {
  type Approval,
  type ClientFrame,
  DEFAULT_LIMITS,
  type ServerFrame,
  SessileError,
  type Turn,
} from "../../src/protocol/index.ts";

type Sent = ClientFrame & { id?: string; attempt?: number };

interface Pending {
  frame: Sent;
  done: (result: unknown) => void;
  fail: (error: unknown) => void;
}

const TICK = () => new Promise((done) => setTimeout(done));

/** The session's side of an agent's wire. Frames are answered when a test says so. */
class Session {
  owner: Owner | undefined;
  readonly queued: [string, StartOptions][] = [];
  readonly pending: Pending[] = [];
  readonly agent;

  constructor(options: Partial<AgentOptions> = {}) {
    const status = { state: "connected" };
    this.agent = createAgentSession({
      ...{ url: "https://example.com", session: "s", token: "a.b.c" },
      link: (made, owner) => {
        this.owner = owner;
        const request = (frame: Sent) =>
          new Promise((done, fail) => this.pending.push({ frame, done, fail }));
        const rest = { start: () => {}, stop: () => {}, limits: DEFAULT_LIMITS };
        return { options: made, status, request, ...rest } as unknown as Wire;
      },
      onQueued: ({ id }, start) => void this.queued.push([id, start]),
      ...options,
    });
    this.attach();
  }

  hear(...frames: object[]): void {
    this.owner?.take(frames as ServerFrame[]);
  }

  attach(more: object = {}): void {
    this.hear({ type: "attached", resumed: false, serial: "1", turns: [], ...more });
    this.hear({ type: "caught-up", serial: "1" });
  }

  /** The next unanswered frame of a type. */
  async next(type: string): Promise<Pending> {
    for (;;) {
      const at = this.pending.findIndex(({ frame }) => frame.type === type);
      const [found] = at < 0 ? [] : this.pending.splice(at, 1);
      if (found) return found;
      await TICK();
    }
  }

  async turn() {
    const starting = this.agent.startTurn({ id: "t" });
    (await this.next("turn.start")).done({ turn: turn() });
    return starting;
  }
}

function turn(more: Partial<Turn> = {}): Turn {
  return { id: "t", status: "active", attempt: 1, createdAt: 0, leaseMs: 600_000, ...more };
}

function approval({ frame }: Pending, more: Partial<Approval> = {}): Approval {
  const { id = "" } = frame;
  return { id, turn: "t", status: "pending", title: "Buy?", ...more } as Approval;
}

const SUSPENDED = { type: "turn.suspend", serial: "2", turn: turn({ status: "suspended" }) };
const QUEUED = {
  type: "turn.queue",
  serial: "4",
  turn: turn({ status: "queued", attempt: 2 }),
};
const decided = (of: Pending) => ({
  ...{ type: "approval.decide", serial: "3" },
  approval: approval(of, { status: "approved", answer: 1 }),
});

/** A turn that has asked, and waits. */
async function asks() {
  const session = new Session();
  const turn = await session.turn();
  const asking = turn.approve({ title: "Buy?" });
  const asked = await session.next("approval.request");
  asked.done({ approval: approval(asked) });
  return { session, turn, asking, asked };
}

describe("a turn that asks", () => {
  test("P8.1 asks the same with the same id, and anything else with another", async () => {
    const ids: string[][] = [];
    for (let run = 0; run < 2; run += 1) {
      const session = new Session();
      const turn = await session.turn();
      const asked = [
        { title: "Buy?", data: 1 },
        { title: "Buy?", data: 2 },
        { title: "Buy?", data: 1 },
        { title: "Buy?", data: 1, assignees: ["boss"] },
        { title: "Buy?", data: 1, deadlineMs: 1000 + run },
      ];
      // In any order: which is asked first may be chance.
      for (const options of run ? asked : asked.toReversed()) {
        turn.approve(options).catch(() => {});
      }
      turn.ask({ title: "Buy?", data: 1 }).catch(() => {});
      turn.approve({ title: "Buy?", id: "mine" }).catch(() => {});
      const sent: string[] = [];
      for (let at = 0; at < 7; at += 1) {
        sent.push((await session.next("approval.request")).frame.id ?? "");
      }
      ids.push(sent.sort());
      session.agent.close();
    }
    assert.deepEqual(ids[0], ids[1]);
    assert.equal(new Set(ids[0]).size, 7);
    assert.ok(ids[0]?.includes("mine"));
    assert.ok(ids[0]?.every((id) => id.length <= 128));
  });

  test("P8.1 a known question is answered at once", async () => {
    const session = new Session();
    const turn = await session.turn();
    const asking = turn.approve({ title: "Buy?" });
    const asked = await session.next("approval.request");
    asked.done({ approval: approval(asked, { status: "rejected" }), duplicate: true });
    assert.equal((await asking).status, "rejected");
    session.agent.close();
  });

  test("P8.4 goes on only as the leader, once it has taken the turn back", async () => {
    const session = new Session();
    const turn = await session.turn();
    let isSettled = false;
    const asking = turn.approve({ title: "Buy?" }).finally(() => {
      isSettled = true;
    });
    const asked = await session.next("approval.request");
    session.hear(SUSPENDED);
    asked.done({ approval: approval(asked) });
    session.hear(decided(asked), QUEUED);
    const start = await session.next("turn.start");
    await TICK();
    assert.ok(!isSettled && !turn.signal.aborted);
    assert.deepEqual(session.queued, [], "no other process was asked to take it");
    // The frame of its own start comes before the answer.
    const active = { ...QUEUED.turn, status: "active" } as Turn;
    session.hear({ type: "turn.start", serial: "5", turn: active });
    start.done({ turn: active });
    assert.equal((await asking).data, 1);
    turn.message("thanks").catch(() => {});
    assert.equal((await session.next("publish")).frame.attempt, 2);
    session.agent.close();
  });

  test("P8.4 leaves the turn to the process that was faster", async () => {
    const { session, turn, asking, asked } = await asks();
    session.hear(SUSPENDED, decided(asked), QUEUED);
    const taken = { ...QUEUED.turn, status: "active" };
    (await session.next("turn.start")).done({ turn: taken, duplicate: true });
    await assert.rejects(asking, { code: "conflict" });
    assert.ok(turn.signal.aborted);
    session.agent.close();
  });

  test("P8.4 offers the turn again where it could not be taken back", async () => {
    const { session, asking, asked } = await asks();
    session.hear(SUSPENDED, decided(asked), QUEUED);
    (await session.next("turn.start")).fail(new SessileError("internal", "try again"));
    await assert.rejects(asking, { code: "internal" });
    assert.deepEqual(session.queued, [["t", { id: "t" }]]);
    session.agent.close();
  });

  test("P6.8 adopts it where nobody knows whose start was taken", async () => {
    const { session, turn, asking, asked } = await asks();
    session.hear(SUSPENDED, decided(asked), QUEUED);
    const start = await session.next("turn.start");
    session.owner?.lost?.();
    start.done({ turn: { ...QUEUED.turn, status: "active" }, duplicate: true });
    const adopt = await session.next("turn.adopt");
    assert.equal((adopt.frame as { keep?: boolean }).keep, true);
    adopt.done({ turn: { ...QUEUED.turn, status: "active", attempt: 3 } });
    assert.equal((await asking).status, "approved");
    assert.equal(turn.attempt, 3);
    session.agent.close();
  });

  test("P8.2 takes its question back too late: the decision that was first counts", async () => {
    const session = new Session();
    const turn = await session.turn();
    const control = new AbortController();
    const asking = turn.approve({ title: "Buy?", signal: control.signal });
    const asked = await session.next("approval.request");
    asked.done({ approval: approval(asked) });
    session.hear(SUSPENDED);
    control.abort();
    const withdraw = await session.next("approval.withdraw");
    withdraw.fail(new SessileError("already-decided", "unable to withdraw the approval"));
    await TICK();
    session.hear(decided(asked));
    assert.equal((await asking).status, "approved");
    session.agent.close();
  });

  test("P3.6 asks again where the log could not be resumed", async () => {
    const { session, asking, asked } = await asks();
    session.attach({ turns: [SUSPENDED.turn] });
    const again = await session.next("approval.request");
    assert.equal(again.frame.id, asked.frame.id);
    again.done({ approval: approval(again, { status: "approved" }), duplicate: true });
    assert.equal((await asking).status, "approved");
    session.agent.close();
  });

  test("P6.8 survives a sign of life that crossed with the decision", async () => {
    const { session, asking, asked } = await asks();
    session.hear({ type: "attached", resumed: true, serial: "1", turns: [SUSPENDED.turn] });
    const beat = await session.next("turn.heartbeat");
    session.hear(decided(asked), QUEUED, { type: "caught-up", serial: "4" });
    beat.fail(new SessileError("not-leader", "attempt 2 is next"));
    const start = await session.next("turn.start");
    start.done({ turn: { ...QUEUED.turn, status: "active" } });
    assert.equal((await asking).status, "approved");
    session.agent.close();
  });

  test("P6.8 asks again as the next leader what crossed with the decision", async () => {
    const session = new Session();
    const turn = await session.turn();
    const asking = Promise.all(["One?", "Two?"].map((title) => turn.approve({ title })));
    const one = await session.next("approval.request");
    const two = await session.next("approval.request");
    one.done({ approval: approval(one) });
    // The other one was lost on its way, and is sent again too late.
    session.hear(SUSPENDED, decided(one), QUEUED);
    two.fail(new SessileError("not-leader", "attempt 2 is next"));
    const start = await session.next("turn.start");
    start.done({ turn: { ...QUEUED.turn, status: "active" } });
    const again = await session.next("approval.request");
    assert.deepEqual([again.frame.id, again.frame.attempt], [two.frame.id, 2]);
    again.done({ approval: approval(again, { status: "rejected" }) });
    const [first, second] = await asking;
    assert.deepEqual([first?.status, second?.status].sort(), ["approved", "rejected"]);
    session.agent.close();
  });

  test("P6.7 takes no instruction twice, though it waits again", async () => {
    const session = new Session();
    const turn = await session.turn();
    const steer = (serial: string) => ({
      type: "message.create",
      message: {
        ...{ serial, version: serial, name: "steer", turn: "t", role: "user", createdAt: 1 },
        ...{ data: serial, headers: { steer: "waiting" } },
      },
    });
    session.hear(steer("5"));
    const steering = turn.steered();
    (await session.next("turn.steered")).done({ turn: turn.info });
    assert.equal((await steering).length, 1);
    session.hear({ ...steer("5"), type: "message.update" });
    (await session.next("turn.steered")).done({ turn: turn.info });
    assert.deepEqual(await turn.steered(), []);
    session.agent.close();
  });

  test("P8.8 hears of the turns that wait once the person has handed back", async () => {
    const session = new Session();
    session.attach({ lead: { client: "boss", since: 1 } });
    session.hear(QUEUED);
    assert.deepEqual(session.queued, []);
    session.hear({ type: "lead.return", serial: "6", lead: {}, wake: "last" });
    assert.deepEqual(session.queued, [], "the session tells of them, or does not");
    session.hear(QUEUED);
    assert.deepEqual(session.queued, [["t", { id: "t" }]]);
    session.hear({ type: "lead.take", serial: "7", lead: {} });
    session.hear({ type: "turn.start", serial: "8", turn: turn({ attempt: 2 }) });
    session.hear({ type: "lead.return", serial: "9", lead: {}, wake: "last" });
    assert.equal(session.queued.length, 1, "another process has it by now");
    session.agent.close();
  });
});
