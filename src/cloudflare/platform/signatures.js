// Signatures of tokens, by `jose` on the platform's own cryptography.

import { encode } from "jose/base64url";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { JWSInvalid, JWSSignatureVerificationFailed } from "jose/errors";
import { CompactSign } from "jose/jws/compact/sign";
import { compactVerify } from "jose/jws/compact/verify";
import { importJWK } from "jose/key/import";

/** Imported keys, by their JSON. */
const made = new Map();
const KEYS_MAX = 256;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The header of a token as JSON; nothing for a malformed one. */
export function headerOf(token) {
  try {
    return JSON.stringify(decodeProtectedHeader(token));
  } catch {
    return undefined;
  }
}

/** Makes a key, and rejects an invalid one. */
export async function makeKey(text, isText, algorithm) {
  const name = `${algorithm} ${isText} ${text}`;
  const known = made.get(name);
  if (known !== undefined) return known;
  const key = isText ? encoder.encode(text) : await importJWK(JSON.parse(text), algorithm);
  if (made.size >= KEYS_MAX) made.clear();
  made.set(name, key);
  return key;
}

/** The bytes of a key that is derived from a secret, in base64url. Each label has its own key. */
export async function deriveKey(secret, label) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = encoder.encode(secret);
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  const derived = await crypto.subtle.sign("HMAC", key, encoder.encode(label));
  return encode(new Uint8Array(derived));
}

/** A token with these claims, signed with a key. */
export async function signClaims(claims, kid, text, isText, alg) {
  const key = await makeKey(text, isText, alg);
  const header = kid === "" ? { alg } : { alg, kid };
  return new CompactSign(encoder.encode(claims)).setProtectedHeader(header).sign(key);
}

/**
 * The claims of a token that was signed with this key and algorithm; `false` if it was not, and
 * `undefined` for a malformed one. Rejects if the key cannot verify.
 */
export async function claimsOf(token, text, isText, algorithm) {
  const key = await makeKey(text, isText, algorithm);
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [algorithm] });
    return textOf(payload);
  } catch (error) {
    if (error instanceof JWSSignatureVerificationFailed) return false;
    if (error instanceof JWSInvalid) return undefined;
    throw error;
  }
}

function textOf(payload) {
  try {
    return decoder.decode(payload);
  } catch {
    return undefined; // Not UTF-8.
  }
}
