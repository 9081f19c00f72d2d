// Reads over HTTP, with the errors of P13.2.

import { type ErrorInfo, SessileError } from "../protocol/index.ts";
import type { TokenSource } from "./token.ts";
import type { ConnectionOptions, ReadInit } from "./types.ts";

/** The Worker's address, which is not a session's own. */
const WORKER = /^https?:\/\/(?!.*\/v1\/sessions(\/|$))/;
const SESSION = /^[\w.:~-]{1,128}$/;

/** The address of a session, without a slash at its end; refuses an impossible one. */
export function addressOf({ url, session, token }: ConnectionOptions): string {
  const hint = !WORKER.test(url)
    ? "url: where the Worker is, as https://example.com, without a session's path"
    : !SESSION.test(session)
      ? "session: 1 to 128 of A-Z a-z 0-9 . _ : ~ -"
      : !token
        ? "token: a JWT, or a function that fetches one from your server"
        : "";
  if (hint) {
    throw new SessileError("missing-option", `unable to create a session; it needs a ${hint}`);
  }
  return `${url.replace(/\/+$/, "")}/v1/sessions/${session}`;
}

/** How often a rate-limited request is repeated (P14). */
const TRIES = 8;

/**
 * Reads JSON; a refusal is a `SessileError`, and so is the answer of another kind of server. A
 * rate-limited request was not done, and is repeated when there is room for it.
 */
export async function readJson<T>(
  url: string,
  tokens: TokenSource,
  get: typeof fetch,
  init: ReadInit = {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await readOnce<T>(url, tokens, get, init);
    } catch (error) {
      const { code, info } = error as SessileError;
      const ms = info?.retryAfterMs;
      if (code !== "rate-limited" || ms === undefined || tries === TRIES) throw error;
      // Another client refused at the same time retries at another moment.
      await new Promise((done) => setTimeout(done, ms * (1 + Math.random())));
    }
  }
}

async function readOnce<T>(
  url: string,
  tokens: TokenSource,
  get: typeof fetch,
  init: ReadInit,
): Promise<T> {
  const ask = async (token: string) => {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    const response = await get(url, { ...init, headers });
    const text = await response.text();
    return { body: parse(text), text, status: response.status };
  };
  const failed = (cause: unknown) => {
    const message = `unable to reach ${url}; the network or the server is away`;
    throw new SessileError("unreachable", message, undefined, cause);
  };
  let answer = await ask(tokens.last ?? (await tokens.get())).catch(failed);
  if (answer.status === 401 && tokens.canRenew) {
    answer = await ask(await tokens.get()).catch(failed);
  }
  const { body, status } = answer;
  if (body?.error?.code) throw SessileError.of(body.error);
  if (!body || status >= 400) throw foreign(url, answer);
  return body as T;
}

interface Answer {
  body: { error?: ErrorInfo } | undefined;
  text: string;
  status: number;
}

function parse(text: string): Answer["body"] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Another server answered: a proxy in trouble, or one at a wrong address. */
function foreign(url: string, { text, status }: Answer): SessileError {
  const came = `it gives ${/^\s*</.test(text) ? "HTML" : "no answer of a session"} (${status})`;
  if (status >= 500) return new SessileError("unreachable", `unable to reach ${url}; ${came}`);
  const message = `unable to read ${url}; ${came}, so no Sessile Worker is there: check url`;
  return new SessileError("wrong-url", message);
}
