// Notices to a developer: each mistake once on the console, and with `debug` everything.

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
  /** Logs what happens, if it is to. */
  readonly log: (...what: unknown[]) => void;
  #hasWarned = false;

  constructor({ session, debug }: ConnectionOptions) {
    const say = debug === true ? console.debug : debug;
    this.log = say ? (...what) => say("sessile", session, ...what) : () => {};
  }

  /** Tells of a change, and warns of the first mistake. */
  status({ state, reason, error }: ConnectionStatus): void {
    this.log(state, reason, error?.message);
    if (!error || this.#hasWarned || mayPass(error) || !isDevelopment()) return;
    this.#hasWarned = true;
    console.warn(`sessile: ${error.message}`);
  }
}
