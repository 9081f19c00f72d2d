// `sessile/tanstack`: TanStack AI's `useChat` on a session.

export { AGAIN as REGENERATE, TOOL_APPROVAL, TOOL_OUTPUT } from "../protocol/index.ts";
export type { LeftCall } from "../runs/progress.ts";
export type { RunOptions } from "../runs/runs.ts";
export {
  type SessileConnection,
  type SessileConnectionOptions,
  sessileConnection,
} from "./connection.ts";
export type { ChatMessage } from "./fold.ts";
export { type ChatToTurnOptions, chatToTurn } from "./server.ts";
export { toChat } from "./transcript.ts";
