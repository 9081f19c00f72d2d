// `sessile/agent`: for agents. It runs wherever there is `fetch`; no browser needed.

export { readEvents, type SseEvent } from "../connection/event-stream.ts";
export type { Token } from "../connection/types.ts";
export type { Member, Message, Page, Turn, Usage } from "../protocol/index.ts";
export { SessileError } from "../protocol/index.ts";
export {
  type ApproveOptions,
  type AskOptions,
  CallError,
  type CallOptions,
  type Settled,
} from "./asking.ts";
export type { Audience, WatchedOptions } from "./audience.ts";
export { type AgUiEvent, type AgUiOptions, agUi } from "./codec/ag-ui.ts";
export { type AiSdkChunk, type AiSdkOptions, aiSdk } from "./codec/ai-sdk.ts";
export { type AnthropicEvent, anthropic } from "./codec/anthropic.ts";
export { type OpenAiEvent, openAi } from "./codec/openai.ts";
export type { Codec, CodecOptions, Ending, Headers, Operation } from "./codec/operation.ts";
export { type TextOptions, text } from "./codec/text.ts";
export type { StateOptions } from "./codec/tree.ts";
export { usageFrom } from "./codec/usage.ts";
export { type Conversation, type ConversationOptions, conversation } from "./conversation.ts";
export { overFetch } from "./over-fetch.ts";
export { overSocket } from "./over-socket.ts";
export { readMembers, readMessage, readMessages, readTurns } from "./read.ts";
export {
  type AgentOptions,
  type AgentSession,
  createAgentSession,
  type LinkTo,
  type StartOptions,
  TakenError,
} from "./session.ts";
export type { MessageOptions, MessageWriter, Source, StreamResult } from "./speech.ts";
export type { AgentTurn, EndOptions } from "./turn.ts";
