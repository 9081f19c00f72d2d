// The kinds of texts and calls that an OpenAI response has, and where they are found.

import { type Json, parsed } from "./operation.ts";

/** Fields of a call that are not its input. */
const NO_INPUT = /^(id|type|status|call_id|name|server_label|outputs?|results?|error)$/;
/** Calls that the agent answers, not the provider. */
export const OWN = [
  "function_call",
  "custom_tool_call",
  "computer_call",
  "local_shell_call",
  "shell_call",
  "apply_patch_call",
];
/** Calls whose input is text by itself, not JSON. */
export const PLAIN = ["custom_tool_call", "code_interpreter_call"];

/** A kind of text. */
export interface Kind {
  /** The type of its items. */
  item: string;
  name: string;
  /** The field of the whole, and where in its item it is. */
  field: string;
  place: "content" | "summary";
}

export const ANSWER: Kind = { item: "message", name: "message", field: "text", place: "content" };
const REFUSAL: Kind = { item: "message", name: "refusal", field: "refusal", place: "content" };
const THOUGHT: Kind = { item: "reasoning", name: "reasoning", field: "text", place: "content" };
export const SUMMARY: Kind = { ...THOUGHT, place: "summary" };

/** By the type of a part, and by what an event is of. */
export const TEXTS: Record<string, Kind> = {
  output_text: ANSWER,
  text: ANSWER,
  refusal: REFUSAL,
  reasoning_text: THOUGHT,
  reasoning: THOUGHT,
  summary_text: SUMMARY,
  reasoning_summary_text: SUMMARY,
  reasoning_summary: SUMMARY,
};

/** Inputs that come piece by piece, by the type of the call. */
export const INPUTS: Record<string, string> = {
  function_call_arguments: "function_call",
  custom_tool_call_input: "custom_tool_call",
  mcp_call_arguments: "mcp_call",
  code_interpreter_call_code: "code_interpreter_call",
};

/** The input of a call as its item, or the event that ends it, has it. */
export function inputOf(it: Json, type: string): unknown {
  const whole = it.arguments ?? it.input ?? it.code;
  if (whole === undefined || whole === null) {
    if (Object.values(INPUTS).includes(type)) return undefined;
    return Object.fromEntries(Object.entries(it).filter(([name]) => !NO_INPUT.test(name)));
  }
  return typeof whole === "string" && !PLAIN.includes(type) ? parsed(whole) : whole;
}

export function keyOf({ name }: Kind): string {
  return name === "message" ? "text" : name;
}

/** The output of a call that the provider ran; the item itself where it has no word for it. */
export function outputOf(it: Json): unknown {
  return it.output ?? it.outputs ?? it.result ?? it.results ?? it.error ?? it;
}
