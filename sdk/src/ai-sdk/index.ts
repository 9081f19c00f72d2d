// `sessile/ai-sdk`: the AI SDK's `useChat` on a session, and `streamText` in an agent.

export type { Held } from "../answer/answers.ts";
export { AGAIN as REGENERATE, TOOL_APPROVAL, TOOL_OUTPUT } from "../protocol/index.ts";
export type { LeftCall } from "../runs/progress.ts";
export type { RunOptions } from "../runs/runs.ts";
export { type FollowedChat, followChat } from "./follow.ts";
export { toData } from "./output.ts";
export { type StreamedText, type StreamToTurnOptions, streamToTurn } from "./server.ts";
export {
  type ChatFiles,
  SessileChatTransport,
  type SessileChatTransportOptions,
  type ToolDecision,
  type ToolResult,
  type Wake,
} from "./transport.ts";
export { toUIMessages } from "./ui-messages.ts";
