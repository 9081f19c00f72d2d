// The answers that the inspector reads, beside the SDK's own types (P11.4).

import type { Approval, OverBudget, ToolCall, Turn, Usage } from "sessile";

/** How a connection began, and what it was refused. */
export interface Trace {
  /** Absent where it attached before the session's object woke. */
  attachedAt?: number;
  resumed?: boolean;
  /** Why it could not go on from where it was. */
  reason?: string;
  frames: number;
  bytes: number;
  /** When it last said that it had processed what it was sent (P13.7). */
  seenAt?: number;
  refused: Record<string, number>;
}

/** An open connection. */
export interface Connected {
  connection: string;
  client: string;
  kind: string;
  /** Its rollup window, in milliseconds. */
  window: number;
  unsent: number;
  trace?: Trace;
}

/** A reader that is gone. */
export interface Gone {
  connection: string;
  client: string;
  kind: string;
  goneAt: number;
  /** The end of the log then. */
  serial: string;
  /** Absent where the client closed it, or its network. */
  code?: number;
  reason?: string;
  trace: Trace;
}

/** A call to another system that has failed so far, or for good. */
export interface Letter {
  id: string;
  target: string;
  attempts: number;
  createdAt: number;
  dueAt?: number;
  deadAt?: number;
  reason: string;
}

/** `GET …/diagnostics`. */
export interface Diagnostics {
  session: string;
  serial: string;
  rowsWritten: number;
  rowsRead: number;
  databaseBytes: number;
  memoryBytes: number;
  connections: Connected[];
  traces: {
    attached: number;
    resumed: number;
    frames: number;
    bytes: number;
    refused: Record<string, number>;
    closed: Record<string, number>;
    gone: Gone[];
  };
  presence: { at: number; what: string; client: string; connection: string }[];
  /** Absent where the storage fails. */
  deliveries?: { pending: number; failing: Letter[]; dead: Letter[] };
}

/** An entry of `GET …/log`. */
export interface Entry {
  serial: string;
  type: string;
  at: number;
  /** Absent for what the session did itself. */
  client?: string;
  message?: string;
  turn?: string;
  approval?: string;
  call?: string;
  id?: string;
  name?: string;
  role?: string;
  bytes?: number;
  status?: string;
  seq?: number;
  version?: string;
  updatedAt?: number;
  deletedAt?: number;
}

/** A page of the log. */
export interface EntryPage {
  entries: Entry[];
  hasMore: boolean;
  next?: string;
  /** Where the log begins, if retention took what was before (P11.2). */
  trimmed?: string;
}

/** The snapshot, without its messages. */
export interface Overview {
  session: string;
  serial: string;
  createdAt?: number;
  updatedAt?: number;
  settings: Record<string, unknown>;
  presence?: { client: string; role: string; connection: string; since: number }[];
  presenceCount?: number;
  lead?: { client: string; name?: string; since: number; note?: string };
  turns?: Turn[];
  approvals?: Approval[];
  calls?: ToolCall[];
  usage?: Usage;
  overBudget?: OverBudget;
}

/** A client's device, and the notices that were given up (P10.1). */
export interface Devices {
  client: string;
  devices: { id: string; service: string; registeredAt: number }[];
  pending: number;
  failing: Notice[];
  dead: Notice[];
}

/** A notice that its service did not take. */
export interface Notice {
  id: string;
  device: string;
  attempts: number;
  createdAt: number;
  dueAt?: number;
  deadAt?: number;
  reason: string;
}

export type { Approval, ToolCall, Turn };
