// Messages, the unit of the log (P4).

import type { Approval } from "./approval.ts";
import type { ToolCall } from "./call.ts";
import type { Leading } from "./lead.ts";
import type { ReadMark } from "./mark.ts";
import type { MemberList } from "./presence.ts";
import type { SharedState } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { OverBudget, Usage } from "./usage.ts";

/** In whose voice a message speaks. All but `user` need `turn` or `edit` (P4.1). */
export type Role = "user" | "assistant" | "system" | "tool";

/** How far a message has come. Only a streaming one takes appends (P5.1). */
export type MessageStatus = "streaming" | "complete" | "cancelled" | "failed";

/** The sum of the annotations of one kind and name (P9.3). */
export interface Sum {
  total: number;
  clients: Record<string, number>;
  clipped?: boolean;
}

/** Sums by kind, then by name; the name is `""` where none was given (P9.3). */
export type Annotations = Record<string, Record<string, Sum>>;

/** A message, the unit of the log (P4.1). Fields that are absent are left out. */
export interface Message {
  /** Its place in the log's one order. Opaque; compares as text within one life of a session. */
  serial: string;
  /** The serial of its latest change. */
  version: string;
  /** The sender's own id. */
  id?: string;
  /** The application's event name; `message` where the sender gave none. */
  name: string;
  /** The client that created it. */
  client: string;
  /** The connection that it came over, if it came over one. */
  connection?: string;
  role: Role;
  /** The turn that it belongs to. */
  turn?: string;
  /** The serial of the message that it follows (P6.9). */
  parent?: string;
  /** Text or any JSON; absent once the message is deleted. */
  data?: unknown;
  headers?: Record<string, string>;
  /** Absent where it never streamed. */
  status?: MessageStatus;
  /** The highest `seq` that its appends have taken (P5.3). */
  seq?: number;
  createdAt: number;
  updatedAt: number;
  annotations?: Annotations;
  deletedAt?: number;
}

/** A message to be published (P4.2). */
export interface NewMessage {
  /** Makes sending again safe (P13.1). */
  id?: string;
  name?: string;
  role?: Role;
  turn?: string;
  parent?: string;
  data: unknown;
  headers?: Record<string, string>;
  /** `streaming` for one that will grow by appends. */
  status?: MessageStatus;
  /** Whether an agent is to answer it, where its sender does not tell; `false`: never (P10.3). */
  wake?: boolean;
}

/** A page of history (P3.9). */
export interface Page {
  messages: Message[];
  hasMore: boolean;
  /** The `before` or `after` of the next page; there if `hasMore`. */
  next?: string;
  /** The turns that its messages belong to. */
  turns?: Turn[];
}

/** The session as `GET …` gives it (P11.1), enough to render a page on a server. */
export interface Snapshot extends MemberList {
  session: string;
  /** The log's end. */
  serial: string;
  createdAt?: number;
  updatedAt?: number;
  settings: Record<string, unknown>;
  /** The newest messages, in the log's order. */
  messages: Message[];
  /** Whether history holds more. */
  hasOlder: boolean;
  /** The shared state; absent where nothing was ever set. */
  state?: SharedState;
  marks?: ReadMark[];
  /** The session's sums; absent where nothing was reported (P6.12). */
  usage?: Usage;
  /** The sum that is beyond the budget, while it is spent (P6.12). */
  overBudget?: OverBudget;
  /** The open turns, and those that the messages belong to. */
  turns?: Turn[];
  /** The pending approvals, the oldest first; absent when they are too long (P8.3). */
  approvals?: Approval[];
  /** The pending tool calls, the oldest first; absent when they are too long (P8.9). */
  calls?: ToolCall[];
  /** The person who speaks in the place of the agents, if somebody does (P8.8). */
  lead?: Leading;
}
