// The usual link to a session: one WebSocket at a time.

import { SocketConnection } from "../connection/over-socket.ts";
import type { ConnectionOptions, Owner } from "../connection/types.ts";
import type { Wire } from "./link.ts";

/** Sends and receives over a WebSocket: the link wherever there is one. */
export function overSocket(options: ConnectionOptions, owner: Owner): Wire {
  return new SocketConnection(options, owner);
}
