// Calls that leave an object, each tried once: a signed webhook to an address or to a service
// binding, a message to a Queue, or an instance of a Workflow (P10.3, P10.5).

import { heard } from "../platform/services.js";

/** The host by which a service binding is called: the binding decides where that goes. */
const SERVICE = "https://agent.internal";
const PREFIX = "whsec_";
const encoder = new TextEncoder();
/** Imported keys, by their secrets. */
const made = new Map();
const KEYS_MAX = 16;

/** One function for each way; each gives the status of an answer. */
const WAYS = { url, service, queue, workflow };

/**
 * Sends a body in one of the ways, at a binding of this name or an address; `place` is the path at
 * a service. Resolves to the status and the answer's requested wait in milliseconds, as JSON;
 * rejects without an answer within `ms`.
 */
export async function deliver(env, way, name, place, id, body, secrets, ms) {
  const binding = way === "url" ? undefined : env[name];
  if (way !== "url" && binding == null) throw new Error(`the deployment has no ${way} ${name}`);
  const controller = new AbortController();
  const { signal } = controller;
  let timer;
  const late = new Promise((_, reject) => {
    // A pending timer would keep the object awake.
    timer = setTimeout(() => {
      reject(new Error(`it did not answer within ${ms} ms`));
      controller.abort();
    }, ms);
  });
  try {
    const target = way === "url" ? name : SERVICE + place;
    const call = WAYS[way]({ binding, target, id, body, secrets, signal });
    return JSON.stringify(await Promise.race([call, late]));
  } finally {
    clearTimeout(timer);
  }
}

async function url(call) {
  const response = await fetch(call.target, await signed(call));
  return answered(response);
}

async function service(call) {
  const response = await call.binding.fetch(call.target, await signed(call));
  return answered(response);
}

async function queue({ binding, body }) {
  await binding.send(JSON.parse(body), { contentType: "json" });
  return { status: 202 };
}

async function workflow({ binding, id, body }) {
  const params = JSON.parse(body);
  const instance = await instanceOf(id);
  try {
    await binding.create({ id: instance, params });
  } catch (error) {
    // The answer to an earlier attempt may have been lost.
    const known = await binding.get(instance).catch(() => undefined);
    if (known === undefined) throw error;
  }
  return { status: 202 };
}

/** The id of an instance: few characters are allowed, and not many. */
async function instanceOf(id) {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(id));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  return `sessile-${hex.join("").slice(0, 40)}`;
}

/** The request, signed by Standard Webhooks with each secret, so that an old one can be retired. */
async function signed({ id, body, secrets, signal }) {
  const timestamp = Math.floor(Date.now() / 1000);
  const text = `${id}.${timestamp}.${body}`;
  const all = secrets === "" ? [] : secrets.split(" ");
  const signatures = await Promise.all(all.map((secret) => sign(secret, text)));
  const headers = {
    "content-type": "application/json",
    "user-agent": "sessile",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
  };
  if (all.length > 0) headers["webhook-signature"] = signatures.join(" ");
  const { traceparent } = JSON.parse(body);
  if (traceparent !== undefined) headers.traceparent = traceparent;
  return { method: "POST", headers, body: encoder.encode(body), redirect: "manual", signal };
}

/** The answer's status is all that counts, and the wait that it asks for. */
async function answered(response) {
  const { status, retryAfterMs } = await heard(response);
  return { status, retryAfterMs };
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
