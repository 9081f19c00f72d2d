// Notices to a developer: each mistake once on the console, and with `debug` everything.

import type { Outgoing } from "./requests.ts";
import { mayPass } from "./token.ts";
import type { ConnectionOptions, ConnectionStatus } from "./types.ts";

// Put in by bundlers; a page without one has no `process`.
declare const process: { env: { NODE_ENV?: string } };

/** Development is what does not say that it is production, or where it cannot, this machine. */
export function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== "production";
  } catch {
    return /^(localhost|127\.|\[::1\])/.test(globalThis.location?.hostname ?? "");
  }
}

export class Telling {
  readonly #session: string;
  readonly #debug: ((...what: unknown[]) => void) | undefined;
  #hasWarned = false;

  constructor({ session, debug }: ConnectionOptions) {
    this.#session = session;
    if (debug) this.#debug = debug === true ? (...what) => console.debug(...what) : debug;
  }

  /** Tells of a change, and warns of the first mistake. */
  status({ state, reason, error }: ConnectionStatus): void {
    this.#debug?.("sessile", this.#session, state, reason ?? "", error?.message ?? "");
    if (!error || this.#hasWarned || mayPass(error) || !isDevelopment()) return;
    this.#hasWarned = true;
    console.warn(`sessile: session ${this.#session}: ${error.message}`);
  }

  log(what: "heard" | "said", frames: readonly ({ type: string } | Outgoing)[]): void {
    if (!this.#debug) return;
    const types = frames.map((it) => ("type" in it ? it.type : JSON.parse(it.text).type));
    this.#debug("sessile", this.#session, what, types.join(" "));
  }
}
