// The features of a session, which a page imports as needed: the one way to add something to a
// session. A feature is an object beside the session that `session.feature(begin)` makes once; a
// page that does not import it does not ship it. Each has a function `…Of(session)` for pages:
// `presenceOf`, `branchesOf`, `historyOf`.

import type { Connection } from "../connection/connection.ts";
import type { ConnectionStatus } from "../connection/types.ts";
import type { Log } from "../log/log.ts";
import type { AttachedFrame, ServerFrame } from "../protocol/index.ts";
import type { Sent, ShownMessage } from "./sending.ts";
import type { SendOptions, SessionOptions } from "./types.ts";

/** The session, for its features. */
export interface Engine {
  readonly options: SessionOptions;
  /** Requests (`request`, `send`, `read`), and the latest `attached`. */
  readonly link: Connection;
  /** The log on show; another object once it was read anew (P3.6). */
  readonly log: Log;
  /** Messages that are still to be sent, in order; a new array at each change. */
  readonly pending: readonly ShownMessage[];
  /** Publishes a message, as `session.send` does. */
  send(data: unknown, options?: SendOptions): Sent;
  /** Tells subscribers of the session that a feature has a new value. */
  changed(): void;
}

/**
 * A feature of a session. One that begins while the session is attached has missed earlier frames:
 * it reads their content over HTTP (`readList`).
 */
export interface Feature {
  /** The feature's value, for `SessionSnapshot.features`; it never changes in place. */
  readonly value?: unknown;
  /** Takes the first frame of a connection (P3.4), once per connection. */
  attached?(frame: AttachedFrame): void;
  /** Takes every frame, `attached` too, after `log` has applied it. */
  take?(frame: ServerFrame, log: Log): void;
  /** Takes the connection's state, after each change. */
  status?(status: ConnectionStatus): void;
  /** Completes a log that was read anew, before it replaces the one on show. */
  complete?(next: Log, shown: Log): Promise<unknown>;
}

/**
 * Makes a feature. The function is the feature's key: always pass the same one to
 * `session.feature`.
 */
export type Begin<P extends Feature> = (engine: Engine) => P;

/** Reads a list that `attached` left out; on failure the feature keeps its own. */
export function readList<T>(
  { link, changed }: Pick<Engine, "link" | "changed">,
  path: string,
  put: (list: T) => void,
): void {
  link
    .read<T>(path)
    .then(put, () => {})
    .finally(changed);
}
