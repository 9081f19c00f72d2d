import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anthropic } from "../../src/agent/codec/anthropic.ts";
import { contents, find, run } from "./codec.ts";
import { ANSWER, ODDS } from "./streams/anthropic.ts";

describe("Anthropic Messages events", () => {
  it("become messages of their own names, in order", () => {
    const outcome = run(anthropic, ANSWER);
    const result = [{ type: "web_search_result", url: "https://example.com", title: "Oslo" }];
    const citation = { type: "web_search_result_location", url: "https://example.com" };
    assert.deepEqual(contents(outcome), [
      [
        "response",
        {
          id: "msg_01",
          model: "claude",
          usage: { input_tokens: 25, output_tokens: 89 },
          stop_reason: "tool_use",
          stop_sequence: null,
        },
      ],
      ["reasoning", "Oslo, then."],
      ["redacted_thinking", { type: "redacted_thinking", data: "EmwK" }],
      ["tool-input", { query: "oslo" }],
      ["tool-output", result],
      ["message", "It is 7°."],
      ["source", { ...citation, title: "Oslo" }],
      ["tool-input", { city: "Oslo" }],
      ["tool-input", {}],
    ]);
    assert.ok(outcome.messages.every(({ status }) => status !== "streaming"));
  });

  it("keep what the next request needs", () => {
    const outcome = run(anthropic, ANSWER);
    assert.deepEqual(find(outcome, "reasoning-0").headers, { signature: "EqQB" });
    assert.deepEqual(find(outcome, "tool-input-1").headers, {
      toolCallId: "toolu_1",
      toolName: "weather",
    });
    const { headers, role } = find(outcome, "tool-output-0");
    assert.deepEqual([headers?.toolCallId, headers?.providerExecuted], ["srv_1", "true"]);
    assert.equal(role, "tool");
  });

  it("begin again with the next message", () => {
    const outcome = run(anthropic, [...ANSWER, ...ANSWER.slice(0, 1), ...ANSWER.slice(16, 21)]);
    const keys = outcome.messages.map(({ key }) => key);
    assert.deepEqual(keys.slice(9), ["response-1", "text-1", "source-1"]);
  });

  it("pass through what is not known, and fail with the stream's error", () => {
    const outcome = run(anthropic, ODDS);
    assert.deepEqual(contents(outcome).slice(1), [
      ["tool-output", { type: "web_fetch_tool_result_error", error_code: "url_not_accessible" }],
      ["of_next_year", { type: "of_next_year", value: 1 }],
      [
        "of_next_year_delta",
        { type: "content_block_delta", index: 1, delta: { type: "of_next_year_delta", value: 2 } },
      ],
      ["message_of_next_year", { type: "message_of_next_year" }],
      ["error", { message: "Overloaded" }],
    ]);
    assert.equal(find(outcome, "tool-output-0").headers?.state, "error");
    assert.deepEqual(outcome.failure, { op: "fail", status: "failed", error: "Overloaded" });
  });
});
