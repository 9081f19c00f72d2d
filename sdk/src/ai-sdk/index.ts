// `sessile/ai-sdk`: the AI SDK's `useChat` on a session, and `streamText` in an agent.

export type { Held } from "./answer.ts";
export { type FollowedChat, followChat } from "./follow.ts";
export { toData } from "./output.ts";
export { streamToTurn } from "./server.ts";
export {
  REGENERATE,
  SessileChatTransport,
  type SessileChatTransportOptions,
  TOOL_OUTPUT,
  type Wake,
} from "./transport.ts";
export { toUIMessages } from "./ui-messages.ts";
