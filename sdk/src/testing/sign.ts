// Tokens made with the shared key of a deployment (P2.1), in Node.

import { createHmac } from "node:crypto";

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token by HS256, which a key of at least 32 bytes has to sign (P2.7). */
export function signToken(claims: object, key: string): string {
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
}
