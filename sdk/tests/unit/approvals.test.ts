// Approvals that wait, folded from frames (P8).

import assert from "node:assert/strict";
import { test } from "node:test";
import { ApprovalsFeature } from "../../src/client/approvals.ts";
import type { Approval, ApprovalFrame, AttachedFrame, Engine } from "../../src/index.ts";

function approval(id: string, serial: string, status: Approval["status"] = "pending"): Approval {
  const rest = { session: "s", kind: "approval", title: "Buy?", client: "agent" } as const;
  return { id, serial, version: serial, status, history: [], createdAt: 0, ...rest };
}

function frame(type: ApprovalFrame["type"], changed: Approval): ApprovalFrame {
  return { type, serial: changed.version, approval: changed };
}

test("P8.3 those that are pending are there, the oldest first, until they are settled", () => {
  const link = { attached: undefined };
  const approvals = new ApprovalsFeature({ link } as unknown as Engine);
  const ids = () => approvals.pending.map(({ id }) => id).join();
  const [a, b, c] = [approval("a", "x01"), approval("b", "x02"), approval("c", "x03")];
  approvals.attached({ approvals: [a, c] } as unknown as AttachedFrame);
  assert.equal(ids(), "a,c");
  approvals.take(frame("approval.request", b));
  assert.equal(ids(), "a,b,c");
  approvals.take(frame("approval.escalate", { ...b, assignees: ["role:supervisor"] }));
  assert.deepEqual(approvals.pending[1]?.assignees, ["role:supervisor"]);
  approvals.take(frame("approval.decide", { ...a, status: "approved" }));
  approvals.take(frame("approval.expire", { ...c, status: "expired" }));
  assert.equal(ids(), "b");
  approvals.attached({ approvals: [] } as unknown as AttachedFrame);
  assert.equal(ids(), "", "a new list takes the place of the old one");
});
