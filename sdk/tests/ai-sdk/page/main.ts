// The page that tests of `useChat` open: a chat by the hook of `sessile/ai-sdk/react`, or by the
// parts, shown by a component that knows neither.

import { type UseChatHelpers, useChat } from "@ai-sdk/react";
import {
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
  type UIMessage,
} from "ai";
import { createElement, type ReactNode, StrictMode, useEffect, useMemo } from "react";
import { createRoot } from "react-dom/client";
import { followChat, SessileChatTransport } from "../../../src/ai-sdk/index.ts";
import { useSessileChat } from "../../../src/ai-sdk/react.ts";
import { filesOf } from "../../../src/files/index.ts";
import { Panel } from "./panel.ts";

/** The state that tests look at. */
export interface Shown {
  messages: UIMessage[];
  /** The inputs of the calls that the page was to make. */
  calls: unknown[];
  /** How often the chat said that it had finished. */
  finished: number;
  sendMessage(): void;
}

const {
  url = "",
  session: id = "",
  token = "",
  by,
  tool,
  approvals,
  files,
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const shown: Shown = {
  messages: [],
  calls: [],
  finished: 0,
  sendMessage: () => chat?.sendMessage(),
};
Object.assign(window, { shown });

type Chat = UseChatHelpers<UIMessage>;
let chat: Chat | undefined;

/** An application's options for the calls that are its page's. */
const options = {
  id,
  sendAutomaticallyWhen: approvals
    ? lastAssistantMessageIsCompleteWithApprovalResponses
    : lastAssistantMessageIsCompleteWithToolCalls,
  onToolCall: ({
    toolCall,
  }: {
    toolCall: { toolCallId: string; toolName: string; input: unknown };
  }) => {
    shown.calls.push(toolCall.input);
    const { toolCallId, toolName } = toolCall;
    if (tool) chat?.addToolOutput({ tool: toolName, toolCallId, output: { made: tool } } as never);
  },
  onFinish: () => {
    shown.finished += 1;
  },
};

function Parts(): ReactNode {
  const transport = useMemo(() => new SessileChatTransport({ url, token }), []);
  const held = useChat({ ...options, transport, resume: true });
  const { setMessages, resumeStream } = held;
  useEffect(
    () => followChat(transport, id, { setMessages, resumeStream }),
    [transport, setMessages, resumeStream],
  );
  return show({ ...held, stop: () => transport.cancel(id).then(() => {}) });
}

function Hook(): ReactNode {
  return show(useSessileChat({ ...options, url, token, ...(files && { files: filesOf }) }));
}

function show(held: Chat): ReactNode {
  chat = held;
  // For what the component has no button for, such as an edit.
  Object.assign(window, { chat });
  shown.messages = held.messages;
  return createElement(Panel, held);
}

const root = document.getElementById("root");
if (root) {
  const page = createElement(by === "parts" ? Parts : Hook);
  createRoot(root).render(createElement(StrictMode, undefined, page));
}
