// The features of a session, which a page imports when it wants them: this is the one way in which
// something is added to a session. A feature is an object beside the session that
// `session.feature(begin)` makes once; a page that does not import it does not ship it. Each has a
// function `…Of(session)` that a page calls: `presenceOf`, `branchesOf`, `historyOf`.

import type { Connection } from "../connection/connection.ts";
import type { ConnectionStatus } from "../connection/types.ts";
import type { Log } from "../log/log.ts";
import type { AttachedFrame, ServerFrame } from "../protocol/index.ts";
import type { Sent, ShownMessage } from "./sending.ts";
import type { SendOptions, SessionOptions } from "./types.ts";

/** The session as its features see it. */
export interface Engine {
  readonly options: SessionOptions;
  /** Requests (`request`, `send`, `read`), and what the session said when it last attached. */
  readonly link: Connection;
  /** The log that is shown; another object once it was read anew (P3.6). */
  readonly log: Log;
  /** Messages that are still to be sent, in order; a new array at each change. */
  readonly pending: readonly ShownMessage[];
  /** Publishes a message, as `session.send` does. */
  send(data: unknown, options?: SendOptions): Sent;
  /** Tells those who follow the session that a feature has another value. */
  changed(): void;
}

/**
 * A feature of a session. One that is begun while the session is attached has missed the frames
 * before: it reads over HTTP what they told (`readList`).
 */
export interface Feature {
  /** The value that is shown, for `SessionSnapshot.features`; it never changes in place. */
  readonly value?: unknown;
  /** Takes the first frame of a connection (P3.4), once for each connection. */
  attached?(frame: AttachedFrame): void;
  /** Takes every frame, `attached` too, after the log has; `log` is the one that took it. */
  take?(frame: ServerFrame, log: Log): void;
  /** Hears how the connection stands, after each change. */
  status?(status: ConnectionStatus): void;
  /** Completes a log that was read anew before it takes the place of the one that is shown. */
  complete?(next: Log, shown: Log): Promise<unknown>;
}

/** Makes a feature. The function is the feature's key: give `session.feature` always the same. */
export type Begin<P extends Feature> = (engine: Engine) => P;

/** Reads a list that `attached` did not bring; without one the feature keeps what it has. */
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
