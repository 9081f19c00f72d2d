// FCM: Google's service, HTTP v1, with an access token of a service account.

import { SignJWT } from "jose/jwt/sign";
import { importPKCS8 } from "jose/key/import";
import {
  answered,
  call,
  fit,
  isText,
  keyOf,
  nameOf,
  parse,
  Refusal,
  TOO_LARGE,
  transport,
} from "../platform/services.js";
import { payload } from "./apns.js";

/** Bytes of a message. */
const MESSAGE_BYTES = 4096;
const COLLAPSE_LENGTH = 32;
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** How long an assertion is good, at most an hour. */
const ASSERTION_S = 10 * 60;
/** An access token is replaced so long before it expires: a call may still be under way. */
const EARLY_MS = 60_000;
/** FCM keeps a message for four weeks at most. */
const TTL_S_MAX = 28 * 24 * 60 * 60;
/** How often a push looks whether the token that another one asks for has come. */
const LOOK_MS = 50;

const keyFor = keyOf("SESSILE_FCM_ACCOUNT", ({ key }) => importPKCS8(key, "RS256"));
/** The access token, and until when it is asked for by somebody. */
let access;
let askingUntil = 0;

export const send = transport("fcm", async (settings, { token }, notice, options) => {
  const headers = {
    authorization: `Bearer ${await accessOf(settings, options.ms)}`,
    "content-type": "application/json",
  };
  const collapse = await nameOf(options.collapse, COLLAPSE_LENGTH);
  const write = (whole) => messageOf(token, whole, collapse, options);
  const body = fit(notice, write, MESSAGE_BYTES);
  if (body === undefined) return TOO_LARGE;
  const url = `${settings.url}/v1/projects/${encodeURIComponent(settings.project)}/messages:send`;
  const answer = await call(url, headers, body, options.ms);
  // Revoked before its time.
  if (answer.status === 401) access = undefined;
  const { status, details } = parse(answer.said)?.error ?? {};
  const detail = Array.isArray(details) && details.find((one) => isText(one?.errorCode));
  const reason = detail ? detail.errorCode : status;
  // A project that there is not is 404, too.
  return answered(answer, reason === "UNREGISTERED", reason);
});

/**
 * A message. One with actions is data alone for Android, where only the app can show buttons; the
 * part for Apple's devices is as APNs has it.
 */
function messageOf(token, notice, collapse, { ttlS, urgency }) {
  const { title, body } = notice;
  const isLow = urgency.endsWith("low");
  const apple = payload(notice);
  const hasActions = notice.actions?.length > 0;
  return {
    message: {
      token,
      ...(!hasActions && { notification: { title, body } }),
      data: dataOf(notice),
      android: {
        collapse_key: collapse,
        ttl: `${Math.min(ttlS, TTL_S_MAX)}s`,
        priority: isLow ? "NORMAL" : "HIGH",
        ...(!hasActions && { notification: { tag: collapse } }),
      },
      apns: {
        headers: {
          "apns-collapse-id": collapse,
          "apns-expiration": String(ttlS && Math.floor(Date.now() / 1000) + ttlS),
          "apns-priority": isLow ? "5" : "10",
        },
        payload: { aps: apple.aps },
      },
    },
  };
}

/** The notice as FCM wants data: texts alone; values that are none are JSON. */
function dataOf(notice) {
  const entries = Object.entries(notice).filter(([, value]) => value !== undefined);
  const said = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(entries.map(([name, value]) => [name, said(value)]));
}

/** An access token. One push asks for it; a push of another object cannot await that, and looks. */
async function accessOf(settings, ms) {
  for (;;) {
    const now = Date.now();
    if (access !== undefined && now < access.until) return access.token;
    if (askingUntil <= now) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  askingUntil = Date.now() + ms;
  try {
    access = await askAccess(settings, ms);
    return access.token;
  } finally {
    askingUntil = 0;
  }
}

async function askAccess(settings, ms) {
  const now = Math.floor(Date.now() / 1000);
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: settings.kid })
    .setIssuer(settings.email)
    .setAudience(settings.audience)
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTION_S)
    .sign(await keyFor(settings));
  const body = new URLSearchParams({ grant_type: GRANT, assertion }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { status, said } = await call(settings.tokens, headers, body, ms);
  const { access_token: token, expires_in: seconds } = parse(said) ?? {};
  if (status !== 200 || !isText(token)) {
    throw new Refusal(`the account gets no access token (${status})`);
  }
  const until = Date.now() + Math.max(0, Number(seconds ?? 0) * 1000 - EARLY_MS);
  return { token, until };
}
