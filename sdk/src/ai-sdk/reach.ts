// Reachability of a session: waiting callers are told of a problem that does not pass by itself.

import type { Session } from "../client/session.ts";
import { SessileError } from "../protocol/index.ts";

/** Codes of the SDK that stay until somebody changes something; a network returns by itself. */
const LASTING = ["token-failed", "wrong-url", "missing-option"];

/** Why a session will not be reached, as far as known. */
export function givenUp({ connection, link }: Session): SessileError | undefined {
  const { state, error } = connection;
  if (state === "closed") return error ?? new SessileError("given-up", "the session was given up");
  if (state !== "waiting" || !error) return undefined;
  // If nothing ever answered, the network is not the cause: nor is a token's server, which fails in
  // the same way when it does not allow other origins.
  const isAway = error.code === "unreachable" || error.cause instanceof TypeError;
  if (isAway) return link.attached || isOffline() ? undefined : error;
  // A server that is being replaced returns as well.
  if (/ \(5\d\d\)/.test(error.message)) return undefined;
  const { code, status } = error;
  const isRefused = status >= 400 && status < 500 && status !== 429;
  return LASTING.includes(code) || isRefused ? error : undefined;
}

/** Whether the device itself says that it is offline. */
function isOffline(): boolean {
  return globalThis.navigator?.onLine === false;
}

/** A session's result, or the reason why none arrives. */
export function reached<T>(session: Session, asked: Promise<T>): Promise<T> {
  return new Promise((done, fail) => {
    const look = () => {
      const error = givenUp(session);
      if (error) fail(error);
    };
    // A new attempt: the mistake may have been mended.
    if (givenUp(session)) session.link.nudge();
    const off = session.on("connection", look);
    asked.then(done, fail).finally(off);
    look();
  });
}
