// Requests to a deployment, with the errors of P13.2.

import { type ClientFrame, type ErrorInfo, type ResultOf, SessileError } from "../index.ts";
import { Misuse } from "./exits.ts";
import type { Io } from "./io.ts";
import { type Target, type TargetOptions, targetOf } from "./target.ts";

/** The longest wait for an answer. */
const ANSWER_MS = 30_000;
/** How often a rate-limited request is sent (P14). */
const TRIES = 5;
const JSON_TYPE = { "content-type": "application/json" };
const SESSION = /^[\w.:~-]{1,128}$/;

interface Init {
  method?: string;
  body?: unknown;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

export class Api {
  readonly target: Target;
  readonly #signal: AbortSignal;

  constructor(options: TargetOptions, io: Io) {
    this.target = targetOf(options, io);
    this.#signal = io.signal;
  }

  /** Asks an address below `/v1/`; a refusal is a `SessileError`. */
  async ask<T>(path: string, init: Init = {}): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const { status, body } = await this.fetch(path, init);
      const { error } = (body ?? {}) as { error?: ErrorInfo };
      if (error?.code === "rate-limited" && tries < TRIES) {
        await new Promise((done) => setTimeout(done, error.retryAfterMs ?? 0));
      } else if (body === undefined || status >= 400) {
        throw this.#refused(status, error);
      } else {
        return body as T;
      }
    }
  }

  /** Asks once, and gives whatever is answered; `body` is what it has of JSON. */
  async fetch(path: string, { method = "GET", body }: Init = {}): Promise<Answer> {
    const init: RequestInit =
      body === undefined ? { method } : { method, headers: JSON_TYPE, body: JSON.stringify(body) };
    const signal = AbortSignal.timeout(ANSWER_MS);
    return this.#reach(path, init, signal, async (response) => {
      const { status, headers } = response;
      return { status, headers, body: parse(await response.text()) };
    });
  }

  /** Sends or gets a body of any length, in as long as it takes; a refusal is a `SessileError`. */
  async open(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.#reach(path, init, undefined, async (it) => it);
    if (response.ok) return response;
    const { error } = (parse(await response.text()) ?? {}) as { error?: ErrorInfo };
    throw this.#refused(response.status, error);
  }

  async #reach<T>(
    path: string,
    init: RequestInit,
    late: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { url, token } = this.target;
    const authorization = `Bearer ${typeof token === "string" ? token : await token()}`;
    const signal = late ? AbortSignal.any([this.#signal, late]) : this.#signal;
    const headers = { ...(init.headers as Record<string, string>), authorization };
    try {
      return await read(await fetch(`${url}/v1/${path}`, { ...init, headers, signal }));
    } catch (cause) {
      const { cause: deeper = cause } = cause as Error;
      const { code, message } = deeper as Error & { code?: string };
      const why = `${message || code || deeper}`;
      throw new SessileError("unreachable", `unable to reach ${url}: ${why}`, undefined, cause);
    }
  }

  #refused(status: number, error?: ErrorInfo): SessileError {
    if (error?.code) return SessileError.of(error);
    const code = status >= 500 ? "unreachable" : "wrong-url";
    const message = `no session layer answers at ${this.target.url} (${status}): check --url`;
    return new SessileError(code, message);
  }

  /** Sends one frame to a session, and gives its result (P12.1). */
  async frame<F extends ClientFrame>(session: string, frame: F): Promise<ResultOf<F>> {
    const init = { method: "POST", body: frame };
    const { result } = await this.ask<{ result: ResultOf<F> }>(pathOf(session, "frames"), init);
    return result;
  }
}

/** The path of a session, or of something in it. */
export function pathOf(session: string, path = ""): string {
  if (!SESSION.test(session)) {
    throw new Misuse(`${session} is no session: it has 1 to 128 of A-Z a-z 0-9 . _ : ~ -`);
  }
  return `sessions/${session}${path && `/${path}`}`;
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
