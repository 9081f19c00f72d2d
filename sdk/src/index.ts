// `sessile`: a session in the browser, or anywhere that has WebSocket and fetch.

export {
  type IndexedDbOptions,
  indexedDbOutbox,
  type Outbox,
  type StoredMessage,
} from "./client/outbox.ts";
export type { Presence } from "./client/presence.ts";
export type { Delivery, Sent, ShownMessage } from "./client/sending.ts";
export { createSession, fetchSnapshot, type Session } from "./client/session.ts";
export type { Branches } from "./client/tree.ts";
export type {
  SendOptions,
  SessionEvents,
  SessionOptions,
  SessionSnapshot,
} from "./client/types.ts";
export type {
  ConnectionOptions,
  ConnectionState,
  ConnectionStatus,
  Link,
  Reason,
  Token,
} from "./connection/types.ts";
export * from "./protocol/index.ts";
