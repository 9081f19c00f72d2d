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
    const asking =
      this.#asking ??
      this.#ask().finally(() => {
        if (this.#asking === asking) this.#asking = undefined;
      });
    this.#asking = asking;
    return asking;
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
      const message = `unable to get a token; the token function failed: ${String(error)}`;
      throw new SessileError("token-failed", message, undefined, error);
    }
  }
}

function check(token: unknown): string {
  if (typeof token === "string" && JWT.test(token)) return token;
  const what = typeof token === "string" ? "text that is no JWT" : `${typeof token}`;
  throw new SessileError(
    "token-failed",
    `unable to get a token; token is, or gives, ${what}: it must be a signed JWT, which a ` +
      "server of yours makes for who is signed in",
  );
}
