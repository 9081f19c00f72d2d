// Approvals, folded from frames, and this client's decisions (P8).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApprovalsFeature } from "../../src/client/approvals.ts";
import {
  type Approval,
  type ApprovalFrame,
  type AttachedFrame,
  type Engine,
  SessileError,
} from "../../src/index.ts";

function approval(id: string, serial: string, status: Approval["status"] = "pending"): Approval {
  const rest = { session: "s", kind: "approval", title: "Buy?", client: "agent" } as const;
  return { id, serial, version: serial, status, history: [], createdAt: 0, ...rest };
}

function frame(type: ApprovalFrame["type"], changed: Approval): ApprovalFrame {
  return { type, serial: changed.version, approval: changed };
}

function attached(approvals: Approval[] | undefined, resumed = false): AttachedFrame {
  return { approvals, resumed } as unknown as AttachedFrame;
}

/** The answer of a request, or of a read, given by the test. */
interface Asked {
  what: unknown;
  done(result: unknown): void;
  fail(error: Error): void;
}

function make(isAttached = false) {
  const asked: Asked[] = [];
  const ask = (what: unknown) => new Promise((done, fail) => void asked.push({ what, done, fail }));
  const link = { attached: isAttached ? {} : undefined, request: ask, read: ask };
  const changes: string[] = [];
  const engine = { link, options: {}, changed: () => void changes.push(shown()) };
  const approvals = new ApprovalsFeature(engine as unknown as Engine);
  const shown = () =>
    approvals.pending.map(({ id, deciding }) => (deciding ? `${id}:${deciding}` : id)).join();
  return { approvals, asked, shown, changes };
}

const [a, b, c] = [approval("a", "x01"), approval("b", "x02"), approval("c", "x03")];

describe("P8.3 the approvals of a session", () => {
  test("pending ones are there, the oldest first, until they are settled", () => {
    const { approvals, shown } = make();
    approvals.attached(attached([a, c]));
    assert.equal(shown(), "a,c");
    approvals.take(frame("approval.request", b));
    assert.equal(shown(), "a,b,c");
    const wider = { ...b, version: "x04", assignees: ["role:supervisor"] };
    const [first] = approvals.pending;
    approvals.take(frame("approval.escalate", wider));
    assert.deepEqual(approvals.pending[1]?.assignees, ["role:supervisor"]);
    assert.equal(approvals.pending[0], first, "an unchanged one stays the same object");
    approvals.take(frame("approval.decide", { ...a, version: "x05", status: "approved" }));
    approvals.take(frame("approval.expire", { ...c, version: "x06", status: "expired" }));
    assert.equal(shown(), "b");
    assert.deepEqual(
      approvals.settled.map(({ id, status }) => `${id} ${status}`),
      ["a approved", "c expired"],
    );
    approvals.attached(attached([b], true));
    assert.deepEqual([shown(), approvals.settled.length], ["b", 2], "resumed: all of it stands");
    approvals.attached(attached([]));
    assert.deepEqual([shown(), approvals.settled.length], ["", 0], "a new list replaces all");
  });

  test("what was settled while the page was away is settled when it resumes", () => {
    const { approvals, shown } = make();
    approvals.attached(attached([a]));
    approvals.attached(attached([], true));
    approvals.take(frame("approval.decide", { ...a, version: "x02", status: "rejected" }));
    assert.deepEqual([shown(), approvals.settled[0]?.status], ["", "rejected"]);
  });

  test("one that begins late reads the list, and an older frame changes nothing", async () => {
    const { approvals, asked, shown, changes } = make(true);
    assert.equal(asked[0]?.what, "approvals?status=pending&limit=1000");
    approvals.take(frame("approval.request", b));
    approvals.take(frame("approval.decide", { ...c, version: "x05", status: "approved" }));
    const wider = { ...b, version: "x04", assignees: ["ann"] };
    asked[0]?.done({ approvals: [c, wider, a] });
    await new Promise(setImmediate);
    assert.equal(shown(), "a,b", "c was settled after the list was read");
    assert.deepEqual(approvals.pending[1]?.assignees, ["ann"]);
    assert.deepEqual(changes, ["a,b"]);
  });
});

describe("P8.2 a decision", () => {
  test("is shown at once, and goes once the session has answered", async () => {
    const { approvals, asked, shown, changes } = make();
    approvals.attached(attached([a, b]));
    const deciding = approvals.decide("a", "approve", { comment: "go" });
    assert.deepEqual(changes, ["a:approve,b"]);
    const { id, ...sent } = (asked[0]?.what ?? {}) as Record<string, unknown>;
    assert.ok(id, "sending it again is safe");
    const wanted = { type: "approval.decide", approval: "a", decision: "approve", comment: "go" };
    assert.deepEqual(sent, wanted);
    approvals.take(frame("approval.escalate", { ...a, version: "x04" }));
    assert.equal(shown(), "a:approve,b", "an escalation does not end it");
    const approved = { ...a, version: "x05", status: "approved" } as const;
    approvals.take(frame("approval.decide", approved));
    asked[0]?.done({ approval: approved });
    assert.equal(await deciding, approved);
    assert.deepEqual([shown(), approvals.settled], ["b", [approved]]);
  });

  test("that comes too late shows the one that won, before its frame has come", async () => {
    const { approvals, asked, shown } = make();
    approvals.attached(attached([a]));
    const deciding = approvals.decide("a", "reject");
    const won = { ...a, version: "x05", status: "approved", decidedBy: "sue" } as const;
    const info = { code: "already-decided", status: 409, message: "it is", approval: won } as const;
    asked[0]?.fail(SessileError.of(info));
    await assert.rejects(deciding, { code: "already-decided" });
    assert.deepEqual([shown(), approvals.settled], ["", [won]]);
    approvals.take(frame("approval.decide", won));
    assert.equal(approvals.settled.length, 1);
  });

  test("that is refused leaves the approval as it was", async () => {
    const { approvals, asked, shown } = make();
    approvals.attached(attached([a]));
    const deciding = approvals.decide("a", "approve", { data: { seats: 9 } });
    asked[0]?.fail(new SessileError("invalid-answer", "seats"));
    await assert.rejects(deciding, { code: "invalid-answer" });
    assert.equal(shown(), "a");
    assert.deepEqual(approvals.pending, [a]);
  });
});
