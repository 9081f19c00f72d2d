// Whether a session can be reached: who waits for it is told when that will not pass by itself.

import type { Session } from "../client/session.ts";
import { SessileError } from "../protocol/index.ts";

/** Codes of the SDK that stay until somebody changes something; the network comes back. */
const LASTING = ["token-failed", "wrong-url", "missing-option"];

/** Why a session will not be reached, as far as is known. */
export function givenUp({ connection, link }: Session): SessileError | undefined {
  const { state, error } = connection;
  if (state === "closed") return error ?? new SessileError("given-up", "the session was given up");
  if (state !== "waiting" || !error) return undefined;
  // Where nothing ever answered, it is not the network that is away: nor a token's server, which
  // fails like this also when it does not let other origins ask.
  const isAway = error.code === "unreachable" || error.cause instanceof TypeError;
  if (isAway) return link.attached || isOffline() ? undefined : error;
  // A server that is being replaced comes back as well.
  if (/ \(5\d\d\)/.test(error.message)) return undefined;
  const { code, status } = error;
  const isRefused = status >= 400 && status < 500 && status !== 429;
  return LASTING.includes(code) || isRefused ? error : undefined;
}

/** Whether the device says so itself. */
function isOffline(): boolean {
  return globalThis.navigator?.onLine === false;
}

/** The result that is asked of a session, or the reason why none comes. */
export function reached<T>(session: Session, asked: Promise<T>): Promise<T> {
  return new Promise((done, fail) => {
    const look = () => {
      const error = givenUp(session);
      if (error) fail(error);
    };
    // The mistake may have been mended, since somebody asks again.
    if (givenUp(session)) session.link.nudge();
    const off = session.on("connection", look);
    asked.then(done, fail).finally(off);
    look();
  });
}
