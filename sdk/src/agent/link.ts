// An agent's view of the connection to a session.

import type { TokenSource } from "../connection/token.ts";
import type { ConnectionOptions, Link } from "../connection/types.ts";

/** A connection, with what the functions of `read.ts` need. */
export interface Wire extends Link {
  readonly options: ConnectionOptions;
  readonly tokens: TokenSource;
}
