// `sessile`: a session in the browser, or anywhere that has WebSocket and fetch.

export { indexedDbOutbox, type Outbox, type StoredMessage } from "./client/outbox.ts";
export type { Presence } from "./client/presence.ts";
export type { Delivery, Sent, ShownMessage } from "./client/sending.ts";
export {
  createSession,
  fetchSnapshot,
  type SendOptions,
  type Session,
  type SessionEvents,
  type SessionOptions,
  type SessionSnapshot,
} from "./client/session.ts";
export type { Branches } from "./client/tree.ts";
export type {
  ConnectionOptions,
  ConnectionState,
  ConnectionStatus,
  Link,
  Reason,
  Token,
} from "./connection/types.ts";
export * from "./protocol/index.ts";
