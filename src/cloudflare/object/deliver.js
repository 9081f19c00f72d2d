// Calls that leave an object: one signed webhook, tried once (P10.3, P10.5).

/** Bytes of an answer that are read: its status is all that counts. */
const ANSWER_BYTES = 4 * 1024;
const PREFIX = "whsec_";
const encoder = new TextEncoder();
/** Imported keys, by their secrets. */
const made = new Map();
const KEYS_MAX = 16;

/**
 * Sends a body to an address, signed by Standard Webhooks with each of the secrets, so that an old
 * one can be retired. Resolves to the status and the answer's requested wait in milliseconds, as
 * JSON; rejects without an answer within `ms`.
 */
export async function deliver(url, id, body, secrets, ms) {
  const bytes = encoder.encode(body);
  const timestamp = Math.floor(Date.now() / 1000);
  const signed = await Promise.all(
    secrets.split(" ").map((secret) => sign(secret, `${id}.${timestamp}.${body}`)),
  );
  const controller = new AbortController();
  // A pending timer would keep the object awake.
  const timer = setTimeout(() => controller.abort(), ms);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "sessile",
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signed.join(" "),
      },
      body: bytes,
      redirect: "manual",
      signal: controller.signal,
    });
    // The connection can serve the next call once the answer is read.
    await drain(response).catch(() => {});
    const retryAfterMs = waitOf(response.headers.get("retry-after"));
    return JSON.stringify({ status: response.status, retryAfterMs });
  } catch (error) {
    if (controller.signal.aborted) throw new Error(`it did not answer within ${ms} ms`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function sign(secret, text) {
  const signature = await crypto.subtle.sign("HMAC", await keyOf(secret), encoder.encode(text));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`;
}

async function keyOf(secret) {
  const known = made.get(secret);
  if (known !== undefined) return known;
  const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), (byte) => byte.charCodeAt(0));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  if (made.size >= KEYS_MAX) made.clear();
  made.set(secret, key);
  return key;
}

async function drain(response) {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (let left = ANSWER_BYTES; left > 0; ) {
    const { done, value } = await reader.read();
    if (done) return;
    left -= value.length;
  }
  await reader.cancel();
}

/** `Retry-After` in milliseconds: it is a number of seconds, or a date. */
function waitOf(header) {
  if (header === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const ms = Date.parse(header) - Date.now();
  return ms > 0 ? Math.round(ms) : undefined;
}
