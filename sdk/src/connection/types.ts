// The options, the status and the calls of a connection, for the client and the agent.

import type {
  AttachedFrame,
  ClientFrame,
  Limits,
  ResultOf,
  ServerFrame,
  SessileError,
} from "../protocol/index.ts";

/** The times that a connection keeps, in milliseconds. */
export interface Timing {
  /**
   * The first pause before trying again is 0 to this, or to a millisecond for each connection that
   * the session had; it doubles with each failure.
   */
  backoffMs: number;
  /** No pause is longer. */
  backoffMostMs: number;
  /** How long a token may take, and then `attached`. */
  connectMs: number;
  /**
   * How long who was never let in waits for `attached`, until HTTP was asked and found no mistake:
   * a development server that is no Worker may leave a WebSocket without an answer.
   */
  firstMs: number;
  /** How often the session is asked whether it is there; also keeps presence and leases. */
  pingMs: number;
  /** How long it may take to answer. */
  pongMs: number;
  /** How long before its expiry a token is replaced (P2.6), and the least time between. */
  renewMs: number;
}

/** A token, or a function that gets one: asked at each connect and before a token expires. */
export type Token = string | (() => string | Promise<string>);

/** Where a session is and how to get there. */
export interface ConnectionOptions {
  /** Where the Worker is: `https://example.com`, or a path below it. */
  url: string;
  /** The session's id (P1.1). */
  session: string;
  token: Token;
  /** How many of the newest messages to start with (P3.3); 50 by default. */
  rewind?: number;
  /** How long appends are gathered into one frame, in milliseconds (P5.4). */
  rollup?: number;
  /** Follows only messages of these names (P3.3). */
  names?: readonly string[];
  /** Another WebSocket than the platform's; needed where it has none, as in Node 20. */
  WebSocket?: typeof WebSocket;
  /** Another fetch than the platform's. */
  fetch?: typeof fetch;
  /**
   * Logs each change of the connection and all frames, with `console.debug`, or calls a function
   * with them.
   */
  debug?: boolean | ((...what: unknown[]) => void);
  /** Other times than the usual, for tests and unusual networks. */
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

/** Why a connection is as it is, as a word that a page can show something for. */
export type Reason =
  /** The network or the server was lost. */
  | "lost"
  /** Nothing was heard for too long. */
  | "silent"
  /** No token could be had, or what was given is none. */
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
  /** Connecting cannot even be tried: there is no WebSocket, or none may be opened from here. */
  | "unsupported"
  /** The session speaks a newer protocol than this SDK. */
  | "outdated";

/** A connection's status; a new object at each change. */
export interface ConnectionStatus {
  readonly state: ConnectionState;
  readonly reason?: Reason | undefined;
  /** The last error, in words that say what to do. */
  readonly error?: SessileError | undefined;
  /** Of `waiting`: when it tries again. */
  readonly retryAt?: number | undefined;
}

/** The owner of a connection: it holds the log that the frames make. */
export interface Owner {
  /** The position to resume after (P3.7), asked at each connect; none for a new start. */
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
