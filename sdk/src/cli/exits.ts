// How a command ends: the exit codes, and the errors that lead to them.

import { type ErrorCode, type LocalCode, SessileError } from "../index.ts";

/** The exit codes of all commands; `docs/cli.md` lists them. */
export const EXIT = {
  done: 0,
  /** The session or the deployment said no, or a check of `doctor` failed. */
  refused: 1,
  /** The command line is wrong, or there is no token; nothing was sent. */
  usage: 2,
  /** Nothing answers, or something that is no session layer: it may pass by itself. */
  unreachable: 3,
  /** The token is not accepted, or does not allow it. */
  token: 4,
  /** A mistake of this program. */
  broken: 70,
  /** Ended by Ctrl-C before it was done. */
  interrupted: 130,
} as const;

/** A command line that cannot be obeyed, with its remedy. */
export class Misuse extends Error {}

/** The local machine does not do something, which may pass, or has a remedy. */
export class Unable extends Error {}

/** A step that would break something, with its reason. */
export class Refused extends Error {}

const CODES: Partial<Record<ErrorCode | LocalCode, number>> = {
  unreachable: EXIT.unreachable,
  "wrong-url": EXIT.unreachable,
  internal: EXIT.unreachable,
  unauthorized: EXIT.token,
  forbidden: EXIT.token,
  "token-failed": EXIT.token,
  "missing-option": EXIT.usage,
  "invalid-session": EXIT.usage,
};

export function exitOf(error: unknown): number {
  if (error instanceof Misuse) return EXIT.usage;
  if (error instanceof Unable) return EXIT.unreachable;
  if (error instanceof Refused) return EXIT.refused;
  if (error instanceof SessileError) return CODES[error.code] ?? EXIT.refused;
  return EXIT.broken;
}

/** An error as `--json` prints it: `{error}`, as over HTTP (P13.2). */
export function describeError(error: unknown): { error: object } {
  if (error instanceof SessileError) {
    const { code, message, info } = error;
    return { error: info ?? { code, message } };
  }
  const names = [
    [Misuse, "usage"],
    [Unable, "unreachable"],
    [Refused, "refused"],
  ] as const;
  const code = names.find(([kind]) => error instanceof kind)?.[1] ?? "broken";
  return { error: { code, message: error instanceof Error ? error.message : String(error) } };
}
