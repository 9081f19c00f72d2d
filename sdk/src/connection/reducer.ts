// How a connection decides: what happened goes in with the time, what to do comes out. No clock,
// no socket and no randomness in here.

import { PROTOCOL, SessileError } from "../protocol/index.ts";
import type { ConnectionStatus, Reason } from "./types.ts";

/** The times that a connection keeps, in milliseconds. */
export interface Timing {
  /** The first pause before trying again is 0 to this; it doubles with each failure. */
  backoffMs: number;
  /** No pause is longer. */
  backoffMostMs: number;
  /** How long connecting may take, from asking for a token to `attached`. */
  connectMs: number;
  /** How often the session is asked whether it is there; also keeps presence and leases. */
  pingMs: number;
  /** How long it may take to answer. */
  pongMs: number;
  /** How long before its expiry a token is replaced (P2.6), and the least time between. */
  renewMs: number;
}

export const TIMING: Timing = {
  backoffMs: 500,
  backoffMostMs: 30_000,
  connectMs: 20_000,
  pingMs: 12_000,
  pongMs: 8_000,
  renewMs: 30_000,
};

/** After so many first pauses a connection counts as one that worked. */
const STABLE_PAUSES = 10;

/** How many failures in a row pass until it is looked again why. */
const LOOK_EVERY = 4;

export type Phase = "idle" | "token" | "opening" | "replaying" | "live" | "waiting" | "closed";

/** What does not come, comes never. */
export interface State {
  readonly phase: Phase;
  /** Failures in a row. */
  readonly failures: number;
  /** When the attempt to connect began, then when it attached. */
  readonly since: number;
  readonly pingAt: number;
  readonly pongBy: number;
  readonly renewAt: number;
  readonly retryAt?: number | undefined;
  readonly reason?: Reason | undefined;
  readonly error?: SessileError | undefined;
}

export type Input =
  | { type: "start" | "stop" | "opening" | "caught-up" | "heard" | "nudge" | "tick" }
  | { type: "attached"; protocol: number; expiresAt: number }
  | { type: "renewed"; expiresAt: number }
  /** The token function failed. */
  | { type: "tokenless"; error: SessileError }
  /** The session, or a look at it, said what is wrong; what follows of it comes by itself. */
  | { type: "refused"; error: SessileError }
  | { type: "lost"; code: number };

/** `token`: ask for one, then open. `look`: find out by HTTP why it cannot be opened. */
export type Effect = "token" | "drop" | "ping" | "renew" | "look";

export interface Circumstances {
  now: number;
  /** 0 to 1, drawn anew. */
  random: number;
  timing: Timing;
  /** Whether asking for a token can give another one. */
  canRenew: boolean;
}

export type Step = readonly [State, readonly Effect[]];

const NEVER = Infinity;

export const IDLE: State = {
  phase: "idle",
  failures: 0,
  since: 0,
  pingAt: NEVER,
  pongBy: NEVER,
  renewAt: NEVER,
};

/** After these a client gives up (P13.3). */
const FINAL: Record<number, Reason> = {
  4400: "protocol-error",
  4403: "forbidden",
  4410: "session-deleted",
  4413: "too-large",
};
const UNAUTHORIZED = 4401;
const TOO_FAST = 4429;

export function isAttached({ phase }: State): boolean {
  return phase === "replaying" || phase === "live";
}

/** What follows from what happened. */
export function step(state: State, input: Input, at: Circumstances): Step {
  switch (input.type) {
    case "start":
      return state.phase === "idle" || state.phase === "closed" ? connect(IDLE, at) : [state, []];
    case "stop":
      return [IDLE, ["drop"]];
    case "opening":
      return [state.phase === "token" ? { ...state, phase: "opening" } : state, []];
    case "attached":
      return attach(state, input.protocol, input.expiresAt, at);
    case "caught-up":
      return [state.phase === "replaying" ? { ...state, phase: "live" } : state, []];
    case "heard":
      return [state.pongBy === NEVER ? state : { ...state, pongBy: NEVER }, []];
    case "renewed":
      return [{ ...state, renewAt: renewAt(input.expiresAt, at) }, []];
    case "refused":
      return [{ ...state, error: input.error }, []];
    case "tokenless":
      return wait({ ...state, error: input.error }, "token", at);
    case "lost":
      return lose(state, input.code, at);
    case "nudge":
      return nudge(state, at);
    case "tick":
      return tick(state, at);
  }
}

/** When `tick` has something to do. */
export function deadline({ phase, ...state }: State, { connectMs }: Timing): number {
  if (phase === "waiting") return state.retryAt ?? NEVER;
  if (phase === "token" || phase === "opening") return state.since + connectMs;
  return Math.min(state.pingAt, state.pongBy, state.renewAt);
}

/** What a page is shown. */
export function statusOf({ phase, reason, error, retryAt }: State): ConnectionStatus {
  const isResting = phase === "idle" || phase === "waiting" || phase === "closed";
  const state = isResting ? phase : phase === "live" ? "connected" : "connecting";
  return { state, reason, error, retryAt };
}

/** Keeps what went wrong last, so that a page can go on showing it. */
function connect({ failures, reason, error }: State, { now }: Circumstances): Step {
  return [{ ...IDLE, phase: "token", failures, since: now, reason, error }, ["token"]];
}

function attach(state: State, protocol: number, expiresAt: number, at: Circumstances): Step {
  if (protocol > PROTOCOL) {
    const message = `the session speaks protocol ${protocol}: install a newer version of sessile`;
    return close({ ...state, error: new SessileError("outdated", message) }, "outdated");
  }
  const [pingAt, renewing] = [at.now + at.timing.pingMs, renewAt(expiresAt, at)];
  const { failures } = state;
  const times = { since: at.now, pingAt, renewAt: renewing };
  return [{ ...IDLE, phase: "replaying", failures, ...times }, []];
}

/** A clock that is ahead must not make the client renew without an end. */
function renewAt(expiresAt: number, { now, timing, canRenew }: Circumstances): number {
  return canRenew ? Math.max(expiresAt - timing.renewMs, now + timing.renewMs) : NEVER;
}

function close(state: State, reason: Reason): Step {
  const error = state.error ?? new SessileError("given-up", `the session was given up: ${reason}`);
  return [{ ...IDLE, phase: "closed", reason, error }, ["drop"]];
}

function lose(state: State, code: number, at: Circumstances): Step {
  if (state.phase !== "opening" && !isAttached(state)) return [state, []];
  const final = FINAL[code];
  if (final) return close(state, final);
  if (code !== UNAUTHORIZED) {
    return wait(state, code === TOO_FAST ? "too-fast" : "lost", at);
  }
  if (!at.canRenew) return close(state, "unauthorized");
  // A token that expired is replaced at once; one that is refused again and again is not.
  if (!isAttached(state)) return wait(state, "unauthorized", at);
  const [next, effects] = connect({ ...state, failures: 0, reason: "unauthorized" }, at);
  return [next, ["drop", ...effects]];
}

/** Full jitter, so that a thousand readers do not come back at once. */
function wait(state: State, reason: Reason, { now, random, timing }: Circumstances): Step {
  const wasAttached = isAttached(state);
  const isStable = wasAttached && now - state.since >= STABLE_PAUSES * timing.backoffMs;
  const failures = isStable ? 0 : state.failures;
  const most = Math.min(timing.backoffMostMs, timing.backoffMs * 2 ** failures);
  const retryAt = now + random * most;
  const { phase, error } = state;
  // Not each time: a server that is down has enough to do.
  const isUnexplained = !error || (failures > 0 && failures % LOOK_EVERY === 0);
  const isLook = phase === "opening" && isUnexplained;
  const next = { failures: failures + 1, since: now, retryAt, reason, error };
  return [{ ...IDLE, phase: "waiting", ...next }, isLook ? ["drop", "look"] : ["drop"]];
}

/** The network came back, or the page did: what is open may be dead, what waits need not. */
function nudge(state: State, at: Circumstances): Step {
  const { now, timing } = at;
  if (state.phase === "waiting") return connect(state, at);
  if (!isAttached(state)) return [state, []];
  const pongBy = Math.min(state.pongBy, now + timing.pongMs / 2);
  return [{ ...state, pongBy, pingAt: now + timing.pingMs }, ["ping"]];
}

function tick(state: State, at: Circumstances): Step {
  const { now, timing } = at;
  if (now < deadline(state, timing)) return [state, []];
  if (state.phase === "waiting") return connect(state, at);
  if (!isAttached(state) || state.pongBy <= now) return wait(state, "silent", at);
  const effects: Effect[] = [];
  let { pingAt, pongBy, renewAt } = state;
  if (pingAt <= now) {
    pingAt = now + timing.pingMs;
    pongBy = Math.min(pongBy, now + timing.pongMs);
    effects.push("ping");
  }
  if (renewAt <= now) {
    renewAt = now + timing.renewMs;
    effects.push("renew");
  }
  return [{ ...state, pingAt, pongBy, renewAt }, effects];
}
