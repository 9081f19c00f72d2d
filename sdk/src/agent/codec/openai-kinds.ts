// The kinds of texts and calls in an OpenAI response, and their places.

import { type Json, parsed } from "./operation.ts";

/** The fields of a call other than its input. */
const NO_INPUT = /^(id|type|status|call_id|name|server_label|outputs?|results?|error)$/;
/** The calls that the agent runs, not the provider. */
export const OWN = [
  "function_call",
  "custom_tool_call",
  "computer_call",
  "local_shell_call",
  "shell_call",
  "apply_patch_call",
];
/** The calls whose input is plain text, not JSON. */
export const PLAIN = ["custom_tool_call", "code_interpreter_call"];

/** A kind of text. */
export interface Kind {
  /** The type of its items. */
  item: string;
  name: string;
  /** The field that holds the whole text, and its place in the item. */
  field: string;
  place: "content" | "summary";
}

export const ANSWER: Kind = { item: "message", name: "message", field: "text", place: "content" };
const REFUSAL: Kind = { item: "message", name: "refusal", field: "refusal", place: "content" };
const THOUGHT: Kind = { item: "reasoning", name: "reasoning", field: "text", place: "content" };
export const SUMMARY: Kind = { ...THOUGHT, place: "summary" };

/** The kinds by the type of a part, and by the name in an event's type. */
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

/** The types of the calls whose inputs are streamed, by the name in an event's type. */
export const INPUTS: Record<string, string> = {
  function_call_arguments: "function_call",
  custom_tool_call_input: "custom_tool_call",
  mcp_call_arguments: "mcp_call",
  code_interpreter_call_code: "code_interpreter_call",
};

/** The input of a call in its item, or in the event that ends it. */
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

/** The output of a call that the provider ran, or the item itself if it has no such field. */
export function outputOf(it: Json): unknown {
  return it.output ?? it.outputs ?? it.result ?? it.results ?? it.error ?? it;
}
