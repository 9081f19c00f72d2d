// Events in the shapes of `RawMessageStreamEvent`, `anthropic.messages.create({ stream: true })`.

const start = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, delta: object) => ({ type: "content_block_delta", index, delta });
const stop = (index: number) => ({ type: "content_block_stop", index });

const MESSAGE = {
  id: "msg_01",
  type: "message",
  role: "assistant",
  model: "claude",
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 25, output_tokens: 1 },
};

/** Thinks, searches, answers with a citation, and calls two tools of the agent's. */
export const ANSWER = [
  { type: "message_start", message: MESSAGE },
  { type: "ping" },
  start(0, { type: "thinking", thinking: "", signature: "" }),
  delta(0, { type: "thinking_delta", thinking: "Oslo, " }),
  delta(0, { type: "thinking_delta", thinking: "then." }),
  delta(0, { type: "signature_delta", signature: "EqQB" }),
  stop(0),
  start(1, { type: "redacted_thinking", data: "EmwK" }),
  stop(1),
  start(2, { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }),
  delta(2, { type: "input_json_delta", partial_json: "" }),
  delta(2, { type: "input_json_delta", partial_json: '{"query":"os' }),
  delta(2, { type: "input_json_delta", partial_json: 'lo"}' }),
  stop(2),
  start(3, {
    type: "web_search_tool_result",
    tool_use_id: "srv_1",
    content: [{ type: "web_search_result", url: "https://example.com", title: "Oslo" }],
  }),
  stop(3),
  start(4, { type: "text", text: "", citations: null }),
  delta(4, { type: "text_delta", text: "It is " }),
  delta(4, { type: "text_delta", text: "7°." }),
  delta(4, {
    type: "citations_delta",
    citation: { type: "web_search_result_location", url: "https://example.com", title: "Oslo" },
  }),
  stop(4),
  start(5, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }),
  delta(5, { type: "input_json_delta", partial_json: '{"city":"Oslo"}' }),
  stop(5),
  start(6, { type: "tool_use", id: "toolu_2", name: "now", input: {} }),
  delta(6, { type: "input_json_delta", partial_json: "" }),
  stop(6),
  {
    type: "message_delta",
    delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { output_tokens: 89 },
  },
  { type: "message_stop" },
];

export const ODDS = [
  { type: "message_start", message: MESSAGE },
  start(0, {
    type: "web_fetch_tool_result",
    tool_use_id: "srv_2",
    content: { type: "web_fetch_tool_result_error", error_code: "url_not_accessible" },
  }),
  start(1, { type: "of_next_year", value: 1 }),
  delta(1, { type: "of_next_year_delta", value: 2 }),
  stop(1),
  { type: "message_of_next_year" },
  { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
];
