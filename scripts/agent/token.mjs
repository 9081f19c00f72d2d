// Tokens for the demo, signed with the key of this machine (P2.1, P2.7).
import { SignJWT } from "jose";

/** A token that lasts a week: the printed address works until then. */
export function mintToken(key, claims) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256" })
    .setIssuedAt()
    .setExpirationTime("7d")
    .sign(new TextEncoder().encode(key));
}
