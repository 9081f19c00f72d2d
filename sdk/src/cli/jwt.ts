// Tokens (P2.1): made with the shared key of a deployment, and looked into.

import { signToken as sign } from "../testing/sign.ts";
import { Misuse } from "./exits.ts";

/** A shared secret has at least so many bytes (P2.7). */
const KEY_BYTES = 32;

export interface Claims {
  sub: string;
  /** Seconds since 1970. */
  exp: number;
  iat?: number;
  name?: string;
  role?: string;
  iss?: string;
  aud?: string;
  caps: Record<string, readonly string[]>;
}

/** A token by HS256. */
export function signToken(claims: Claims, key: string): string {
  if (Buffer.byteLength(key) < KEY_BYTES) {
    throw new Misuse(`SESSILE_SIGNING_KEY is too short: it needs at least ${KEY_BYTES} bytes`);
  }
  return sign(claims, key);
}

/** The claims of a token, which nobody has verified; `undefined` if it is none. */
export function claimsOf(token: string): Partial<Claims> | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    return typeof claims === "object" && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
