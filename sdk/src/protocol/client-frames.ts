// The frames that a client may send (P4–P7, P13).

import type { AnnotateFrame, UnannotateFrame } from "./annotation.ts";
import type {
  ApprovalResult,
  DecideApprovalFrame,
  GrantsResult,
  RequestApprovalFrame,
  RevokeGrantFrame,
  WithdrawApprovalFrame,
} from "./approval.ts";
import type {
  CallToolFrame,
  ClaimCallFrame,
  SettleCallFrame,
  ToolCallResult,
  WithdrawCallFrame,
} from "./call.ts";
import type { LeadResult, ReturnLeadFrame, TakeLeadFrame } from "./lead.ts";
import type { ReadFrame } from "./mark.ts";
import type { Message, NewMessage } from "./message.ts";
import type { NotifyFrame } from "./notice.ts";
import type { Member } from "./presence.ts";
import type { StateFrame } from "./state.ts";
import type { Ending, Turn } from "./turn.ts";
import type { ReportUsageFrame, Usage } from "./usage.ts";

/** Creates messages, all or none (P4.2). */
export interface PublishFrame {
  type: "publish";
  messages: NewMessage[];
  /** Cancels in the same step: every active turn, or one (P6.6). */
  interrupt?: true | string;
  /** The attempt of the leader of the messages' turn (P6.8). */
  attempt?: number;
}

/** Appends to a streaming message (P5.1). Only a frame with a `status` may omit `data`. */
export interface AppendFrame {
  type: "append";
  serial: string;
  data?: string;
  seq?: number;
  /** Closes the message. */
  status?: Ending;
  /** The message's headers from then on; only with a `status`. */
  headers?: Record<string, string>;
  attempt?: number;
}

/** Replaces the given fields of a message (P4.3). */
export interface UpdateFrame {
  type: "update";
  serial: string;
  data?: unknown;
  headers?: Record<string, string>;
  /** Closes a message that streams; with the next `seq` it counts as that append. */
  status?: Ending;
  /** The last append that `data` contains (P5.3). */
  seq?: number;
  ifVersion?: string;
  attempt?: number;
  id?: string;
}

/** Leaves a tombstone (P4.3). */
export interface DeleteFrame {
  type: "delete";
  serial: string;
  ifVersion?: string;
  attempt?: number;
  id?: string;
}

/** Relays data without storing it (P4.5). */
export interface SignalFrame {
  type: "signal";
  name: string;
  data?: unknown;
  /** One connection, or all of one client. */
  to?: string;
}

/** Begins to answer (P6.2). */
export interface StartTurnFrame {
  type: "turn.start";
  id?: string;
  input?: string;
  parent?: string;
  /** The turn within which it runs: a cancel of that one reaches it (P6.11). */
  within?: string;
  /** Whether it goes on after the end of that turn. */
  detached?: boolean;
  leaseMs?: number;
  again?: boolean;
  metadata?: unknown;
  /** The W3C trace context; by default that of the input, its header `traceparent` (P6.13). */
  traceparent?: string;
}

/** Ends a turn (P6.3). */
export interface EndTurnFrame {
  type: "turn.end";
  turn: string;
  status: Ending;
  error?: unknown;
  /** The amounts that it used since its last report (P6.12). */
  usage?: Usage;
  attempt?: number;
  id?: string;
}

/** Suspends or resumes a turn, or says that it is alive (P6.3, P6.8). */
export interface DriveTurnFrame {
  type: "turn.suspend" | "turn.resume" | "turn.heartbeat";
  turn: string;
  attempt?: number;
  /** The reason of a suspended turn. */
  reason?: string;
  id?: string;
}

/** Takes a turn over (P6.8). */
export interface AdoptTurnFrame {
  type: "turn.adopt";
  turn: string;
  /** Whether its earlier output stands. */
  keep?: boolean;
  leaseMs?: number;
  id?: string;
}

/** Marks an instruction as taken (P6.7). */
export interface SteeredFrame {
  type: "turn.steered";
  turn: string;
  serial: string;
  attempt?: number;
  id?: string;
}

/** The turns that a cancel targets (P6.5). */
export type CancelTarget = { turn: string } | { input: string } | { all: true };

/** Asks for the end of turns (P6.5). */
export type CancelFrame = { type: "cancel"; reason?: string; id?: string } & CancelTarget;

/** Instructs a running turn (P6.7). */
export interface SteerFrame {
  type: "steer";
  turn: string;
  data: unknown;
  id?: string;
}

/** Enters presence, or updates its data (P7.1). */
export interface SetPresenceFrame {
  type: "presence.set";
  data?: unknown;
}

/** Leaves presence (P7.1). */
export interface LeavePresenceFrame {
  type: "presence.leave";
}

/** Continues with a fresh token (P2.6). */
export interface AuthFrame {
  type: "auth";
  token: string;
}

/** Everything up to a probe was processed (P13.7). */
export interface SeenFrame {
  type: "seen";
  n: number;
}

/**
 * The field that any frame may have: frames of one connection, or of one HTTP request, with the
 * same `chain` are taken in order or not at all (P13.8). An integer from 1.
 */
export interface Chained {
  chain?: number;
}

/** Everything that a client may send. */
export type ClientFrame = (
  | PublishFrame
  | AppendFrame
  | UpdateFrame
  | DeleteFrame
  | SignalFrame
  | StartTurnFrame
  | EndTurnFrame
  | DriveTurnFrame
  | ReportUsageFrame
  | AdoptTurnFrame
  | SteeredFrame
  | CancelFrame
  | SteerFrame
  | RequestApprovalFrame
  | DecideApprovalFrame
  | WithdrawApprovalFrame
  | RevokeGrantFrame
  | CallToolFrame
  | ClaimCallFrame
  | SettleCallFrame
  | WithdrawCallFrame
  | TakeLeadFrame
  | ReturnLeadFrame
  | StateFrame
  | AnnotateFrame
  | UnannotateFrame
  | ReadFrame
  | NotifyFrame
  | SetPresenceFrame
  | LeavePresenceFrame
  | AuthFrame
  | SeenFrame
) &
  Chained;

/** A place in the log. */
export interface Placed {
  serial: string;
  version: string;
  id?: string;
  seq?: number;
  /** Whether it had been taken before. */
  duplicate?: boolean;
}

/** The result of frames that drive a turn. */
export interface TurnResult {
  turn: Turn;
  duplicate?: boolean;
}

/** The result in an ack, by the type of its frame (P13.5). */
export interface Results {
  publish: { messages: Placed[] };
  append: Placed;
  update: Placed;
  delete: Placed;
  signal: { duplicate?: boolean };
  "turn.start": TurnResult;
  "turn.end": TurnResult;
  "turn.suspend": TurnResult;
  "turn.resume": TurnResult;
  "turn.heartbeat": TurnResult;
  "turn.usage": TurnResult;
  "turn.adopt": TurnResult;
  "turn.steered": TurnResult;
  /** Only the ids if the turns are too long for an ack. */
  cancel: { turns?: Turn[]; turnIds?: string[]; duplicate?: boolean };
  steer: { serial: string; turn: Turn; duplicate?: boolean };
  "approval.request": ApprovalResult;
  "approval.decide": ApprovalResult;
  "approval.withdraw": ApprovalResult;
  "grant.revoke": GrantsResult;
  "tool.call": ToolCallResult;
  "tool.claim": ToolCallResult;
  "tool.result": ToolCallResult;
  "tool.withdraw": ToolCallResult;
  "lead.take": LeadResult;
  "lead.return": LeadResult;
  /** The serial of the change, twice. */
  state: Placed;
  /** The message, and the serial of the change as its version. */
  annotate: Placed;
  unannotate: Placed;
  read: Record<string, never>;
  notify: { duplicate?: boolean };
  "presence.set": { member: Member };
  "presence.leave": { member: Member };
  auth: { expiresAt: number; at?: number };
  seen: Record<string, never>;
}

/** The result in the ack of a frame. */
export type ResultOf<F extends ClientFrame> = Results[F["type"]];

/** The answer of a read of one message over HTTP (P13.5). */
export interface MessageAnswer {
  message: Message;
}
