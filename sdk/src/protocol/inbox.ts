// The inbox: one client's, or one role's, part of every session (P15).

import type { Approval } from "./approval.ts";
import type { Leading } from "./lead.ts";

/** A session as an inbox shows it (P11.3). */
export interface InboxSession {
  id: string;
  title?: string;
  createdAt: number;
  /** The last activity that the inbox was told of: at most a minute behind. */
  lastActivityAt: number;
  openTurns: number;
  /** All pending approvals of the session, whoever may decide them. */
  pendingApprovals: number;
  /** The person who leads (P8.8). */
  lead?: Leading;
  /**
   * Messages of others that the client has not read (P9.5); 100 means 100 or more. Only the inbox
   * of a role has none.
   */
  unread?: number;
}

/** Something that left the inbox. */
export interface InboxGone {
  id: string;
  gone: true;
}

/** An approval or a call that left the inbox: its id is one of its session's. */
export interface InboxItemGone extends InboxGone {
  session: string;
}

/** Where the rest of a list begins, for the lists that are not whole. */
export interface InboxNext {
  sessions?: string;
  approvals?: string;
  calls?: string;
  /** More work waits than is listed. */
  work?: string;
}

/** An input that waits for an agent (P15.3). */
export interface InboxWork {
  /** The same however often it is told, or delivered in another way (P10.3). */
  id: string;
  session: string;
  /** The serial of the message to answer; absent for a turn that answers none. */
  input?: string;
  /** The turn that waits, if there is one already: an input in a queue, or a lost agent's turn. */
  turn?: string;
  /** Which attempt at the turn its next leader makes. */
  attempt?: number;
  /** When it began to wait, in milliseconds since 1970. */
  at: number;
  /** The W3C trace context of the turn that waits (P6.13). */
  traceparent?: string;
}

/** Everything in an inbox (P15.1). */
export interface InboxContent {
  /** The newest activity first. */
  sessions: InboxSession[];
  /** Pending ones, the newest first. */
  approvals: Approval[];
  calls: { id: string; session: string }[];
  /** Inputs for an agent, the oldest first. */
  work: InboxWork[];
  next?: InboxNext;
  /** Up to here a reader has everything. */
  serial: string;
}

/** `GET /v1/inbox`. */
export type InboxResult = InboxContent;

/** `GET /v1/sessions`. */
export interface InboxSessionsResult {
  sessions: InboxSession[];
  /** The `cursor` of the next page. */
  next?: string;
}

/** `GET /v1/approvals`. */
export interface InboxApprovalsResult {
  approvals: Approval[];
  next?: string;
}

/** The first frame of a connection to an inbox (P15.2). */
export interface InboxFrame extends Partial<Omit<InboxContent, "serial">> {
  type: "inbox";
  protocol: number;
  /** `client:ID` or `role:NAME`. */
  inbox: string;
  connection: string;
  client: string;
  expiresAt: number;
  at: number;
  limits: Record<string, number>;
  serial: string;
  /** Whether the frames that follow continue after `since`: then no list is there. */
  resumed: boolean;
}

/** A session that changed, or left. */
export interface InboxSessionFrame {
  type: "inbox.session";
  serial: string;
  session: InboxSession | InboxGone;
}

/** An approval that changed, pending or settled, or left. */
export interface InboxApprovalFrame {
  type: "inbox.approval";
  serial: string;
  approval: Approval | InboxItemGone;
}

/** A call that changed, or left (P8.9). */
export interface InboxCallFrame {
  type: "inbox.call";
  serial: string;
  call: { id: string; session: string } | InboxItemGone;
}

/** An input that waits, or that somebody answers or nobody will (P15.3). */
export interface InboxWorkFrame {
  type: "inbox.work";
  serial: string;
  work: InboxWork | InboxItemGone;
}

/** A frame that changes an inbox. */
export type InboxChange = InboxSessionFrame | InboxApprovalFrame | InboxCallFrame | InboxWorkFrame;
