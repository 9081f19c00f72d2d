// APNs: Apple's service, with a token of the provider.

import { SignJWT } from "jose/jwt/sign";
import { importPKCS8 } from "jose/key/import";
import {
  answered,
  call,
  fit,
  gone,
  hashOf,
  keyOf,
  nameOf,
  parse,
  TOO_LARGE,
  transport,
} from "../platform/services.js";

/** Bytes of a payload. */
const PAYLOAD_BYTES = 4096;
/** Bytes of an `apns-collapse-id` are 64 at most. */
const COLLAPSE_LENGTH = 43;
/**
 * Apple wants a new token after an hour at the latest, and not within 20 minutes. Tokens are issued
 * at full half hours, so that all isolates renew at once.
 */
const SLOT_S = 30 * 60;
const DEVICE = /^[0-9a-fA-F]{1,200}$/;
const TOPIC = /^[A-Za-z0-9.-]{1,255}$/;
/** Reasons for which a device is forgotten; a topic that is not its own may be our mistake. */
const GONE = new Set(["BadDeviceToken", "Unregistered", "ExpiredToken"]);

const keyFor = keyOf("SESSILE_APNS_KEY", ({ key }) => importPKCS8(key, "ES256"));
let signed;

export const send = transport("apns", async (settings, device, notice, options) => {
  const topic = device.topic ?? settings.topic;
  if (!DEVICE.test(device.token)) return gone("its token is none");
  if (topic === undefined || !TOPIC.test(topic)) return gone("its topic is none");
  const body = fit(notice, payload, PAYLOAD_BYTES);
  if (body === undefined) return TOO_LARGE;
  const headers = {
    authorization: `bearer ${await tokenOf(settings)}`,
    "content-type": "application/json",
    "apns-id": uuidOf(await hashOf(options.id)),
    "apns-topic": topic,
    "apns-push-type": "alert",
    "apns-priority": options.urgency.endsWith("low") ? "5" : "10",
    "apns-expiration": String(options.ttlS && Math.floor(Date.now() / 1000) + options.ttlS),
    "apns-collapse-id": await nameOf(options.collapse, COLLAPSE_LENGTH),
  };
  const url = `${settings.url}/3/device/${device.token}`;
  const answer = await call(url, headers, body, options.ms);
  const reason = parse(answer.said)?.reason;
  return answered(answer, answer.status === 410 || GONE.has(reason), reason);
});

/** The payload: what the system shows, and beside it the notice for the app. */
export function payload({ title, body, ...rest }) {
  const aps = { alert: { title, body }, "thread-id": rest.session, category: rest.type };
  return { ...rest, aps };
}

async function tokenOf(settings) {
  const slot = Math.floor(Date.now() / 1000 / SLOT_S) * SLOT_S;
  if (signed?.slot === slot) return signed.token;
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "ES256", kid: settings.kid })
    .setIssuer(settings.team)
    .setIssuedAt(slot)
    .sign(await keyFor(settings));
  signed = { slot, token };
  return token;
}

/** The canonical form of a UUID of the application's own making (RFC 9562, version 8). */
function uuidOf(hash) {
  const bytes = hash.slice(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
