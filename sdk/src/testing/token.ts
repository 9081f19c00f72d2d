// Tokens for a test's clients (P2.1).

import { signToken } from "./sign.ts";

/** A token is good for so long by default, in seconds. */
const EXPIRES_S = 3600;
const ROLES = ["user", "agent", "supervisor"];

/** The claims of a token. */
export interface TokenClaims {
  /** The client. */
  sub: string;
  /**
   * `user`, `agent` or `supervisor`; without `caps` also what the token may in every session, where
   * `viewer` and `admin` are words as well.
   */
  role?: string;
  /** Its operations or roles by session (P2.2): `{ "support-*": ["user"] }`. */
  caps?: Record<string, readonly string[]>;
  /** The name that people see. */
  name?: string;
  /** Seconds until it expires, an hour by default; below 0 it has expired. */
  expiresIn?: number;
  /** Any other claim. */
  [claim: string]: unknown;
}

/** A signed token, by the clock of the session layer. */
export function makeToken(given: TokenClaims, key: string, now: number): string {
  const { sub, role = "user", caps, expiresIn = EXPIRES_S, ...more } = given;
  const at = Math.floor(now / 1000);
  const claims = {
    ...{ sub, iat: at, exp: at + expiresIn },
    ...(given.role && ROLES.includes(role) && { role }),
    caps: caps ?? { "*": [role] },
    ...more,
  };
  return signToken(claims, key);
}
