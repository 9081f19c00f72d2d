// `sessile/ai-sdk`: the AI SDK's `useChat` on a session, and `streamText` in an agent.

export { Chunks } from "./chunks.ts";
export { streamToTurn } from "./server.ts";
export {
  type FollowedChat,
  REGENERATE,
  SessileChatTransport,
  type SessileChatTransportOptions,
  TOOL_OUTPUT,
} from "./transport.ts";
export { type Held, toData, toUIMessages } from "./ui-messages.ts";
