// Lists what was said in an answer: texts, thoughts and calls, as TanStack AI's chat has them and
// as the AI SDK does.

import type { Shown } from "../ai-sdk/reference.ts";
import type { Part } from "./readers.ts";

/** Texts, thoughts and calls in their order. */
export function saidIn(chat: Part[][]): unknown[] {
  return chat
    .flatMap(([, ...parts]) => parts)
    .flatMap(({ type, ...part }): unknown[] => {
      if (type === "text") return isBlank(part.content) ? [] : [part.content];
      if (type === "thinking") return part.content === "" ? [] : [{ thinking: part.content }];
      const { name, state, input, output } = part;
      return type === "tool-call" ? [{ call: name, state, input, output }] : [];
    });
}

/** The same of what the AI SDK makes of the stream. */
export function saidBy({ parts }: Shown): unknown[] {
  return parts.flatMap(({ type, ...part }): unknown[] => {
    if (type === "text") return isBlank(part.text) ? [] : [part.text];
    if (type === "reasoning") return part.text === "" ? [] : [{ thinking: part.text }];
    const name = part.toolName ?? /^tool-(.+)$/.exec(String(type))?.[1];
    return name === undefined ? [] : [{ call: name, ...callBy(part) }];
  });
}

const BROKEN = { error: "the input of this call broke off" };

function callBy({ state, input, output, errorText, preliminary }: Part): Part {
  const made = { input, output: undefined };
  if (state === "input-streaming") return { state: "error", input: undefined, output: BROKEN };
  if (state === "approval-requested") return { state, ...made };
  if (state === "output-error") return { state: "error", input, output: { error: errorText } };
  if (state === "output-denied") return { state: "error", input, output: { error: "denied" } };
  if (state !== "output-available" || preliminary) return { state: "input-complete", ...made };
  return { state: "complete", input, output };
}

function isBlank(text: unknown): boolean {
  return String(text).trim() === "";
}
