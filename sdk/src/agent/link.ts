// An agent's view of the connection to a session.

import type { TokenSource } from "../connection/token.ts";
import type { ConnectionOptions, Link } from "../connection/types.ts";

/** A connection; reads are functions beside it. */
export interface Wire extends Omit<Link, "read"> {
  readonly options: ConnectionOptions;
  readonly tokens: TokenSource;
}

/** A session that can be read. */
export interface Reader {
  readonly link: Wire;
}
