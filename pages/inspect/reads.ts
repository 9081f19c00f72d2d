// The reads of the page over HTTP. Each is remembered, so that anybody can repeat it in a shell.

import { type ErrorInfo, SessileError } from "sessile";
import type { Access } from "../access/access.ts";
import { curl } from "./curl.ts";

/** A read that the page made: the last one at its address. */
export interface Made {
  /** The answer that it brings, in words. */
  what: string;
  url: string;
  curl: string;
  status: number;
  /** When, how long it took, and the size of its answer. */
  at: number;
  tookMs: number;
  bytes: number;
}

/** Addresses that are remembered. */
const MADE_MAX = 60;
/** How long an answer is waited for. */
const PATIENCE_MS = 30_000;

export class Reads {
  readonly made = new Map<string, Made>();
  readonly session: string;
  readonly #access: Access;
  #token: Promise<string> | undefined;

  constructor(session: string, access: Access) {
    this.session = session;
    this.#access = access;
  }

  /** The address of the session, or of something in it. */
  url(path = ""): string {
    return `${location.origin}/v1/sessions/${encodeURIComponent(this.session)}${path}`;
  }

  /** Something of the session; a refusal is a `SessileError`. */
  get<Answer>(what: string, path: string): Promise<Answer> {
    return this.#get(what, this.url(path));
  }

  /** Something outside of the session. */
  getAt<Answer>(what: string, path: string): Promise<Answer> {
    return this.#get(what, location.origin + path);
  }

  /** The client that the token names; only the session can verify it. */
  client: string | undefined;

  /** The token that is in use; a fresh one where that was refused. */
  async token(): Promise<string> {
    this.#token ??= Promise.resolve(this.#access());
    const token = await this.#token;
    this.client = subjectOf(token);
    return token;
  }

  forgetToken(): void {
    this.#token = undefined;
  }

  async #get<Answer>(what: string, url: string, isRepeat = false): Promise<Answer> {
    const token = await this.token();
    const at = Date.now();
    const { status, text } = await fetched(url, token);
    this.#remember({
      what,
      url,
      curl: curl(url),
      status,
      at,
      tookMs: Date.now() - at,
      bytes: new TextEncoder().encode(text).length,
    });
    if (status === 200) return JSON.parse(text) as Answer;
    if (status === 401 && !isRepeat) {
      this.forgetToken();
      return this.#get(what, url, true);
    }
    throw refusal(status, text);
  }

  #remember(made: Made): void {
    this.made.delete(made.url);
    this.made.set(made.url, made);
    // Pages go first: they follow from the reads that begin them.
    const pages = [...this.made.keys()].filter((url) => /[?&](after|before)=/.test(url));
    for (const url of pages) if (this.made.size > MADE_MAX) this.made.delete(url);
  }
}

function subjectOf(token: string): string | undefined {
  try {
    const claims = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(claims), (it) => it.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === "string" ? sub : undefined;
  } catch {
    // The session will refuse it.
    return undefined;
  }
}

async function fetched(url: string, token: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new SessileError("unreachable", "the deployment does not answer", undefined, cause);
  }
}

function refusal(status: number, text: string): SessileError {
  try {
    return SessileError.of((JSON.parse(text) as { error: ErrorInfo }).error);
  } catch {
    return new SessileError("internal", `the answer has status ${status} and cannot be read`);
  }
}
