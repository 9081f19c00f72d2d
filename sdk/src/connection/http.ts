// Reads over HTTP, with the errors of P13.2.

import { type ErrorInfo, SessileError } from "../protocol/index.ts";
import type { TokenSource } from "./token.ts";
import type { ConnectionOptions } from "./types.ts";

const HTTP = /^https?:\/\//;

/** The address of a session, without a slash at its end; refuses what cannot be one. */
export function addressOf({ url, session, token }: ConnectionOptions): string {
  if (typeof url !== "string" || !HTTP.test(url)) {
    throw missing("url", "is where the Worker is, such as https://sessions.example.com");
  }
  if (typeof session !== "string" || !/^[\w.:~-]{1,128}$/.test(session)) {
    throw missing("session", "takes 1 to 128 of A–Z a–z 0–9 . _ : ~ - (P1.1)");
  }
  if (!token) throw missing("token", "is a JWT, or a function that fetches one from your server");
  return `${url.replace(/\/+$/, "")}/v1/sessions/${encodeURIComponent(session)}`;
}

function missing(option: string, hint: string): SessileError {
  const message = `unable to create a session; ${option} is missing or malformed: it ${hint}`;
  return new SessileError("missing-option", message);
}

/** Reads JSON; what is refused is a `SessileError`, and so is a server that is something else. */
export async function readJson<T>(
  url: string,
  tokens: TokenSource,
  get: typeof fetch,
  init: RequestInit = {},
): Promise<T> {
  for (let isFresh = !tokens.last; ; isFresh = true) {
    const token = (isFresh ? undefined : tokens.last) ?? (await tokens.get());
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${token}`);
    let response: Response;
    let body: unknown;
    try {
      response = await get(url, { ...init, headers });
      body = await response.json().catch(() => undefined);
    } catch (error) {
      const message = `unable to reach ${new URL(url).origin}; the network or the server is away`;
      throw new SessileError("unreachable", message, undefined, error);
    }
    const info = (body as { error?: ErrorInfo } | undefined)?.error;
    if (response.status === 401 && !isFresh && tokens.canRenew) continue;
    if (info?.code) throw SessileError.of(info);
    if (!response.ok || typeof body !== "object") {
      const message =
        `unable to read the session; what answers at ${new URL(url).origin} (${response.status}) ` +
        "is no Sessile Worker: check url";
      throw new SessileError("wrong-url", message);
    }
    return body as T;
  }
}
