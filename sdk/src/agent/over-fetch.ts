// The link to a session without WebSockets.

import { FetchConnection } from "../connection/over-fetch.ts";
import type { ConnectionOptions, Owner } from "../connection/types.ts";
import type { Wire } from "./link.ts";

/** Publishes by HTTP and hears by server-sent events; give it to `createAgentSession` as `link`. */
export function overFetch(options: ConnectionOptions, owner: Owner): Wire {
  return new FetchConnection(options, owner);
}
