// Approvals: what a person has to answer (P8.1–P8.5).

/** How far an approval has come; all but `pending` are settled. */
export type ApprovalStatus =
  | "pending"
  | "approved"
  | "rejected"
  | "answered"
  | "dismissed"
  | "expired"
  | "withdrawn";

/** One of the answers that a question offers. */
export interface ApprovalOption {
  id: string;
  label: string;
  data?: unknown;
}

/** Something that happened to an approval. */
export interface ApprovalEvent {
  at: number;
  what: "request" | "escalate" | "decide" | "expire" | "withdraw";
  /** Absent where the session did it. */
  who?: string;
  /** The key and the approval by which it was decided before (P8.6). */
  grant?: string;
  approval?: string;
}

/** The default at the deadline (P8.1). */
export type OnDeadline = "expire" | "approve" | "reject" | { option: string };

/** The effect of an input by somebody who may decide (P8.7). */
export type OnMessage = "keep" | "dismiss";

/** How far a decision is remembered (P8.6). */
export type Scope = "turn" | "session";

/** A decision that is remembered: later requests with its key are approved at once (P8.6). */
export interface Grant {
  key: string;
  scope: Scope;
  turn?: string;
  /** The client whose requests it settles. */
  client: string;
  /** The client that gave it. */
  by: string;
  /** The approval that it was given with. */
  approval: string;
  at: number;
}

/** An approval or a question (P8.1). Fields that are absent are left out. */
export interface Approval {
  id: string;
  session: string;
  turn?: string;
  kind: "approval" | "question";
  status: ApprovalStatus;
  title: string;
  description?: string;
  data?: unknown;
  /** The JSON Schema that the answer's data has to fit. */
  schema?: unknown;
  options?: ApprovalOption[];
  /** Clients, or `role:NAME`. */
  assignees?: string[];
  /** The client that asks. */
  client: string;
  deadlineAt?: number;
  onDeadline?: OnDeadline;
  onMessage?: OnMessage;
  /** The key under which a decision may be remembered (P8.6). */
  grant?: string;
  decision?: Decision;
  option?: string;
  answer?: unknown;
  comment?: string;
  scope?: Scope;
  decidedBy?: string;
  history: ApprovalEvent[];
  createdAt: number;
  /** The place of the request. */
  serial: string;
  /** The place of the latest change. */
  version: string;
}

/** A decision: `answer` goes with a question, the first two with an approval. */
export type Decision = "approve" | "reject" | "answer" | "dismiss";

/** Asks a person (P8.1). */
export interface RequestApprovalFrame {
  type: "approval.request";
  /** The approval's own id: asking again with it gives the approval as it stands. */
  id?: string;
  turn?: string;
  attempt?: number;
  kind?: "approval" | "question";
  title: string;
  description?: string;
  data?: unknown;
  schema?: unknown;
  options?: ApprovalOption[];
  assignees?: string[];
  deadlineMs?: number;
  onDeadline?: OnDeadline;
  escalate?: { afterMs: number; assignees: string[] }[];
  grant?: string;
  onMessage?: OnMessage;
}

/** Decides an approval; exactly one decision wins (P8.2). */
export interface DecideApprovalFrame {
  type: "approval.decide";
  approval: string;
  decision: Decision;
  option?: string;
  data?: unknown;
  comment?: string;
  scope?: Scope;
  id?: string;
}

/** Takes a request back (P8.2). */
export interface WithdrawApprovalFrame {
  type: "approval.withdraw";
  approval: string;
  attempt?: number;
  id?: string;
}

/** Ends what was granted for a key (P8.6). */
export interface RevokeGrantFrame {
  type: "grant.revoke";
  key: string;
  id?: string;
}

/** The grants of a key have ended; `grants` are those in force after it (P8.6). */
export interface GrantFrame {
  type: "grant.revoke";
  serial: string;
  key: string;
  by: string;
  grants: Grant[];
}

/** The result of `grant.revoke`. */
export interface GrantsResult {
  grants: Grant[];
  duplicate?: boolean;
}

/** An approval that changed, whole (P8.5). */
export interface ApprovalFrame {
  type:
    | "approval.request"
    | "approval.escalate"
    | "approval.decide"
    | "approval.expire"
    | "approval.withdraw";
  serial: string;
  approval: Approval;
}

/** The result of a frame about an approval. */
export interface ApprovalResult {
  approval: Approval;
  duplicate?: boolean;
}
