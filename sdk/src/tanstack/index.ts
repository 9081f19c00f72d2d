// `sessile/tanstack`: TanStack AI's `useChat` on a session, and its runs stored in one.

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
export type { ChatMessage } from "./fold.ts";
export { TOOL_APPROVAL, TOOL_OUTPUT } from "./reading.ts";
export { STORED } from "./stored.ts";
export { toChat } from "./transcript.ts";
