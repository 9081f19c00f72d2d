// A chat's component as a library has it: it knows `useChat`, and nothing of sessions.

import type { UseChatHelpers } from "@ai-sdk/react";
import type { UIMessage } from "ai";
import { createElement, type FormEvent, type ReactNode } from "react";

type Props = Pick<
  UseChatHelpers<UIMessage>,
  | "messages"
  | "sendMessage"
  | "regenerate"
  | "stop"
  | "status"
  | "error"
  | "addToolApprovalResponse"
>;

export function Panel(props: Props): ReactNode {
  const { messages, sendMessage, regenerate, stop, status, error } = props;
  const isBusy = status === "submitted" || status === "streaming";
  const button = (id: string, onClick: () => unknown) =>
    createElement("button", { type: "button", id, onClick }, id);
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem("text") as HTMLInputElement;
    sendMessage({ text: field.value });
    field.value = "";
  };
  const approve = () => {
    const parts = messages.flatMap((message) => message.parts) as { approval?: { id: string } }[];
    const id = parts.findLast(({ approval }) => approval)?.approval?.id ?? "";
    return props.addToolApprovalResponse({ id, approved: true });
  };
  return createElement(
    "section",
    undefined,
    createElement("ol", { id: "messages" }, ...messages.map(item)),
    createElement("output", { id: "status" }, status),
    error && createElement("p", { role: "alert" }, `${error.name}: ${error.message}`),
    createElement("form", { onSubmit: send }, createElement("input", { name: "text" })),
    isBusy && button("stop", () => stop()),
    button("regenerate", () => regenerate()),
    button("approve", approve),
  );
}

function item({ id, role, parts }: UIMessage): ReactNode {
  const texts = parts.map((part) => (part.type === "text" ? part.text : `[${part.type}]`));
  return createElement("li", { key: id, "data-role": role }, texts.join(""));
}
