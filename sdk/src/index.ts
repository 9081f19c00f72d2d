// `sessile`: the client of a session.

export { Connection } from "./connection/connection.ts";
export type * from "./connection/types.ts";
export * from "./protocol/index.ts";
