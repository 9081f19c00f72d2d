// How long a token still serves. `expiresAt` is a time of the session's clock, and a device's own
// may be hours away from it: compared are times of one clock, or how long the token was made for.

import { lifeOf, type TokenSource } from "./token.ts";

export interface Expiry {
  expiresAt: number;
  /** The session's time, where it says so. */
  at?: number | undefined;
}

/**
 * For how long the token serves that a session has just accepted, in milliseconds; `Infinity`
 * where nobody can tell, and the session's own reminder has to do (P2.6). `renewMs` is how long
 * before its end it is to be replaced.
 */
export function lastsMs(
  { expiresAt, at }: Expiry,
  { last = "", ageMs }: Pick<TokenSource, "last" | "ageMs">,
  localNow: number,
  renewMs: number,
): number {
  if (at !== undefined) return expiresAt - at;
  const lifeMs = lifeOf(last);
  const localMs = expiresAt - localNow;
  // A clock by which a token hardly lasts may be wrong, and would be for each one after it, too.
  if (lifeMs === undefined) return localMs < 2 * renewMs ? Infinity : localMs;
  // It was accepted, so it has not expired; nor does it last longer than it was made for.
  const isPlausible = localMs > 0 && localMs <= lifeMs;
  const leastMs = Math.max(lifeMs - ageMs, isPlausible ? localMs : 0);
  return leastMs > 0 ? leastMs : lifeMs;
}
