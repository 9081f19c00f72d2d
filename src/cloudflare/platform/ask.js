// Calls to a session's object by a line of the table of routes, and answers of our own, for loops
// over streams (P11.6, P11.7).

/** How often a call is repeated after it met an object that was about to reset itself, and when. */
const TRIES = 4;
const RESET_MS = 20;
/** How long an object may take to answer. */
export const ANSWER_MS = 30_000;

/** JSON with everything beyond ASCII escaped, since a header carries nothing else. */
export function ascii(json) {
  return json.replace(/[^ -~]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Asks a session's object, with the JSON of a grant; rejects if it does not answer. */
export async function ask(env, session, grant, { method, path, params = [], pairs = [] }, body) {
  const question = JSON.stringify({ method, path, params: [session, ...params], pairs });
  const headers = { "sessile-call": ascii(`{"grant":${grant},"ask":{"answer":${question}}}`) };
  const init = body === undefined ? { headers } : { headers, method: "POST", body };
  for (let tries = 1; ; tries += 1) {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await env.SESSIONS.getByName(session).fetch("https://object/", {
      ...init,
      signal,
    });
    if (tries === TRIES || !answer.headers.has("sessile-stale")) return answer;
    await answer.text();
    await pause(RESET_MS);
  }
}

export function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

export function refusal(code, status, message) {
  return json(status, { error: { code, status, message } });
}

export function json(status, body) {
  const headers = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "access-control-allow-origin": "*",
  };
  return Response.json(body, { status, headers });
}
