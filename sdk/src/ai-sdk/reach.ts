// Whether a session can be reached: who waits for it is told when that will not pass by itself.

import type { Session } from "../client/session.ts";
import type { ConnectionStatus } from "../connection/types.ts";
import { SessileError } from "../protocol/index.ts";

/** Codes that stay until somebody changes something; the network comes back. */
const LASTING = ["unauthorized", "forbidden", "token-failed", "wrong-url", "missing-option"];

/** Why a session will not be reached, as far as is known. */
export function givenUp({ state, error }: ConnectionStatus): SessileError | undefined {
  if (state === "closed") return error ?? new SessileError("given-up", "the session was given up");
  if (state !== "waiting" || !error) return undefined;
  // A server that is being replaced, and a token's server that is away, come back as well.
  const isAway = error.cause instanceof TypeError || / \(5\d\d\)/.test(error.message);
  return LASTING.includes(error.code) && !isAway ? error : undefined;
}

/** What is asked of a session, or why nothing comes of it. */
export function reached<T>(session: Session, asked: Promise<T>): Promise<T> {
  return new Promise((done, fail) => {
    const look = () => {
      const error = givenUp(session.connection);
      if (error) fail(error);
    };
    const off = session.on("connection", look);
    asked.then(done, fail).finally(off);
    look();
  });
}
