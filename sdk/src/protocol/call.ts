// Calls of tools that a client's device runs (P8.9).

/** How far a call has come; all but `pending` are settled. */
export type ToolCallStatus = "pending" | "complete" | "failed" | "expired" | "withdrawn";

/** A device's claim on a call. */
export interface ToolClaim {
  /** The claim's own id, where the device gave one. */
  id?: string;
  client: string;
  /** Absent for a claim by HTTP. */
  connection?: string;
  /** When it was made, or last made again. */
  at: number;
  leaseMs: number;
  /** When it ends, as far as the session knows; absent once the call is settled. */
  leaseUntil?: number;
}

/** A call of a tool on a client's device (P8.9). Fields that are absent are left out. */
export interface ToolCall {
  id: string;
  session: string;
  turn: string;
  /** The agent's client. */
  client: string;
  status: ToolCallStatus;
  /** The tool. */
  name: string;
  input?: unknown;
  /** The clients, `role:NAME` or connections that may claim it; absent: every client. */
  to?: string[];
  /** The JSON Schema that the output has to fit. */
  schema?: unknown;
  /** Whether the turn waits for it. */
  suspend?: boolean;
  deadlineAt?: number;
  /** The claim that holds, or by which the call was settled. */
  claim?: ToolClaim;
  output?: unknown;
  /** The error that the tool failed with. */
  error?: unknown;
  createdAt: number;
  settledAt?: number;
  /** The place of the request. */
  serial: string;
  /** The place of the latest change. */
  version: string;
}

/** Calls a tool on a device; the turn's leader does. */
export interface CallToolFrame {
  type: "tool.call";
  /** The call's own id: calling again with it gives the call as it stands. */
  id?: string;
  turn: string;
  attempt?: number;
  name: string;
  input?: unknown;
  /** By default the client whose message the turn answers. */
  to?: string[];
  schema?: unknown;
  deadlineMs?: number;
  suspend?: boolean;
}

/** Takes a call for one device. One wins, the others get `claimed`. */
export interface ClaimCallFrame {
  type: "tool.claim";
  call: string;
  /** The claim's own id: sent again with it, over any connection, it renews or moves the claim. */
  id?: string;
  leaseMs?: number;
}

/** Settles a claimed call, once. */
export interface SettleCallFrame {
  type: "tool.result";
  call: string;
  /** The id of the claim, where the result comes over another connection than the claim did. */
  claim?: string;
  output?: unknown;
  error?: unknown;
  id?: string;
}

/** Takes a call back; the turn's leader does. */
export interface WithdrawCallFrame {
  type: "tool.withdraw";
  call: string;
  attempt?: number;
  id?: string;
}

/**
 * A call that changed, whole: `tool.call` says that it is open to claims, be it new or released,
 * `tool.expire` that it ended without a result.
 */
export interface ToolCallFrame {
  type: "tool.call" | "tool.claim" | "tool.result" | "tool.expire";
  serial: string;
  call: ToolCall;
}

/** The result of a frame about a call. */
export interface ToolCallResult {
  call: ToolCall;
  duplicate?: boolean;
}
