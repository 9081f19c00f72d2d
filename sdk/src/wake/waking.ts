// A waking: the news that an input waits for an agent (P10.3), and the turn that answers it. It may
// arrive by a webhook, a queue, a workflow or an inbox, and twice: the session gives the turn to
// one process (P6.2).

import { overFetch } from "../agent/over-fetch.ts";
import { readMessage } from "../agent/read.ts";
import {
  type AgentOptions,
  type AgentSession,
  createAgentSession,
  type StartOptions,
  TakenError,
} from "../agent/session.ts";
import type { AgentTurn } from "../agent/turn.ts";
import { AGAIN, type InboxWork, SessileError, type Turn } from "../protocol/index.ts";

/** An input that waits for an agent (P10.3). */
export interface Waking extends InboxWork {
  /** A token for the session, if the setting `agent` asks for one; good for an hour. */
  token?: string;
}

/**
 * Answers an input, as the work of `session.answer`: the turn has begun, and ends when this returns
 * or throws. The turn is this process's alone.
 */
export type Answerer = (turn: AgentTurn, waking: Waking) => unknown;

/** The way to the sessions. */
export interface WakeOptions
  extends Omit<
    AgentOptions,
    "session" | "token" | "names" | "onInput" | "onQueued" | "onStatus" | "onError"
  > {
  /** A token for the waking's session; by default the waking's own. */
  token?: string | ((waking: Waking) => string | Promise<string>);
  /** The lease of the turns (P6.8). */
  leaseMs?: number;
  /** Called with whatever a waking fails of; by default `console.error` is. */
  onError?: (error: unknown, waking?: Waking) => void;
}

/** Options that need what a Worker's `env` holds are a function of it. */
export type FromEnv<Options, Env> = Options | ((env: Env) => Options);

export function optionsOf<Options extends object, Env>(
  options: FromEnv<Options, Env>,
  env: Env,
): Options {
  return typeof options === "function" ? options(env) : options;
}

/** Reports a failure where the app wants it. */
export function report({ onError }: WakeOptions, error: unknown, waking?: Waking): void {
  if (onError) onError(error, waking);
  else console.error("sessile: unable to answer", waking ?? "", error);
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Reads a waking; `undefined` if the value is none. */
export function readWaking(value: unknown): Waking | undefined {
  const it = value as Partial<Waking & { type: string }> | null;
  if (typeof it !== "object" || it === null) return undefined;
  const { type = "input", id, session, input, turn, attempt, at = 0, token } = it;
  const isWaking = type === "input" && isText(id) && isText(session);
  if (!isWaking || !(isText(input) || isText(turn))) return undefined;
  return {
    id,
    session,
    at,
    ...(isText(input) && { input }),
    ...(isText(turn) && { turn }),
    ...(attempt !== undefined && { attempt }),
    ...(isText(token) && { token }),
  };
}

/** The name of a waking among others: another attempt is another one. */
export function keyOf({ id, session, attempt = 1 }: Waking): string {
  return `${session}/${id}/${attempt}`;
}

/** Refusals that mean that nobody need answer here: somebody else does, or nobody is to. */
const NOT_HERE = /^(conflict|turn-closed|not-leader|led-by-person|over-budget|gone|not-found)$/;

function tokenOf({ token }: WakeOptions, waking: Waking): AgentOptions["token"] {
  const given = token ?? waking.token;
  if (given !== undefined) return typeof given === "function" ? () => given(waking) : given;
  const message = "unable to answer; give a token, or ask for one with agent.token in the settings";
  throw new SessileError("missing-option", message);
}

/** The longest wait for a turn to begin, in milliseconds: then the waking had better come again. */
const LEAD_MS = 30_000;

/** The link of these options: Node 20 has no WebSocket. */
function linkOf({ link, WebSocket = globalThis.WebSocket }: WakeOptions): Partial<AgentOptions> {
  if (link) return { link };
  return WebSocket ? {} : { link: overFetch };
}

/**
 * The turn to start. A message named `regenerate` is the wish for another answer to its parent
 * (P6.9): `wish` is its serial then.
 */
async function startOf(
  session: AgentSession,
  { input, turn: id }: Waking,
): Promise<StartOptions & { wish?: string }> {
  const own = { ...(id && { id }), ...(input && { input }) };
  if (!input) return own;
  const { name, parent } = await readMessage(session, input);
  if (name !== AGAIN || !parent) return own;
  return { input: parent, again: true, id: `again-${input}`, wish: input };
}

/** How one waking is answered. */
export interface AnswerHow {
  /** The policy for a turn that another process of this client leads; see `startTurn`. */
  taken?: StartOptions["taken"];
  /** Called once this process leads the turn. */
  led?: () => void;
}

/**
 * Answers a waking: leads its turn, does the work, and ends the turn. Resolves to the turn, or to
 * `undefined` where there is nothing to do, since another process has the turn, or it is over.
 * Rejects if the session cannot be reached or refuses, or if the work throws.
 */
export async function answerWaking(
  waking: Waking,
  work: Answerer,
  options: WakeOptions,
  { taken = "refuse", led }: AnswerHow = {},
): Promise<Turn | undefined> {
  const { leaseMs, onError, token: _, ...rest } = options;
  const { session: name } = waking;
  const failed = (error: SessileError) => onError?.(error, waking);
  const token = tokenOf(options, waking);
  const session: AgentSession = createAgentSession({
    ...rest,
    ...linkOf(options),
    token,
    session: name,
    onError: failed,
  });
  let [isLed, isLate] = [false, false];
  const timer = setTimeout(() => {
    isLate = true;
    session.close();
  }, LEAD_MS);
  let settle = () => Promise.resolve<unknown>(undefined);
  try {
    const { wish, ...start } = await startOf(session, waking);
    // A wish is no input: once there is a turn for it, it needs none of its own.
    if (wish) settle = () => session.link.request({ type: "cancel", input: wish });
    return await session.answer({ ...start, ...(leaseMs && { leaseMs }), taken }, async (turn) => {
      isLed = true;
      clearTimeout(timer);
      led?.();
      await settle();
      const { input } = start;
      // It may be over before it began, as after a cancel (P6.5).
      if (!turn.signal.aborted) await work(turn, { ...waking, ...(input && { input }) });
    });
  } catch (error) {
    const isElsewhere = error instanceof TakenError || NOT_HERE.test((error as SessileError).code);
    if (!isLed && isElsewhere) {
      await settle().catch(() => {});
      return undefined;
    }
    if (!isLate) throw error;
    const message = `unable to answer; session ${name} could not be reached within ${LEAD_MS} ms`;
    throw new SessileError("unreachable", message, undefined, error);
  } finally {
    clearTimeout(timer);
    session.close();
  }
}
