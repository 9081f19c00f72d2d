// The options, the status and the calls of a connection, for the client and the agent.

import type {
  AttachedFrame,
  ClientFrame,
  Limits,
  ResultOf,
  ServerFrame,
  SessileError,
} from "../protocol/index.ts";

/** The times of a connection, in milliseconds. */
export interface Timing {
  /**
   * The first pause before a retry is 0 to this, or to a millisecond for each connection of the
   * session; it doubles with each failure.
   */
  backoffMs: number;
  /** No pause is longer. */
  backoffMostMs: number;
  /** The longest wait for a token, and then for `attached`. */
  connectMs: number;
  /**
   * How long a client that was never admitted waits for `attached`, until HTTP was asked and found
   * no mistake: a development server that is no Worker may leave a WebSocket without an answer.
   */
  firstMs: number;
  /** The interval of pings to the session; also keeps presence and leases. */
  pingMs: number;
  /** The longest wait for their answer. */
  pongMs: number;
  /** How long before its expiry a token is replaced (P2.6), and the shortest interval. */
  renewMs: number;
}

/** A token, or a function that returns one: called at each connect and before a token expires. */
export type Token = string | (() => string | Promise<string>);

/** The address of a session and the way to connect. */
export interface ConnectionOptions {
  /** The Worker's address: `https://example.com`, or a path below it. */
  url: string;
  /** The session's id (P1.1). */
  session: string;
  token: Token;
  /** The number of newest messages to start with (P3.3); 50 by default. */
  rewind?: number;
  /** The window in which appends are gathered into one frame, in milliseconds (P5.4). */
  rollup?: number;
  /** Follows only messages of these names (P3.3). */
  names?: readonly string[];
  /** A WebSocket class; needed where the platform has none, as in Node 20. */
  WebSocket?: typeof WebSocket;
  /** A `fetch` function in place of the platform's. */
  fetch?: typeof fetch;
  /**
   * Logs each change of the connection and all frames with `console.debug`, or calls a function
   * with them.
   */
  debug?: boolean | ((...what: unknown[]) => void);
  /** Times other than the defaults, for tests and unusual networks. */
  timing?: Partial<Timing>;
}

/**
 * How a connection stands:
 *
 * - `idle`: not asked to connect yet, or disconnected by the application.
 * - `connecting`: on its way to the session, or reading what was missed.
 * - `connected`: what is shown is what the session holds.
 * - `waiting`: lost; tries again at `retryAt`, or sooner when the network comes back.
 * - `closed`: given up, since trying again cannot help; `error` says why and what to do.
 */
export type ConnectionState = "idle" | "connecting" | "connected" | "waiting" | "closed";

/** The reason of a connection's state, as a word for the page to show. */
export type Reason =
  /** The network or the server was lost. */
  | "lost"
  /** The session was silent for too long. */
  | "silent"
  /** No token could be had, or it was malformed. */
  | "token"
  /** Nothing at the URL speaks Sessile. */
  | "wrong-url"
  /** The deployment lacks something, such as a key. */
  | "not-configured"
  /** P13.3. */
  | "protocol-error"
  | "unauthorized"
  | "forbidden"
  | "session-deleted"
  | "too-large"
  | "too-fast"
  /** A connection cannot even be tried: there is no WebSocket, or none may be opened from here. */
  | "unsupported"
  /** The session speaks a newer protocol than this SDK. */
  | "outdated";

/** A connection's status; a new object at each change. */
export interface ConnectionStatus {
  readonly state: ConnectionState;
  readonly reason?: Reason | undefined;
  /** The last error, with its remedy. */
  readonly error?: SessileError | undefined;
  /** When `waiting`: the time of the next retry. */
  readonly retryAt?: number | undefined;
}

/** The owner of a connection: it holds the log of the frames. */
export interface Owner {
  /** The position to resume after (P3.7), requested at each connect; none for a new start. */
  position(): string | undefined;
  /** How many messages to start with, where that is not what the options say. */
  rewind?(): number | undefined;
  /**
   * The frames of one WebSocket message, whole, so that a position never lies inside it. Acks
   * and nacks of requests are among them, as they came: settled after the owner has seen them.
   */
  take(frames: readonly ServerFrame[]): void;
  changed(status: ConnectionStatus): void;
  /** The connection is about to be opened with this token. */
  opening?(token: string): void;
  /** Frames that were sent may not have arrived; callers that ask once were told so. */
  lost?(): void;
  /** Something that belongs to no call went wrong, such as a nack without a `ref`. */
  failed?(error: SessileError): void;
}

/** How a request is to be treated. */
export interface RequestOptions {
  /**
   * Sent only on this connection: rejected with `disconnected` when that is lost, or there is
   * none, before the answer came. For who resends by its own rules, as appends with `seq` do.
   */
  once?: boolean;
}

/** Of `fetch`, with headers as an object. */
export interface ReadInit extends RequestInit {
  headers?: Record<string, string>;
}

/**
 * One session over one connection at a time. It connects, answers probes, renews its token,
 * notices a dead peer, comes back by itself, and sends again what was not acknowledged.
 */
export interface Link {
  /** The session's address, without a slash at its end. */
  readonly address: string;
  readonly status: ConnectionStatus;
  /** The session's first frame on the latest connection. */
  readonly attached: AttachedFrame | undefined;
  /** The bounds that hold (P14). */
  readonly limits: Limits;
  /** Connects and stays connected. Also tries again after `closed`. */
  start(): void;
  /** Disconnects and stays away; pending requests are rejected with `session-closed`. */
  stop(): void;
  /** Sends frames without a `ref`, in one array, if attached right now; says whether it did. */
  send(...frames: ClientFrame[]): boolean;
  /**
   * Sends a frame and gives its result, or rejects with the session's refusal. It is sent again,
   * in order, on each new connection until it is answered: give it an `id` where the frame takes
   * one, so that this is safe (P13.1).
   */
  request<F extends ClientFrame>(frame: F, options?: RequestOptions): Promise<ResultOf<F>>;
  /**
   * Reads over HTTP with the connection's token; `path` is relative to the session:
   * `messages?limit=10`. Works without a connection, too.
   */
  read<T>(path: string, init?: ReadInit): Promise<T>;
}
