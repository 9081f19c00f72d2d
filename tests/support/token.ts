// Tokens as people make them (P2.1), and as attackers do.

import { createHmac } from "node:crypto";
import { type JWTPayload, SignJWT } from "jose";

export const SIGNING_KEY = "a signing key for tests, longer than thirty-two bytes";

export interface TokenOptions {
  sub?: string | undefined;
  caps?: Record<string, string[]>;
  /** Seconds from now; may lie in the past. */
  expiresIn?: number;
  name?: string;
  role?: string;
  key?: string;
  claims?: JWTPayload;
  kid?: string;
}

export function now(): number {
  return Math.floor(Date.now() / 1000);
}

export function claims(options: TokenOptions = {}): JWTPayload {
  return {
    ...("sub" in options && options.sub === undefined ? {} : { sub: options.sub ?? "alice" }),
    exp: now() + (options.expiresIn ?? 3600),
    caps: options.caps ?? { "*": ["admin"] },
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.role === undefined ? {} : { role: options.role }),
    ...options.claims,
  };
}

export function makeToken(options: TokenOptions = {}): Promise<string> {
  const header = options.kid === undefined ? {} : { kid: options.kid };
  return new SignJWT(claims(options))
    .setProtectedHeader({ alg: "HS256", ...header })
    .sign(new TextEncoder().encode(options.key ?? SIGNING_KEY));
}

function part(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString(
    "base64url",
  );
}

/** A token put together by hand: any header, any payload, signed with `key` or not at all. */
export function rawToken(header: unknown, payload: unknown, key?: string): string {
  const body = `${part(header)}.${part(payload)}`;
  if (key === undefined) return `${body}.`;
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
}
