// The words of the protocol (PROTOCOL.md), shared by all entry points.

export type * from "./annotation.ts";
export type * from "./approval.ts";
export type * from "./call.ts";
export type * from "./client-frames.ts";
export * from "./error.ts";
export type * from "./file.ts";
export type * from "./fork.ts";
export type * from "./inbox.ts";
export type * from "./json.ts";
export type * from "./lead.ts";
export * from "./limits.ts";
export type * from "./mark.ts";
export type * from "./message.ts";
export * from "./names.ts";
export type * from "./notice.ts";
export type * from "./presence.ts";
export type * from "./search.ts";
export * from "./server-frames.ts";
export type * from "./state.ts";
export * from "./text.ts";
export * from "./turn.ts";
export type * from "./usage.ts";
export * from "./well-formed.ts";

/** The version of the protocol that this SDK speaks. */
export const PROTOCOL = 1;
