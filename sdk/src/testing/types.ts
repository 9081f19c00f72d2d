// A session layer for tests, as a test sees it.

import type { Handler, Receiver } from "./receiver.ts";
import type { TokenClaims } from "./token.ts";
import type { Wire } from "./wire.ts";

/** A setting of the Worker: text, JSON that is written as text, or none. */
export type Var = string | number | boolean | object | undefined;

export interface SessileOptions {
  /**
   * Settings of the Worker (docs/deploy.md), as `{ SESSILE_HOOKS: [{ url }] }`; values that are no
   * text are written as JSON, and `undefined` takes away one that a test has by default:
   * `SESSILE_SIGNING_KEY`, `SESSILE_WEBHOOK_SECRETS` and `SESSILE_LOCAL_TARGETS`.
   */
  vars?: Record<string, Var>;
  /** Bounds by their names (P14), smaller than those of a deployment: `{ dataBytes: 1000 }`. */
  limits?: Record<string, number>;
  /** The key that signs tokens, of at least 32 bytes; by default one of its own. */
  key?: string;
  /** Where sessions are kept, and stay after `stop`; by default nothing stays. */
  data?: string;
  /** A directory with `index.js` and `index_bg.wasm` of another build of the Worker. */
  worker?: string;
  /** Hears each line that the Worker prints; by default nobody does. */
  log?: (line: string) => void;
}

/** The time as the session layer sees it. It only goes forward. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Moves the time on, and wakes every session and inbox that has something due: leases, expiry,
   * deadlines of approvals, retries of calls. Resolves when they have done it. Nobody was heard
   * meanwhile, so an agent whose lease is shorter is lost, although its process is well.
   */
  advance(ms: number): Promise<void>;
}

/** A session layer that runs. */
export interface Sessile extends AsyncDisposable {
  /** The origin for `createSession` and others; it is that of `wire`, and stays the same. */
  readonly url: string;
  /** The way to `url`. */
  readonly wire: Wire;
  readonly clock: Clock;
  /** The secret that calls are signed with, for `serveWebhook`. */
  readonly secret: string;
  /** A token: `await sessile.token({ sub: "ada" })`. */
  token(claims: TokenClaims): Promise<string>;
  /** Another way to the same sessions, for a client whose network is its own. */
  newWire(): Promise<Wire>;
  /** Sets the settings of a session (P11.2). Throws the session's own refusal. */
  configure(session: string, settings: Record<string, unknown>): Promise<void>;
  /**
   * Takes a session out of memory, as the platform does with one that is quiet: its WebSockets
   * stay, and the next message brings it back. `false` if it was not in memory. Fails after 30 s if
   * something keeps it there, such as a call that is not answered.
   */
  evict(session: string): Promise<boolean>;
  /** Ends a session's object where it stands: connections break, and it starts from its rows. */
  restart(session: string): Promise<void>;
  /** SIGKILL for the whole session layer; `url` refuses connections until `start`. */
  kill(): Promise<void>;
  /** Starts again on the same data, with other settings if there are any. */
  start(vars?: Record<string, Var>): Promise<void>;
  /**
   * A back end that sessions can call. It answers 204, or as the handler does: `serveWebhook` of
   * `sessile/wake` makes an agent of it.
   */
  receive(handler?: Handler): Promise<Receiver>;
  /** Ends everything that it started. */
  stop(): Promise<void>;
}
