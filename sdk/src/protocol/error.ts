// The reasons of refusals (P13.2), and close codes (P13.3).

import type { Approval } from "./approval.ts";
import type { ToolCall } from "./call.ts";

/** The codes of the protocol with their HTTP statuses; `tests/fixtures` holds them equal. */
export const ERROR_STATUS = {
  "invalid-frame": 400,
  "unknown-frame": 400,
  "invalid-session": 400,
  "too-large": 413,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  "method-not-allowed": 405,
  conflict: 409,
  closed: 409,
  deleted: 410,
  gone: 410,
  gap: 409,
  "turn-closed": 409,
  "not-leader": 409,
  "already-decided": 409,
  "invalid-answer": 400,
  claimed: 409,
  "already-settled": 409,
  "invalid-state": 400,
  "led-by-person": 409,
  "over-budget": 402,
  busy: 409,
  skipped: 409,
  "rate-limited": 429,
  "over-limit": 429,
  "not-configured": 503,
  internal: 500,
} as const;

/** A code of the protocol. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/**
 * A code that the SDK gives by itself:
 *
 * - `missing-option`: an option that `createSession` cannot do without is missing or malformed.
 * - `token-failed`: the token function threw, or gave no token.
 * - `wrong-url`: nothing at the URL speaks Sessile.
 * - `no-push`: this browser has no push, or the person does not allow it.
 * - `unreachable`: the network or the server does not answer.
 * - `outdated`: the session speaks a newer protocol than this SDK.
 * - `disconnected`: the connection was lost before the answer came, and the frame was not to be
 *   sent again.
 * - `discarded`: the application took a message back that was not in the log.
 * - `given-up`: the connection is `closed`; its `reason` says why, and the session said no more.
 * - `session-closed`: the application closed the session.
 */
export type LocalCode =
  | "missing-option"
  | "token-failed"
  | "wrong-url"
  | "no-push"
  | "unreachable"
  | "outdated"
  | "disconnected"
  | "discarded"
  | "given-up"
  | "session-closed";

/** An error on the wire (P13.2). */
export interface ErrorInfo {
  code: ErrorCode;
  status: number;
  /** "unable to append; message … is closed". */
  message: string;
  /** For `gap`: the `seq` that the message expects next (P5.3). */
  expectedSeq?: number;
  /** For `gap`: the length of the message's text, in UTF-16 code units (P5.3). */
  length?: number;
  /** For `rate-limited`: when to try again. */
  retryAfterMs?: number;
  /** For `already-decided`: the approval as it stands (P8.2). */
  approval?: Approval;
  /** For `invalid-answer` and `invalid-state`: each place that breaks the schema (P8.2, P9.4). */
  breaches?: { path: string; reason: string }[];
  /** For `already-settled`: the call as it stands (P8.9). */
  call?: ToolCall;
  /** For `led-by-person`: the client that leads (P8.8); for `claimed`: the one that holds. */
  client?: string;
  /** For `over-budget`: the name of the sum, its limit and the sum (P6.12). */
  name?: string;
  limit?: number;
  used?: number;
  /** For `claimed`: the connection that holds the call, if it was not claimed by HTTP (P8.9). */
  connection?: string;
}

/** Every error that the SDK throws, rejects with or shows. Its message gives the remedy. */
export class SessileError extends Error {
  override readonly name = "SessileError";
  readonly code: ErrorCode | LocalCode;
  /** The HTTP status that goes with the code; 0 for the SDK's own. */
  readonly status: number;
  /** The error as the session sent it, where it did. */
  readonly info: ErrorInfo | undefined;

  constructor(code: ErrorCode | LocalCode, message: string, info?: ErrorInfo, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.status = info?.status ?? 0;
    this.info = info;
  }

  /** The error that a session sent. */
  static of(info: ErrorInfo): SessileError {
    return new SessileError(info.code, info.message, info);
  }
}

/** Close codes of a WebSocket (P13.3). */
export const CLOSE = {
  protocolError: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  gone: 4410,
  tooLarge: 4413,
  tooFast: 4429,
} as const;
