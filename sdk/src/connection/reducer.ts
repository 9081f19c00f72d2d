// The decisions of a connection: events and time in, effects out. No clock, no socket and no
// randomness in here.

import { PROTOCOL, SessileError } from "../protocol/index.ts";
import type { ConnectionStatus, Reason, Timing } from "./types.ts";

/** The usual times. */
export const TIMING: Timing = {
  backoffMs: 500,
  backoffMostMs: 30_000,
  connectMs: 20_000,
  firstMs: 5_000,
  pingMs: 12_000,
  pongMs: 8_000,
  renewMs: 30_000,
};

/**
 * The addition to the first pause for each connection of the session, where that is more: those of
 * a large session reconnect at a thousand a second.
 */
const EACH_MS = 1;

/** After this many first pauses a connection counts as working. */
const STABLE_PAUSES = 10;

/** The failures in a row before their reason is looked up again. */
const LOOK_EVERY = 4;

/** A client idle for this long was not busy: the device slept, and the peer is gone. */
const SLEPT_MS = 60_000;

/** No token is replaced sooner than this, whatever its lifetime. */
const LEAST_RENEW_MS = 1_000;

/** How often in a row a new client may find a wrong setup. */
const REFUSALS = 3;

/** Permanent errors that a look-up finds, with their reasons. */
const SET_UP_WRONG: Partial<Record<SessileError["code"], Reason>> = {
  "wrong-url": "wrong-url",
  "not-found": "wrong-url",
  "invalid-session": "wrong-url",
  "not-configured": "not-configured",
  unauthorized: "unauthorized",
};

export type Phase = "idle" | "token" | "opening" | "replaying" | "live" | "waiting" | "closed";

/** The state of a connection. A time of `Infinity` never comes. */
export interface State {
  readonly phase: Phase;
  /** Failures in a row. */
  readonly failures: number;
  /** How often in a row a permanent error was found. */
  readonly refusals: number;
  /**
   * Whether it was ever admitted: then a present error was not there before, and may pass, as where
   * keys are exchanged. A client that never was has a mistake to mend, and is told soon.
   */
  readonly wasAttached: boolean;
  /** When a token was requested, then a connection, then when it attached. */
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
  /** The remaining life of the token; infinite if unknown. */
  | { type: "attached"; protocol: number; forMs: number }
  | { type: "renewed"; forMs: number }
  /** The token function failed, or returned a malformed token; the former may pass. */
  | { type: "tokenless"; error: SessileError; mayPass: boolean }
  /** No way to connect exists. */
  | { type: "impossible"; error: SessileError }
  /** The session named an error; its consequence follows by itself. */
  | { type: "refused"; error: SessileError }
  /** The finding of a look-up. */
  | { type: "looked"; error: SessileError }
  | { type: "lost"; code: number };

/**
 * `token`: request one, then open. `look`: find out by HTTP why the connection cannot be opened.
 */
export type Effect = "token" | "drop" | "ping" | "renew" | "look";

export interface Circumstances {
  now: number;
  /** 0 to 1, random. */
  random: number;
  timing: Timing;
  /** Whether another request can return another token. */
  canRenew: boolean;
  /** The number of the session's connections, as far as told: all are lost at once. */
  crowd: number;
}

export type Step = readonly [State, readonly Effect[]];

const NEVER = Infinity;

export const IDLE: State = {
  phase: "idle",
  failures: 0,
  refusals: 0,
  wasAttached: false,
  since: 0,
  pingAt: NEVER,
  pongBy: NEVER,
  renewAt: NEVER,
};

/** A client gives up after these (P13.3). */
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

/** The next state after an input, and the effects to perform. */
export function step(state: State, input: Input, at: Circumstances): Step {
  switch (input.type) {
    case "start":
      return state.phase === "idle" || state.phase === "closed"
        ? connect({ ...IDLE, wasAttached: state.wasAttached }, at)
        : [state, []];
    case "stop":
      return [{ ...IDLE, wasAttached: state.wasAttached }, ["drop"]];
    case "opening":
      return [state.phase === "token" ? { ...state, phase: "opening", since: at.now } : state, []];
    case "attached":
      return attach(state, input.protocol, input.forMs, at);
    case "caught-up":
      return [state.phase === "replaying" ? { ...state, phase: "live" } : state, []];
    case "heard":
      return [state.pongBy === NEVER ? state : { ...state, pongBy: NEVER }, []];
    case "renewed":
      return [{ ...state, renewAt: renewAt(input.forMs, at) }, []];
    case "refused":
      return [{ ...state, error: input.error }, []];
    case "tokenless":
      return input.mayPass
        ? wait({ ...state, error: input.error }, "token", at)
        : refuse({ ...state, error: input.error }, "token", at);
    case "impossible":
      return close({ ...state, error: input.error }, "unsupported");
    case "looked":
      return look(state, input.error, at);
    case "lost":
      return lose(state, input.code, at);
    case "nudge":
      return nudge(state, at);
    case "tick":
      return tick(state, at);
  }
}

/** When `tick` has something to do. */
export function deadline({ phase, ...state }: State, { connectMs, firstMs }: Timing): number {
  if (phase === "waiting") return state.retryAt ?? NEVER;
  const isMistaken = state.failures === state.refusals && !state.wasAttached;
  if (phase === "opening" && isMistaken) return state.since + Math.min(firstMs, connectMs);
  if (phase === "token" || phase === "opening") return state.since + connectMs;
  return Math.min(state.pingAt, state.pongBy, state.renewAt);
}

/** The status that a page is shown. */
export function statusOf({ phase, reason, error, retryAt }: State): ConnectionStatus {
  const isResting = phase === "idle" || phase === "waiting" || phase === "closed";
  const state = isResting ? phase : phase === "live" ? "connected" : "connecting";
  return { state, reason, error, retryAt };
}

/** The same state for a clock that was set back: due times stay as far away as they were. */
export function shift(state: State, ms: number): State {
  const { since, pingAt, pongBy, renewAt, retryAt } = state;
  const times = { since: since + ms, pingAt: pingAt + ms, pongBy: pongBy + ms };
  const later = { renewAt: renewAt + ms, ...(retryAt !== undefined && { retryAt: retryAt + ms }) };
  return { ...state, ...times, ...later };
}

/** Keeps the latest error, so that a page can continue to show it. */
function connect(state: State, { now }: Circumstances): Step {
  return [{ ...IDLE, ...keptOf(state), phase: "token", since: now }, ["token"]];
}

/** The fields that outlive a connection attempt. */
function keptOf({ failures, refusals, wasAttached, reason, error }: State) {
  return { failures, refusals, wasAttached, reason, error };
}

function attach(state: State, protocol: number, forMs: number, at: Circumstances): Step {
  if (protocol > PROTOCOL) {
    const message = `the session speaks protocol ${protocol}: install a newer version of sessile`;
    return close({ ...state, error: new SessileError("outdated", message) }, "outdated");
  }
  const { failures } = state;
  const times = { since: at.now, pingAt: at.now + at.timing.pingMs, renewAt: renewAt(forMs, at) };
  return [{ ...IDLE, phase: "replaying", failures, wasAttached: true, ...times }, []];
}

/** A short-lived token is replaced in the middle of its life. */
function renewAt(forMs: number, { now, timing, canRenew }: Circumstances): number {
  const inMs = Math.max(forMs - timing.renewMs, Math.min(forMs / 2, timing.renewMs));
  return canRenew ? now + Math.max(inMs, LEAST_RENEW_MS) : NEVER;
}

function close(state: State, reason: Reason): Step {
  const error = state.error ?? new SessileError("given-up", `the session was given up: ${reason}`);
  const { wasAttached } = state;
  return [{ ...IDLE, phase: "closed", wasAttached, reason, error }, ["drop"]];
}

function lose(state: State, code: number, at: Circumstances): Step {
  if (state.phase !== "opening" && !isAttached(state)) return [state, []];
  const final = FINAL[code];
  if (final) return close(state, final);
  if (code !== UNAUTHORIZED) {
    return wait(state, code === TOO_FAST ? "too-fast" : "lost", at);
  }
  if (!at.canRenew) return close(state, "unauthorized");
  // An expired token is replaced at once; one that is refused again and again is not.
  if (!isAttached(state)) return refuse(state, "unauthorized", at);
  const [next, effects] = connect({ ...state, failures: 0, reason: "unauthorized" }, at);
  return [next, ["drop", ...effects]];
}

/** The setup is wrong: retried, but not forever for a client that was never admitted. */
function refuse(state: State, reason: Reason, at: Circumstances): Step {
  const refused = { ...state, refusals: state.refusals + 1 };
  return isHopeless(refused) ? close(refused, reason) : wait(refused, reason, at);
}

function isHopeless({ refusals, wasAttached }: State): boolean {
  return !wasAttached && refusals >= REFUSALS;
}

/** The connection could not be opened; HTTP told why, perhaps after the pause. */
function look(state: State, error: SessileError, at: Circumstances): Step {
  if (isAttached(state) || state.phase === "idle" || state.phase === "closed") return [state, []];
  const found = { ...state, error };
  if (error.code === "forbidden") return close(found, "forbidden");
  const wrong = SET_UP_WRONG[error.code];
  if (!wrong) return [found, []];
  found.refusals += 1;
  const isFixed = wrong === "unauthorized" && !at.canRenew;
  return isFixed || isHopeless(found) ? close(found, wrong) : [found, []];
}

/** Full jitter, so that a thousand readers do not reconnect at once. */
function wait(state: State, reason: Reason, at: Circumstances): Step {
  const { now, random, timing, crowd } = at;
  const isStable = isAttached(state) && now - state.since >= STABLE_PAUSES * timing.backoffMs;
  const failures = isStable ? 0 : state.failures;
  const firstMs = Math.max(timing.backoffMs, crowd * EACH_MS);
  const most = Math.min(timing.backoffMostMs, firstMs * 2 ** failures);
  const retryAt = now + random * most;
  const { phase, error, refusals } = state;
  // Not each time: a server that is down has enough to do.
  const isUnexplained = !error || (failures > 0 && failures % LOOK_EVERY === 0);
  const isLook =
    phase === "opening" && reason !== "unauthorized" && (isUnexplained || refusals > 0);
  const next = { ...keptOf(state), failures: failures + 1, reason, since: now, retryAt };
  return [{ ...IDLE, ...next, phase: "waiting" }, isLook ? ["drop", "look"] : ["drop"]];
}

/**
 * The network returned, or the page did: an open connection may be dead, and a waiting one need not
 * wait.
 */
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
  if (!isAttached(state)) return wait(state, "silent", at);
  if (state.pongBy <= now) {
    // This may come late itself, where the process was busy: the answer waits to be read, too.
    const lateMs = now - state.pongBy;
    const wasBusy = lateMs >= timing.pongMs && lateMs < SLEPT_MS;
    return wasBusy ? nudge({ ...state, pongBy: NEVER }, at) : wait(state, "silent", at);
  }
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
