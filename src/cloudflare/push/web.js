// Web Push: RFC 8030, encrypted by RFC 8291, signed by RFC 8292.

import { encryptNotification } from "@block65/webcrypto-web-push";
import { decode, encode } from "jose/base64url";
import { SignJWT } from "jose/jwt/sign";
import {
  answered,
  call,
  fit,
  gone,
  keyOf,
  nameOf,
  read,
  TOO_LARGE,
  transport,
} from "../platform/services.js";

/** Bytes of a notice: a service takes 4096 of its encrypted form (RFC 8291, section 4). */
const NOTICE_BYTES = 3993;
/** Characters of a topic (RFC 8030, section 5.4). */
const TOPIC_LENGTH = 32;
/** How long a signature is used, and is good: the standard allows a day. */
const RENEW_S = 60 * 60;
const GOOD_S = 12 * RENEW_S;
/** PKCS #8 of a P-256 key up to its scalar, without the public point, which the platform adds. */
const PKCS8 = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

/** Signatures by the origin of the service. */
const signed = new Map();
const SIGNED_MAX = 16;

const pair = keyOf("SESSILE_VAPID_KEY", async ({ scalar }) => {
  const prefix = PKCS8.match(/../g).map((byte) => Number.parseInt(byte, 16));
  const der = new Uint8Array([...prefix, ...decode(scalar)]);
  const privateKey = await crypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = encode(new Uint8Array([4, ...decode(x), ...decode(y)]));
  return { privateKey, publicKey };
});

/** The public key that pages subscribe with (P10.1); nothing where there is no Web Push. */
export async function publicKey(env) {
  const settings = read(env).web;
  return settings && (await pair(settings)).publicKey;
}

export const send = transport("web", async (settings, subscription, notice, options) => {
  const topic = await nameOf(options.collapse, TOPIC_LENGTH);
  // A page shows one notice for each tag.
  const body = fit(notice, (whole) => ({ ...whole, tag: topic }), NOTICE_BYTES);
  if (body === undefined) return TOO_LARGE;
  let encrypted;
  try {
    encrypted = await encryptNotification(subscription, body);
  } catch {
    return gone("the keys of the subscription are none");
  }
  const headers = {
    authorization: await authorization(settings, new URL(subscription.endpoint).origin),
    "content-encoding": "aes128gcm",
    "content-type": "application/octet-stream",
    ttl: String(options.ttlS),
    urgency: options.urgency,
    topic,
  };
  const answer = await call(subscription.endpoint, headers, encrypted, options.ms);
  return answered(answer, answer.status === 404 || answer.status === 410);
});

async function authorization(settings, audience) {
  const { privateKey, publicKey: point } = await pair(settings);
  const now = Math.floor(Date.now() / 1000);
  const last = signed.get(audience);
  if (last !== undefined && now < last.until) return last.header;
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "ES256", typ: "JWT" })
    .setAudience(audience)
    .setSubject(settings.subject)
    .setExpirationTime(now + GOOD_S)
    .sign(privateKey);
  if (signed.size >= SIGNED_MAX) signed.clear();
  const header = `vapid t=${token}, k=${point}`;
  signed.set(audience, { header, until: now + RENEW_S });
  return header;
}
