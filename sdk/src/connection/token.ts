// Sources of tokens: a string, or a function that is called by one caller at a time (P2).

import { SessileError } from "../protocol/index.ts";
import type { Token } from "./types.ts";

// Characters of a WebSocket's subprotocol, in three parts as a JWT has them.
const JWT = /^[\w~-]+\.[\w~-]+\.[\w~-]+$/;
/** Each platform's wording of a `fetch` without a network. */
const NO_NETWORK = /fetch|network|load failed|connection|terminated/i;
/** The length shown of a value that is no token. */
const SHOWN_LENGTH = 60;

export class TokenSource {
  readonly canRenew: boolean;
  /** The newest token. */
  last: string | undefined;
  readonly #token: Token;
  #asking: Promise<string> | undefined;

  constructor(token: Token) {
    this.#token = token;
    this.canRenew = typeof token === "function";
    if (!this.canRenew) this.last = check(token, "token is");
  }

  /** A fresh token; callers during a request get the same one. */
  get(): Promise<string> {
    this.#asking ??= this.#ask().finally(() => this.forget());
    return this.#asking;
  }

  /** Stops waiting for a function that does not answer. */
  forget(): void {
    this.#asking = undefined;
  }

  async #ask(): Promise<string> {
    const token = this.#token;
    if (typeof token !== "function") return token;
    let given: unknown;
    try {
      given = await token();
    } catch (error) {
      throw failed(error);
    }
    this.last = check(given, "token() gave");
    return this.last;
  }
}

/** The client of a token, if it names one (P2.1); only the session can verify it. */
export function subjectOf(token: string): string | undefined {
  try {
    const [, claims = ""] = token.split(".");
    const bytes = atob(claims.replace(/-/g, "+").replace(/_/g, "/"));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (it) => it.charCodeAt(0)));
    const { sub } = JSON.parse(text);
    return typeof sub === "string" ? sub : undefined;
  } catch {
    // The session will refuse it.
    return undefined;
  }
}

/** Errors that pass by themselves. */
const PASSING: readonly SessileError["code"][] = ["unreachable", "internal", "over-limit"];

/** Whether a failure may pass by itself: no network for a token, for example. */
export function mayPass({ code, cause }: SessileError): boolean {
  if (code !== "token-failed" || cause === undefined) return PASSING.includes(code);
  const { name, message } = cause as Partial<Error>;
  return /^(Abort|Timeout|Network)Error$/.test(`${name}`) || NO_NETWORK.test(`${message}`);
}

/** A refusal of a token, with its remedy. */
export function advised({ code, message, info }: SessileError): SessileError {
  const advice =
    code !== "unauthorized"
      ? ""
      : /expired/.test(message)
        ? ": token() has to get a fresh one each time"
        : ": sign it with the key of the Worker, SESSILE_SIGNING_KEY";
  return new SessileError(code, message + advice, info);
}

function failed(error: unknown): SessileError {
  if (error instanceof SessileError) return error;
  const hint =
    error instanceof SyntaxError
      ? ": it asks something that gives no JSON"
      : error instanceof TypeError && NO_NETWORK.test(error.message)
        ? ": where it asks nothing answers, or this origin may not ask (CORS)"
        : "";
  const message = `the token function failed: ${error}${hint}`;
  return new SessileError("token-failed", message, undefined, error);
}

function check(token: unknown, what: string): string {
  if (typeof token === "string" && JWT.test(token)) return token;
  const message = `${what} ${nameOf(token)}; it has to be a signed JWT, as text, and nothing else`;
  throw new SessileError("token-failed", message);
}

/** The value in a token's place, and where a token might be in it. */
function nameOf(value: unknown): string {
  if (value instanceof Response) return `a Response (${value.status}): give its text if it is good`;
  if (typeof value !== "string") {
    const isAround = typeof value === "object" && value !== null && "token" in value;
    return isAround ? "an object with a token in it: give that" : `no text: ${shorten(value)}`;
  }
  const kind = /^\s*</.test(value) ? "HTML" : /^\s*\{/.test(value) ? "JSON" : "no JWT";
  return `${kind}: ${shorten(value)}`;
}

function shorten(value: unknown): string {
  const text = `${JSON.stringify(value)}`;
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
