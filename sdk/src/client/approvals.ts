// Approvals and questions: the pending ones, folded from `attached` and approval frames (P8), and
// this client's decisions.

import type {
  Approval,
  AttachedFrame,
  DecideApprovalFrame,
  Decision,
  Grant,
  RequestApprovalFrame,
  ServerFrame,
  SessileError,
} from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";
import { type ListOptions, Waiting } from "./waiting.ts";

/** The approvals of a session, and deciding them. Call it before `connect`, or any time later. */
export function approvalsOf(session: Session): ApprovalsFeature {
  return session.feature(begin);
}

/** An approval as a page shows it. */
export interface ShownApproval extends Approval {
  /** This page has decided, and the session has not answered yet. */
  deciding?: Decision;
}

/** The approvals of a session; a new object at each change, with unchanged parts kept. */
export interface Approvals {
  /** The oldest first. */
  readonly pending: readonly ShownApproval[];
  /** Those that were settled while this page looked, the latest last; 100 at most. */
  readonly settled: readonly Approval[];
}

/** The fields of a decision beside the decision itself. */
export type DecideOptions = Omit<DecideApprovalFrame, "type" | "id" | "approval" | "decision">;

/** A page of approvals, the newest first. */
export interface ApprovalPage {
  approvals: Approval[];
  hasMore: boolean;
  /** The `before` of the next page; there if `hasMore`. */
  next?: string;
}

const begin = (engine: Engine) => new ApprovalsFeature(engine);
const SETTLED_MOST = 100;

export class ApprovalsFeature implements Feature {
  value: Approvals;
  readonly #engine: Engine;
  readonly #waiting: Waiting<Approval>;
  readonly #deciding = new Map<string, Decision>();

  constructor(engine: Engine) {
    this.#engine = engine;
    const initial = engine.options.initial?.approvals ?? [];
    this.value = { pending: initial, settled: [] };
    this.#waiting = new Waiting(engine, "approvals", initial, (approval) => this.#keep(approval));
  }

  get pending(): readonly ShownApproval[] {
    return this.value.pending;
  }

  get settled(): readonly Approval[] {
    return this.value.settled;
  }

  /**
   * Decides an approval. It is shown as `deciding` until the session answers, and the decision is
   * sent again after a reconnect. Exactly one decision wins, from whichever device: a later one
   * rejects with `already-decided`, and `info.approval` is the approval as it stands.
   */
  async decide(
    approval: string,
    decision: Decision,
    options: DecideOptions = {},
  ): Promise<Approval> {
    const frame = { ...options, type: "approval.decide", id: newId(), approval, decision } as const;
    this.#deciding.set(approval, decision);
    this.#show();
    try {
      return (await this.#engine.link.request(frame)).approval;
    } catch (error) {
      const settled = (error as SessileError).info?.approval;
      if (settled) this.#waiting.take(settled);
      throw error;
    } finally {
      this.#deciding.delete(approval);
      this.#show();
    }
  }

  /** Asks a person; with the same `id` it returns the approval as it stands. */
  async request(asked: Omit<RequestApprovalFrame, "type">): Promise<Approval> {
    const frame = { id: newId(), ...asked, type: "approval.request" } as const;
    return (await this.#engine.link.request(frame)).approval;
  }

  /** Takes this client's own request back. */
  async withdraw(approval: string): Promise<Approval> {
    const frame = { type: "approval.withdraw", id: newId(), approval } as const;
    return (await this.#engine.link.request(frame)).approval;
  }

  /**
   * Ends what this client granted for a key, by decisions with a `scope` (P8.6); returns the grants
   * that are left.
   */
  async revoke(key: string): Promise<readonly Grant[]> {
    const frame = { type: "grant.revoke", id: newId(), key } as const;
    return (await this.#engine.link.request(frame)).grants;
  }

  /** Reads all approvals, settled ones too, the newest first. */
  list(options: ListOptions = {}): Promise<ApprovalPage> {
    return this.#waiting.list(options);
  }

  attached({ approvals, resumed }: AttachedFrame): void {
    this.#waiting.begin(approvals);
    // The session may be another one of the same name (P3.6).
    if (!resumed) this.value = { ...this.value, settled: [] };
    this.#keep();
  }

  take(frame: ServerFrame): void {
    if ("approval" in frame) this.#waiting.take(frame.approval);
  }

  #show(): void {
    this.#keep();
    this.#engine.changed();
  }

  /** Shows the list as it is now, and an approval that has just changed. */
  #keep(changed?: Approval): void {
    const held = new Map(this.pending.map((approval) => [approval.id, approval]));
    const pending = this.#waiting.items.map((approval) => {
      const was = held.get(approval.id);
      const deciding = this.#deciding.get(approval.id);
      const isSame = was?.version === approval.version && was.deciding === deciding;
      return isSame ? was : deciding ? { ...approval, deciding } : approval;
    });
    const isSettled = changed && changed.status !== "pending";
    const { settled } = this.value;
    const others = isSettled ? settled.filter(({ id }) => id !== changed.id) : settled;
    const all = isSettled ? [...others, changed].slice(-SETTLED_MOST) : settled;
    this.value = { pending, settled: all };
  }
}
