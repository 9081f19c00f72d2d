// `sessile`: the client of a session.

export type * from "./connection/types.ts";
export * from "./protocol/index.ts";
