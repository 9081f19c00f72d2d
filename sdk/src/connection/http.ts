// Reads over HTTP, with the errors of P13.2.

import { type ErrorInfo, SessileError } from "../protocol/index.ts";
import type { TokenSource } from "./token.ts";
import type { ConnectionOptions, ReadInit } from "./types.ts";

const HTTP = /^https?:\/\//;
const SESSION = /^[\w.:~-]{1,128}$/;

/** The address of a session, without a slash at its end; refuses what cannot be one. */
export function addressOf({ url, session, token }: ConnectionOptions): string {
  const hint = !HTTP.test(url)
    ? "url: where the Worker is, as in https://example.com"
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

/** Reads JSON; what is refused is a `SessileError`, and so is a server that is something else. */
export async function readJson<T>(
  url: string,
  tokens: TokenSource,
  get: typeof fetch,
  init: ReadInit = {},
): Promise<T> {
  const ask = async (token: string) => {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    const response = await get(url, { ...init, headers });
    const body: { error?: ErrorInfo } | undefined = await response.json().catch(() => {});
    return { ...body, body, status: response.status };
  };
  const failed = (cause: unknown) => {
    const message = `unable to reach ${url}; the network or the server is away`;
    throw new SessileError("unreachable", message, undefined, cause);
  };
  let answer = await ask(tokens.last ?? (await tokens.get())).catch(failed);
  if (answer.status === 401 && tokens.canRenew) {
    answer = await ask(await tokens.get()).catch(failed);
  }
  const { error, body, status } = answer;
  if (error?.code) throw SessileError.of(error);
  if (!body || status >= 400) {
    const message = `unable to read ${url} (${status}); no Sessile Worker answers: check url`;
    throw new SessileError("wrong-url", message);
  }
  return body as T;
}
