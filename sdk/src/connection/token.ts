// Where tokens come from: a text, or a function that is asked by one caller at a time (P2).

import { SessileError } from "../protocol/index.ts";
import type { Token } from "./types.ts";

// What may stand in a WebSocket's subprotocol, in three parts as a JWT has them.
const JWT = /^[\w~-]+\.[\w~-]+\.[\w~-]+$/;

export class TokenSource {
  readonly canRenew: boolean;
  /** The newest token. */
  last: string | undefined;
  readonly #token: Token;
  #asking: Promise<string> | undefined;

  constructor(token: Token) {
    this.#token = token;
    this.canRenew = typeof token === "function";
    if (!this.canRenew) this.last = check(token);
  }

  /** A fresh token; whoever asks while one is on its way gets the same. */
  get(): Promise<string> {
    this.#asking ??= this.#ask().finally(() => this.forget());
    return this.#asking;
  }

  /** Waits no longer for a function that does not answer. */
  forget(): void {
    this.#asking = undefined;
  }

  async #ask(): Promise<string> {
    const token = this.#token;
    if (typeof token !== "function") return token;
    try {
      this.last = check(await token());
      return this.last;
    } catch (error) {
      if (error instanceof SessileError) throw error;
      const message = `the token function failed: ${error}`;
      throw new SessileError("token-failed", message, undefined, error);
    }
  }
}

function check(token: unknown): string {
  if (typeof token === "string" && JWT.test(token)) return token;
  const message = "token is no signed JWT, as your server makes them, nor gives one";
  throw new SessileError("token-failed", message);
}
