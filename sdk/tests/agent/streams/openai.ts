// Events in the shapes of `ResponseStreamEvent`, `openai.responses.create({ stream: true })`.

let sequence = 0;

function event(type: string, more: object) {
  return { type, sequence_number: sequence++, ...more };
}

const response = (status: string, more: object = {}) => ({
  id: "resp_1",
  object: "response",
  model: "gpt-5",
  status,
  instructions: "You are a secret agent.",
  tools: [{ type: "function", name: "weather" }],
  output: [],
  ...more,
});

const message = { item_id: "msg_1", output_index: 2, content_index: 0 };
const call = { item_id: "fc_1", output_index: 1 };
const thought = { item_id: "rs_1", output_index: 0, summary_index: 0 };
const part = (text: string) => ({ type: "output_text", text, annotations: [] });
const functionCall = (args: string) => ({
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  name: "weather",
  arguments: args,
});

/** Thinks, calls a function, and answers with a citation. */
export const ANSWER = [
  event("response.created", { response: response("in_progress") }),
  event("response.in_progress", { response: response("in_progress") }),
  event("response.output_item.added", {
    output_index: 0,
    item: { id: "rs_1", type: "reasoning", summary: [] },
  }),
  event("response.reasoning_summary_part.added", {
    ...thought,
    part: { type: "summary_text", text: "" },
  }),
  event("response.reasoning_summary_text.delta", { ...thought, delta: "Oslo, " }),
  event("response.reasoning_summary_text.delta", { ...thought, delta: "then." }),
  event("response.reasoning_summary_text.done", { ...thought, text: "Oslo, then." }),
  event("response.reasoning_summary_part.done", {
    ...thought,
    part: { type: "summary_text", text: "Oslo, then." },
  }),
  event("response.output_item.done", {
    output_index: 0,
    item: { id: "rs_1", type: "reasoning", summary: [], encrypted_content: "gAAAA" },
  }),
  event("response.output_item.added", { output_index: 1, item: functionCall("") }),
  event("response.function_call_arguments.delta", { ...call, delta: '{"city"' }),
  event("response.function_call_arguments.delta", { ...call, delta: ':"Oslo"}' }),
  event("response.function_call_arguments.done", { ...call, arguments: '{"city":"Oslo"}' }),
  event("response.output_item.done", { output_index: 1, item: functionCall('{"city":"Oslo"}') }),
  event("response.output_item.added", {
    output_index: 2,
    item: { id: "msg_1", type: "message", role: "assistant", content: [] },
  }),
  event("response.content_part.added", { ...message, part: part("") }),
  event("response.output_text.delta", { ...message, delta: "It is ", logprobs: [] }),
  event("response.output_text.delta", { ...message, delta: "7°.", logprobs: [] }),
  event("response.output_text.annotation.added", {
    ...message,
    annotation_index: 0,
    annotation: { type: "url_citation", url: "https://example.com", title: "Oslo" },
  }),
  event("response.output_text.done", { ...message, text: "It is 7°.", logprobs: [] }),
  event("response.content_part.done", { ...message, part: part("It is 7°.") }),
  event("response.output_item.done", {
    output_index: 2,
    item: { id: "msg_1", type: "message", role: "assistant", content: [part("It is 7°.")] },
  }),
  event("response.completed", {
    response: response("completed", { usage: { input_tokens: 9, output_tokens: 21 } }),
  }),
];

const search = (status: string, more: object = {}) => ({
  id: "ws_1",
  type: "web_search_call",
  status,
  ...more,
});
const code = { item_id: "ci_1", output_index: 1 };
const mcp = { item_id: "mcp_1", output_index: 2 };
const mcpCall = { id: "mcp_1", type: "mcp_call", name: "read", server_label: "files" };

/** Tools that the provider runs, and items that are neither text nor call. */
export const HOSTED = [
  event("response.created", { response: response("queued") }),
  event("response.output_item.added", { output_index: 0, item: search("in_progress") }),
  event("response.web_search_call.searching", { item_id: "ws_1", output_index: 0 }),
  event("response.output_item.done", {
    output_index: 0,
    item: search("completed", { action: { type: "search", query: "oslo" } }),
  }),
  event("response.output_item.added", {
    output_index: 1,
    item: { id: "ci_1", type: "code_interpreter_call", status: "in_progress", code: "" },
  }),
  event("response.code_interpreter_call_code.delta", { ...code, delta: "print(1)" }),
  event("response.code_interpreter_call_code.done", { ...code, code: "print(1)" }),
  event("response.output_item.done", {
    output_index: 1,
    item: {
      id: "ci_1",
      type: "code_interpreter_call",
      status: "completed",
      code: "print(1)",
      outputs: [{ type: "logs", logs: "1" }],
    },
  }),
  event("response.output_item.added", { output_index: 2, item: { ...mcpCall, arguments: "" } }),
  event("response.mcp_call_arguments.delta", { ...mcp, delta: "{}" }),
  event("response.mcp_call_arguments.done", { ...mcp, arguments: "{}" }),
  event("response.output_item.done", {
    output_index: 2,
    item: { ...mcpCall, arguments: "{}", output: null, error: "no such file" },
  }),
  event("response.output_item.added", {
    output_index: 3,
    item: { id: "ct_1", type: "custom_tool_call", call_id: "call_2", name: "sql", input: "" },
  }),
  event("response.custom_tool_call_input.delta", { item_id: "ct_1", delta: "SELECT" }),
  event("response.custom_tool_call_input.done", { item_id: "ct_1", input: "SELECT 1" }),
  event("response.output_item.added", {
    output_index: 4,
    item: { id: "mcpr_1", type: "mcp_approval_request", name: "read", arguments: "{}" },
  }),
  event("response.output_item.done", {
    output_index: 4,
    item: { id: "mcpr_1", type: "mcp_approval_request", name: "read", arguments: "{}" },
  }),
  event("response.refusal.delta", { item_id: "msg_2", content_index: 0, delta: "I will not" }),
  event("response.refusal.done", { item_id: "msg_2", content_index: 0, refusal: "I will not" }),
  event("response.audio.delta", { delta: "UklGRg==" }),
  event("response.of.next_year", { item_id: "x" }),
  event("response.incomplete", {
    response: response("incomplete", { incomplete_details: { reason: "max_output_tokens" } }),
  }),
];

export const FAILED = [
  event("response.created", { response: response("in_progress") }),
  event("response.failed", {
    response: response("failed", { error: { code: "server_error", message: "it broke" } }),
  }),
];
