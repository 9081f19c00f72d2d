// Chunks in the shapes of `UIMessageChunk` of ai@7 (ai@6 has the same but for some newer types).

/** Two steps: the model thinks, calls a tool, gets its output, then answers with a source. */
export const TWO_STEPS = [
  { type: "start", messageId: "msg_1", messageMetadata: { model: "mock" } },
  { type: "start-step" },
  { type: "reasoning-start", id: "0", providerMetadata: { openai: { itemId: "rs_1" } } },
  { type: "reasoning-delta", id: "0", delta: "The user wants " },
  { type: "reasoning-delta", id: "0", delta: "the weather." },
  { type: "reasoning-end", id: "0", providerMetadata: { openai: { itemId: "rs_1" } } },
  { type: "tool-input-start", toolCallId: "call_1", toolName: "weather", title: "Weather" },
  { type: "tool-input-delta", toolCallId: "call_1", inputTextDelta: '{"city":' },
  { type: "tool-input-delta", toolCallId: "call_1", inputTextDelta: '"Oslo"}' },
  {
    type: "tool-input-available",
    toolCallId: "call_1",
    toolName: "weather",
    input: { city: "Oslo" },
    title: "Weather",
  },
  { type: "tool-output-available", toolCallId: "call_1", output: { at: 0 }, preliminary: true },
  { type: "tool-output-available", toolCallId: "call_1", output: { at: 7 } },
  { type: "finish-step" },
  { type: "start-step" },
  { type: "text-start", id: "0" },
  { type: "text-delta", id: "0", delta: "It is 7° " },
  { type: "text-delta", id: "0", delta: "in Oslo." },
  { type: "text-end", id: "0" },
  { type: "source-url", sourceId: "s1", url: "https://example.com/oslo", title: "Oslo" },
  { type: "source-document", sourceId: "s2", mediaType: "application/pdf", title: "Almanac" },
  { type: "finish-step" },
  { type: "message-metadata", messageMetadata: { tokens: 42 } },
  { type: "finish", finishReason: "stop", messageMetadata: { done: true } },
];

/** Everything else that a UI message stream may hold. */
export const ODDS = [
  { type: "start" },
  { type: "file", url: "https://example.com/a.png", mediaType: "image/png" },
  { type: "reasoning-file", url: "https://example.com/b.png", mediaType: "image/png" },
  { type: "custom", kind: "openai.compaction" },
  { type: "data-weather", id: "w1", data: { state: "loading" } },
  { type: "data-weather", id: "w1", data: { state: "ready" } },
  { type: "data-note", data: "kept" },
  { type: "data-note", data: "another" },
  { type: "data-typing", data: true, transient: true },
  { type: "steering-message", id: "u2", parts: [{ type: "text", text: "shorter" }] },
  { type: "something-new", of: "next year" },
  { type: "text-something", id: "0", of: "next year" },
  { type: "tool-something", toolCallId: "call_9", of: "next year" },
  { type: "finish" },
];

/** Calls that end in every other way. */
export const CALLS = [
  {
    type: "tool-input-available",
    toolCallId: "a",
    toolName: "rm",
    input: { path: "/" },
    dynamic: true,
    providerExecuted: true,
    toolMetadata: { server: "files" },
  },
  { type: "tool-approval-request", approvalId: "ap_1", toolCallId: "a", reason: "dangerous" },
  { type: "tool-approval-response", approvalId: "ap_1", approved: false, reason: "no" },
  { type: "tool-output-denied", toolCallId: "a" },
  {
    type: "tool-input-error",
    toolCallId: "b",
    toolName: "rm",
    input: "{",
    errorText: "not JSON",
  },
  { type: "tool-input-start", toolCallId: "c", toolName: "sh", inputEncoding: "text" },
  { type: "tool-input-delta", toolCallId: "c", inputTextDelta: "ls -l" },
  { type: "tool-input-available", toolCallId: "c", toolName: "sh", input: "ls -l" },
  { type: "tool-output-error", toolCallId: "c", errorText: "no shell" },
];
