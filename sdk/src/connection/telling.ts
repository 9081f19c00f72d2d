// Notices to a developer: each mistake once on the console, and with `debug` everything.

import { mayPass } from "./token.ts";
import type { ConnectionOptions, ConnectionStatus } from "./types.ts";

// Put in by bundlers; a page without one has no `process`.
declare const process: { env: { NODE_ENV?: string } };

/** Development is everything that is not marked as production, or without a mark, this machine. */
export function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== "production";
  } catch {
    return /^(localhost|127\.|\[::1\])/.test(globalThis.location?.hostname ?? "");
  }
}

/** Reports events to a developer, if wanted, and warns of the first mistake. */
export function telling({ session, debug }: ConnectionOptions) {
  const say = debug === true ? console.debug : debug || undefined;
  let hasWarned = false;
  const log = (...what: unknown[]) => say?.("sessile", session, ...what);
  const status = ({ state, reason, error }: ConnectionStatus) => {
    log(state, reason, error?.message);
    if (!error || hasWarned || mayPass(error) || !isDevelopment()) return;
    hasWarned = true;
    console.warn(`sessile: session ${session}: ${error.message}`);
  };
  return { log, status };
}
