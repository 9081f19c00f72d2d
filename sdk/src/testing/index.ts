// `sessile/testing`: a session layer inside your tests. For Node, and tests alone.

export { TestingError, type TestingErrorCode } from "./errors.ts";
export type { Call, Handler, Receiver } from "./receiver.ts";
export { startSessile } from "./sessile.ts";
export type { TokenClaims } from "./token.ts";
export type { Clock, Sessile, SessileOptions, Var } from "./types.ts";
export { type Shown, until } from "./until.ts";
export type { Wire } from "./wire.ts";
