// Tokens that were revoked (P11.5), by a list that each isolate keeps and renews while it is used.
//
// No request waits for the list but the first of an isolate, and one that comes when nobody has
// asked for it in two seconds. If it cannot be had, the one that is here holds: a deployment must
// not stop with one object.
//
// The list is kept in the cache of the data centre as well, so that its object is asked once a
// second at most from each. Where there is no cache, as on workers.dev, every isolate asks it.

/** The age, in milliseconds, at which the list is renewed by the request that finds it so. */
const RENEW_MS = 1000;
/**
 * The age at which every request renews it before it goes on. With the second that the cache keeps
 * it, a token is admitted for some three seconds after it was revoked.
 */
const STALE_MS = 2000;
/** How long that may take. */
const READ_MS = 1000;
/** The pause after it failed. */
const REST_MS = 500;

/** The time before which tokens of a client, for a session, or both, were issued. */
const before = new Map();
/** When the latest revocation was made. */
let last = 0;
/** When the list was last whole, when a request last began to renew it, when that last failed. */
let [at, begun, failedAt] = [0, 0, 0];

const key = (client, session) => JSON.stringify([client ?? null, session ?? null]);

/** Whether a token of a client, issued at a time, was revoked. */
export async function isRevoked(env, client, session, issuedAt) {
  if (mustRenew(Date.now())) {
    try {
      await renew(env);
    } catch (error) {
      failedAt = Date.now();
      console.error(`unable to read the revocations; ${error}`);
    }
  }
  if (before.size === 0) return false;
  const keys = [key(client)];
  if (session !== undefined) keys.push(key(client, session), key(undefined, session));
  return keys.some((key) => issuedAt < (before.get(key) ?? 0));
}

/**
 * Whether this request renews the list: all do while it is stale, since a request cannot await the
 * reading of another.
 */
function mustRenew(now) {
  const must =
    at + STALE_MS <= now ? failedAt + REST_MS <= now : Math.max(at, begun) + RENEW_MS <= now;
  if (must) begun = now;
  return must;
}

/** Reads the revocations after those that are here. */
async function renew(env) {
  const now = Date.now();
  const place = `https://sessile.internal/v1/revocations?after=${last}`;
  const text = (await recall(place)) ?? (await ask(env, place));
  for (const one of JSON.parse(text).revocations) {
    last = Math.max(last, one.at);
    const name = key(one.client, one.session);
    before.set(name, Math.max(before.get(name) ?? 0, one.before));
  }
  at = Math.max(at, now);
}

async function recall(place) {
  try {
    return await (await caches.default.match(place))?.text();
  } catch {
    return undefined;
  }
}

/** Asks the object that has them, by a call that no client can make (`call.rs`). */
async function ask(env, place) {
  const call = {
    grant: { client: "", expiresAt: 0, issuedAt: 0, sight: { capabilities: [] } },
    ask: {
      answer: {
        method: "GET",
        path: "/v1/revocations",
        params: [],
        pairs: [["after", String(last)]],
      },
    },
  };
  const stub = env.INBOXES.get(env.INBOXES.idFromName("revocations"));
  const answer = await stub.fetch("https://object/", {
    headers: { "sessile-call": JSON.stringify(call) },
    signal: AbortSignal.timeout(READ_MS),
  });
  const text = await answer.text();
  if (answer.status !== 200 || answer.headers.has("sessile-stale")) {
    throw new Error(`it answered ${answer.status}`);
  }
  try {
    await caches.default.put(
      place,
      new Response(text, { headers: { "cache-control": "max-age=1" } }),
    );
  } catch {
    // The next one asks the object.
  }
  return text;
}
