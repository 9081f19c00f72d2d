// The push services as a deployment has them, and one bounded call to any of them (P10.1, P10.5).

/** Bytes of an answer that are read. */
const ANSWER_BYTES = 4 * 1024;
/** Bytes of a private scalar of P-256, in base64url without padding. */
const SCALAR = /^[A-Za-z0-9_-]{43}$/;
const PEM = /^\s*-----BEGIN PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END PRIVATE KEY-----\s*$/;
const CONTACT = /^(mailto:\S+@\S+|https:\/\/\S+)$/;
/** Apple's ids of keys and of teams. */
const APPLE_ID = /^[A-Z0-9]{10}$/;
const TOPIC = /^[A-Za-z0-9.-]{1,255}$/;
const APPLE = "https://api.push.apple.com";
const GOOGLE = "https://fcm.googleapis.com";
/** Characters of a text that was cut to make a notice fit, one attempt after the other. */
const CUTS = [400, 150, 50];

const encoder = new TextEncoder();
/** The settings do not change under a running isolate. */
let known;

/** A refusal whose words hold no secret. */
export class Refusal extends Error {}

/** Why the variables cannot be used, naming one of them and no secret; nothing if they can. */
export function check(env) {
  try {
    read(env);
    return undefined;
  } catch (error) {
    return error instanceof Refusal ? error.message : "the variables of push cannot be read";
  }
}

/** The settings of each transport that the deployment has. Throws a refusal for a wrong one. */
export function read(env) {
  known ??= { web: readWeb(env), fcm: readFcm(env), apns: readApns(env) };
  return known;
}

function readWeb(env) {
  const scalar = text(env, "SESSILE_VAPID_KEY");
  if (scalar === undefined) return undefined;
  must("SESSILE_VAPID_KEY", SCALAR.test(scalar), "is not 32 bytes of base64url without padding");
  const subject = text(env, "SESSILE_VAPID_SUBJECT") ?? "";
  must("SESSILE_VAPID_SUBJECT", CONTACT.test(subject), "is no address of mailto: or https:");
  return { scalar, subject };
}

function readFcm(env) {
  const json = text(env, "SESSILE_FCM_ACCOUNT");
  if (json === undefined) return undefined;
  const name = "SESSILE_FCM_ACCOUNT";
  const account = parse(json) ?? {};
  for (const field of ["project_id", "client_email", "private_key"]) {
    must(name, isText(account[field]), `is no service account's JSON; it has no ${field}`);
  }
  must(name, PEM.test(account.private_key), "has a private_key that is no PEM");
  const audience = account.token_uri ?? "https://oauth2.googleapis.com/token";
  const isSafe = isText(audience) && audience.startsWith("https://");
  must(name, isSafe, "has a token_uri that is no address of https");
  const replaced = base(env, "SESSILE_FCM_URL");
  return {
    project: account.project_id,
    email: account.client_email,
    key: account.private_key,
    kid: isText(account.private_key_id) ? account.private_key_id : undefined,
    audience,
    tokens: replaced === undefined ? audience : `${replaced}/token`,
    url: replaced ?? GOOGLE,
  };
}

function readApns(env) {
  const key = text(env, "SESSILE_APNS_KEY");
  if (key === undefined) return undefined;
  must("SESSILE_APNS_KEY", PEM.test(key), "is not the text of a .p8 file");
  const [kid, team] = ["SESSILE_APNS_KEY_ID", "SESSILE_APNS_TEAM"].map((name) => {
    const value = text(env, name) ?? "";
    must(name, APPLE_ID.test(value), "is not 10 capital letters and digits");
    return value;
  });
  const topic = text(env, "SESSILE_APNS_TOPIC");
  const isTopic = topic === undefined || TOPIC.test(topic);
  must("SESSILE_APNS_TOPIC", isTopic, "is no bundle id");
  return { key, kid, team, topic, url: base(env, "SESSILE_APNS_URL") ?? APPLE };
}

/** A variable or secret; one that is JSON in the configuration, as JSON. */
function text(env, name) {
  const value = env[name];
  if (value === undefined || value === null) return undefined;
  return (typeof value === "string" ? value.trim() : JSON.stringify(value)) || undefined;
}

function base(env, name) {
  return text(env, name)?.replace(/\/+$/, "");
}

function must(name, isSo, reason) {
  if (!isSo) throw new Refusal(`${name} ${reason}`);
}

export function isText(value) {
  return typeof value === "string" && value !== "";
}

/** JSON as a value; nothing for any other text. */
export function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/**
 * A transport as Rust calls it, with JSON in and out: `send` resolves to `{status, retryAfterMs?,
 * gone?, reason?}`. The status is 0 without an answer.
 */
export function transport(name, send) {
  return async (env, device, notice, options, ms) => {
    try {
      const settings = read(env)[name];
      if (settings === undefined) throw new Refusal(`the deployment has no ${name} push`);
      const [to, what, how] = [device, notice, options].map((json) => JSON.parse(json));
      return JSON.stringify(await send(settings, to[name], what, { ...how, ms }));
    } catch (error) {
      // The message of another error may hold an address, which is a secret of the device.
      const reason = error instanceof Refusal ? error.message : "it could not be sent";
      return JSON.stringify({ status: 0, reason });
    }
  };
}

/** A device that can never be reached. */
export function gone(reason) {
  return { status: 0, gone: true, reason };
}

/** A key of the deployment, made once; `make` throws for one that the platform refuses. */
export function keyOf(name, make) {
  let made;
  return async (settings) => {
    try {
      made ??= await make(settings);
      return made;
    } catch {
      throw new Refusal(`${name} cannot be used as a key`);
    }
  };
}

/**
 * Posts once. Resolves to the status, the wait that is asked for and the answer's beginning; an
 * answer that is slow after its head counts by its status alone.
 */
export async function call(url, headers, body, ms) {
  const controller = new AbortController();
  // A pending timer would keep the object awake.
  const timer = setTimeout(() => controller.abort(), ms);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "user-agent": "sessile", ...headers },
      body,
      redirect: "manual",
      signal: controller.signal,
    });
    return await heard(response);
  } catch {
    const isLate = controller.signal.aborted;
    throw new Refusal(isLate ? `it did not answer within ${ms} ms` : "it could not be reached");
  } finally {
    clearTimeout(timer);
  }
}

/** An answer as Rust takes it. */
export function answered({ status, retryAfterMs }, isGone, reason) {
  return { status, retryAfterMs, ...(isGone && { gone: true }), reason };
}

/** An answer's status, the wait that it asks for in milliseconds, and its beginning. */
export async function heard(response) {
  // The connection can serve the next call once the answer is read.
  const said = await beginning(response).catch(() => "");
  const retryAfterMs = waitOf(response.headers.get("retry-after"));
  return { status: response.status, retryAfterMs, said };
}

async function beginning(response) {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let said = "";
  for (let left = ANSWER_BYTES; left > 0; ) {
    const { done, value } = await reader.read();
    if (done) return said;
    said += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.length;
  }
  await reader.cancel();
  return said;
}

/** `Retry-After` in milliseconds: it is a number of seconds, or a date. */
function waitOf(header) {
  if (header === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const ms = Date.parse(header) - Date.now();
  return ms > 0 ? Math.round(ms) : undefined;
}

/**
 * The bytes of a notice as `write` puts it, at most `most`: without its `data` if that is too
 * much, then with a shorter text. Nothing when not even that fits.
 */
export function fit(notice, write, most) {
  const { data: _, ...rest } = notice;
  const shorter = CUTS.map((length) => ({
    ...rest,
    title: cut(rest.title, length),
    body: cut(rest.body, length),
  }));
  for (const one of [notice, rest, ...shorter]) {
    const bytes = encoder.encode(JSON.stringify(write(one)));
    if (bytes.length <= most) return bytes;
  }
  return undefined;
}

/** The answer for a notice that does not fit: the same as the services give. */
export const TOO_LARGE = { status: 413, reason: "the notification is too large" };

function cut(said, length) {
  const characters = Array.from(said ?? "");
  return characters.length <= length ? said : `${characters.slice(0, length - 1).join("")}…`;
}

/** A name of so many characters of base64url for a text, which does not show through. */
export async function nameOf(said, length) {
  const hash = await hashOf(said);
  const name = btoa(String.fromCharCode(...hash));
  return name.replaceAll("+", "-").replaceAll("/", "_").slice(0, length);
}

export async function hashOf(said) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(said)));
}
