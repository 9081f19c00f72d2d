// Approvals: those that wait, folded from `attached` and approval frames (P8), and deciding them.

import type {
  Approval,
  ApprovalFrame,
  AttachedFrame,
  DecideApprovalFrame,
  Decision,
  RequestApprovalFrame,
  ServerFrame,
} from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";

/** The approvals that wait for somebody. Call it before `connect`, or any time later. */
export function approvalsOf(session: Session): ApprovalsFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new ApprovalsFeature(engine);
const PATH = "approvals?status=pending&limit=1000";

export class ApprovalsFeature implements Feature {
  /** Those that are pending, the oldest first; a new array at each change. */
  value: readonly Approval[] = [];
  readonly #engine: Engine;
  /** Frames received while a list is read, which may be older than the frames. */
  #early: ApprovalFrame[] | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    if (engine.link.attached) this.#read();
  }

  get pending(): readonly Approval[] {
    return this.value;
  }

  /**
   * Decides an approval, from whichever device: exactly one decision wins, and another is refused
   * with `already-decided`.
   */
  async decide(
    approval: string,
    decision: Decision,
    more: Pick<DecideApprovalFrame, "option" | "data" | "comment"> = {},
  ): Promise<Approval> {
    const frame = { type: "approval.decide", id: newId(), approval, decision, ...more } as const;
    return (await this.#engine.link.request(frame)).approval;
  }

  /** Asks a person; with the same `id` it gives the approval as it stands. */
  async request(asked: Omit<RequestApprovalFrame, "type">): Promise<Approval> {
    const frame = { id: newId(), ...asked, type: "approval.request" } as const;
    return (await this.#engine.link.request(frame)).approval;
  }

  /** Takes one's own request back. */
  async withdraw(approval: string): Promise<Approval> {
    const frame = { type: "approval.withdraw", id: newId(), approval } as const;
    return (await this.#engine.link.request(frame)).approval;
  }

  attached({ approvals }: AttachedFrame): void {
    this.#early = undefined;
    if (approvals) this.value = approvals;
    else this.#read();
  }

  take(frame: ServerFrame): void {
    if (!("approval" in frame)) return;
    this.value = folded(this.value, frame);
    this.#early?.push(frame);
  }

  /** Those that were too long for `attached`. */
  #read(): void {
    const early: ApprovalFrame[] = [];
    this.#early = early;
    readList<{ approvals: Approval[] }>(this.#engine, PATH, ({ approvals }) => {
      if (this.#early !== early) return;
      this.#early = undefined;
      this.value = early.reduce(folded, approvals.reverse());
    });
  }
}

function folded(held: readonly Approval[], { approval }: ApprovalFrame): readonly Approval[] {
  const others = held.filter(({ id }) => id !== approval.id);
  if (approval.status !== "pending") return others;
  return [...others, approval].sort((a, b) => (a.serial < b.serial ? -1 : 1));
}
