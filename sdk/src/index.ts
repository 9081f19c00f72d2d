// `sessile`: a session in the browser, or anywhere that has WebSocket and fetch. A bundler leaves
// out the features that a page does not import.

export {
  type AnnotateOptions,
  type AnnotationsFeature,
  annotationsOf,
} from "./client/annotations.ts";
export {
  type ApprovalPage,
  type Approvals,
  type ApprovalsFeature,
  approvalsOf,
  type DecideOptions,
  type ShownApproval,
} from "./client/approvals.ts";
export { type BranchesFeature, branchesOf } from "./client/branches.ts";
export {
  type CallPage,
  type CallsFeature,
  callsOf,
  type Tool,
  type ToolContext,
} from "./client/calls.ts";
export { type Begin, type Engine, type Feature, readList } from "./client/feature.ts";
export { type ForkFeature, forkOf } from "./client/fork.ts";
export { type HistoryFeature, historyOf } from "./client/history.ts";
export { type LeadFeature, leadOf } from "./client/lead.ts";
export { type Marks, type MarksFeature, marksOf } from "./client/marks.ts";
export {
  type IndexedDbOptions,
  indexedDbOutbox,
  type Outbox,
  type StoredMessage,
} from "./client/outbox.ts";
export { type Presence, type PresenceFeature, presenceOf } from "./client/presence.ts";
export { type SearchFeature, searchOf } from "./client/search.ts";
export type { Delivery, Sent, ShownMessage } from "./client/sending.ts";
export { createSession, fetchSnapshot, type Session } from "./client/session.ts";
export { type SilenceFeature, silenceOf } from "./client/silence.ts";
export { type At, type StateBatch, type StateFeature, sharedState } from "./client/state.ts";
export type { StatePath } from "./client/state-tree.ts";
export type {
  SendOptions,
  SessionEvents,
  SessionOptions,
  SessionSnapshot,
} from "./client/types.ts";
export { type SessionUsage, type UsageFeature, usageOf, usageOfTree } from "./client/usage.ts";
export type { ListOptions } from "./client/waiting.ts";
export type {
  ConnectionOptions,
  ConnectionState,
  ConnectionStatus,
  Link,
  Reason,
  Token,
} from "./connection/types.ts";
export type { Branches } from "./log/tree.ts";
export * from "./protocol/index.ts";
