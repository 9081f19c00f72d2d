// The options, the snapshot and the events of a session.

import type { ConnectionOptions, ConnectionStatus } from "../connection/types.ts";
import type {
  AttachedFrame,
  MessageFrame,
  NewMessage,
  PresenceCountFrame,
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
import type { ShownMessage } from "./sending.ts";

export interface SessionOptions extends ConnectionOptions {
  /** Keeps unacknowledged messages over a reload: `indexedDbOutbox()`. */
  outbox?: Outbox;
  /**
   * The token's `sub`, where the page knows it before there is a token. A message that is written
   * offline is put into the outbox only once its client is known.
   */
  client?: string;
  /** A snapshot from `fetchSnapshot`: shown at once, then kept up to date. */
  initial?: Snapshot;
  /**
   * Whether hooks and adapters show text that grows at an even pace, at most one window (`rollup`)
   * behind; on by default. Then a session that they make asks for a window of 320 ms.
   */
  pace?: boolean;
  /** The most messages that may wait to be sent; 200 by default. */
  maxPending?: number;
}

/** The state of a session: a new object at each change, with unchanged fields kept. */
export interface SessionSnapshot {
  /** The messages in the log's order, without tombstones, then those still to be sent. */
  readonly messages: readonly ShownMessage[];
  /** The known turns, the oldest first. */
  readonly turns: readonly Turn[];
  readonly connection: ConnectionStatus;
  /** Whether history holds more. */
  readonly hasOlder: boolean;
  /** The values of the features in use: `features.get(presenceOf(session))`. */
  readonly features: ReadonlyMap<object, unknown>;
}

/** Events to listen to with `on`. */
export interface SessionEvents {
  /** Every frame, after it was applied. */
  frame: ServerFrame;
  message: MessageFrame;
  turn: TurnFrame | TurnSteerFrame;
  presence: PresenceFrame | PresenceCountFrame;
  signal: SignalledFrame;
  log: TrimFrame;
  connection: ConnectionStatus;
  /** The log could not be resumed and was read anew (P3.6); the messages shown are right. */
  reset: AttachedFrame;
  /** An error outside any call. */
  error: SessileError;
}

export interface SendOptions extends Omit<Partial<NewMessage>, "data" | "status"> {
  /** Cancels in the same step: every active turn, or the one named (P6.6). */
  interrupt?: true | string;
}
