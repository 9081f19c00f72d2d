// `sessile/tanstack`: TanStack AI's `useChat` on a session, and its runs stored in one.

export { RunChunks } from "./chunks.ts";
export {
  REGENERATE,
  type SessileConnection,
  type SessileConnectionOptions,
  sessileConnection,
} from "./connection.ts";
export {
  type RunRequest,
  type SessionDurability,
  type SessionDurabilityOptions,
  sessionDurability,
} from "./durability.ts";
export { STORED } from "./stored.ts";
export { chatOf, nodesOf, TOOL_OUTPUT } from "./transcript.ts";
