// The frames that a session sends (P3.4, P4.4, P6.10, P7.3, P13).

import type { Approval, ApprovalFrame, Grant, GrantFrame } from "./approval.ts";
import type { ToolCall, ToolCallFrame } from "./call.ts";
import type { ErrorInfo } from "./error.ts";
import type { Leading, LeadReturnedFrame, LeadTakenFrame } from "./lead.ts";
import type { Limits } from "./limits.ts";
import type { ReadMark, ReadMarkFrame } from "./mark.ts";
import type { Annotations, Message, MessageStatus } from "./message.ts";
import type { Member, MemberList } from "./presence.ts";
import type { SharedState, StateChangeFrame } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { OverBudget, Usage, UsageFrame } from "./usage.ts";

/** The first frame of a connection (P3.4). */
export interface AttachedFrame extends MemberList {
  type: "attached";
  protocol: number;
  session: string;
  /** This connection. */
  connection: string;
  /** The client behind it: the token's `sub`. */
  client: string;
  /** When its token expires. */
  expiresAt: number;
  /** The session's time, which a client compares `expiresAt` with: its own clock may be wrong. */
  at?: number;
  /** How many connections the session had when this one attached, this one among them. */
  connections?: number;
  /** The log's end as of attaching; `""` in a session in which nothing was ever written. */
  serial: string;
  /** Whether the replay goes on after `since`; if not, drop everything held (P3.6). */
  resumed: boolean;
  /** Why it does not, though it was asked to: for people. */
  reason?: string;
  /** Whether there is more in history than the replay brings. */
  hasOlder: boolean;
  /** The open turns; absent when they are too long for this frame. */
  turns?: Turn[];
  /** The pending approvals, the oldest first; absent when they are too long for this frame. */
  approvals?: Approval[];
  /** The grants in force, the oldest first; absent where there are none (P8.6). */
  grants?: Grant[];
  /** The pending calls, the oldest first; absent when they are too long for this frame. */
  calls?: ToolCall[];
  /** The person who speaks in the place of the agents, if somebody does (P8.8). */
  lead?: Leading;
  /**
   * The shared state, for a reader that begins anew; absent where nothing was ever set, and where
   * it is too long: then a `state.change` of the root comes first (P9.2).
   */
  state?: SharedState;
  /** How far clients have read: all, or only the own one where very many have (P9.5). */
  marks?: ReadMark[];
  /** The session's sums; absent where nothing was reported (P6.12). */
  usage?: Usage;
  /** The sum that is beyond the budget, while it is spent (P6.12). */
  overBudget?: OverBudget;
  limits: Limits;
}

/** The replay is over; live frames follow (P3.4). */
export interface CaughtUpFrame {
  type: "caught-up";
  serial: string;
}

/** A message, whole: a new one, or one that changed, without `data` if that did not (P4.4). */
export interface WholeFrame {
  type: "message.create" | "message.update";
  message: Message;
}

/** The end of a streaming message (P3.10). */
export interface AppendedFrame {
  type: "message.append";
  serial: string;
  version: string;
  /** The length of the text before it, in UTF-16 code units. */
  offset: number;
  data: string;
  status?: MessageStatus;
  /** The message's headers from now on, where its end brought them. */
  headers?: Record<string, string>;
}

/** A message that is gone but for its tombstone (P4.4). */
export interface DeletedFrame {
  type: "message.delete";
  serial: string;
  version: string;
  /** Whether another attempt at its turn takes its place (P6.8). */
  superseded?: boolean;
}

/** Only the sums of a message changed (P9.3). */
export interface SummaryFrame {
  type: "message.summary";
  serial: string;
  version: string;
  annotations: Annotations;
}

/** Messages before a place are gone, but for some (P11.2). */
export interface TrimFrame {
  type: "log.trim";
  before: string;
  keep?: string[];
}

/** Frames about messages. */
export type MessageFrame = WholeFrame | AppendedFrame | DeletedFrame | SummaryFrame;

/** A turn that changed, whole (P6.10). */
export interface TurnFrame {
  type:
    | "turn.start"
    | "turn.suspend"
    | "turn.resume"
    | "turn.cancel"
    | "turn.queue"
    | "turn.adopt"
    | "turn.usage"
    | "turn.end";
  serial: string;
  turn: Turn;
}

/** An instruction to a running turn (P6.7). */
export interface TurnSteerFrame {
  type: "turn.steer";
  serial: string;
  turn: Turn;
  /** The serial of the message that it is. */
  message: string;
  data: unknown;
}

/** Somebody came, changed or left (P7.3). */
export interface PresenceFrame {
  type: "presence.enter" | "presence.update" | "presence.leave";
  member: Member;
}

/** How many members there are, where not all are listed (P7.3). */
export interface PresenceCountFrame {
  type: "presence.count";
  presenceCount: number;
}

/** Something passed on without being kept (P4.5). */
export interface SignalledFrame {
  type: "signal";
  client: string;
  /** Absent where it came by HTTP. */
  connection?: string;
  name: string;
  data?: unknown;
}

/** A frame was taken (P13.1). */
export interface AckFrame {
  type: "ack";
  ref: string | number | null;
  result: unknown;
}

/** A frame was refused (P13.1). */
export interface NackFrame {
  type: "nack";
  ref: string | number | null;
  error: ErrorInfo;
}

/** The token is about to expire (P2.6). */
export interface TokenExpiringFrame {
  type: "token-expiring";
  expiresAt: number;
}

/** Asks how far the reader has come (P13.7). */
export interface ProbeFrame {
  type: "probe";
  n: number;
}

/**
 * Everything that a session may say; a client ignores frames that it does not know (P1.4).
 */
export type ServerFrame =
  | AttachedFrame
  | CaughtUpFrame
  | MessageFrame
  | TrimFrame
  | TurnFrame
  | TurnSteerFrame
  | UsageFrame
  | ApprovalFrame
  | GrantFrame
  | ToolCallFrame
  | LeadTakenFrame
  | LeadReturnedFrame
  | StateChangeFrame
  | ReadMarkFrame
  | PresenceFrame
  | PresenceCountFrame
  | SignalledFrame
  | AckFrame
  | NackFrame
  | TokenExpiringFrame
  | ProbeFrame;

/** Reads one WebSocket message: a frame, or an array of frames (P13.6). */
export function readFrames(text: string): ServerFrame[] {
  return [JSON.parse(text)].flat() as ServerFrame[];
}

/**
 * The place in the log that a frame brings its reader to, `""` if none: the highest serial or
 * version of a log's frame (P3.7). Frames of later protocols count as well.
 */
export function placeOf(frame: ServerFrame): string {
  // `ack`, `attached` and `read.mark` name places that they do not bring anybody to.
  if (/^a[ct]|^read/.test(frame.type)) return "";
  const { serial, version, message } = frame as {
    serial?: string;
    version?: string;
    message?: { version?: string };
  };
  let place = "";
  for (const one of [serial, version, message?.version]) if (one && one > place) place = one;
  return place;
}
