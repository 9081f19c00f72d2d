// What a session takes, shows and tells.

import type { ConnectionOptions, ConnectionStatus } from "../connection/types.ts";
import type {
  AttachedFrame,
  MessageFrame,
  NewMessage,
  PresenceFrame,
  ServerFrame,
  SessileError,
  SignalledFrame,
  Snapshot,
  TrimFrame,
  Turn,
  TurnFrame,
  TurnSteerFrame,
} from "../protocol/index.ts";
import type { Outbox } from "./outbox.ts";
import type { Presence } from "./presence.ts";
import type { ShownMessage } from "./sending.ts";

export interface SessionOptions extends ConnectionOptions {
  /** Keeps what was not acknowledged over a reload: `indexedDbOutbox()`. */
  outbox?: Outbox;
  /**
   * The token's `sub`, where the page knows it before there is a token: what is written offline
   * is in the outbox only once it is known by whom.
   */
  client?: string;
  /** What `fetchSnapshot` gave, on a server perhaps: shown at once, and gone on from. */
  initial?: Snapshot;
  /** How many messages may wait to be sent; 200 by default. */
  maxPending?: number;
}

/** What a session shows; a new object, with new parts where they differ, at each change. */
export interface SessionSnapshot {
  /** The messages of the selected branches in the log's order, then those still to be sent. */
  readonly messages: readonly ShownMessage[];
  /** The turns that are known, the oldest first. */
  readonly turns: readonly Turn[];
  /** Ids of active turns of which nothing was heard for a third of their lease (P6.8). */
  readonly silent: ReadonlySet<string>;
  readonly presence: Presence;
  readonly connection: ConnectionStatus;
  /** Whether there is more for `loadOlder`. */
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
}

/** What can be listened to with `on`. */
export interface SessionEvents {
  /** Every frame that came, after it was taken. */
  frame: ServerFrame;
  message: MessageFrame;
  turn: TurnFrame | TurnSteerFrame;
  presence: PresenceFrame;
  signal: SignalledFrame;
  log: TrimFrame;
  connection: ConnectionStatus;
  /** The log could not be resumed and was read anew (P3.6); what is shown is right. */
  reset: AttachedFrame;
  /** Something that belongs to no call went wrong. */
  error: SessileError;
}

export interface SendOptions extends Omit<Partial<NewMessage>, "data" | "status"> {
  /** Cancels in the same step: every active turn, or the one named (P6.6). */
  interrupt?: true | string;
}
