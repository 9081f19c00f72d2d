import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openAi } from "../../src/agent/codec/openai.ts";
import { contents, find, run } from "./codec.ts";
import { ANSWER, FAILED, HOSTED } from "./streams/openai.ts";

describe("OpenAI Responses events", () => {
  it("become messages of their own names, in order", () => {
    const outcome = run(openAi, ANSWER);
    assert.deepEqual(contents(outcome), [
      [
        "response",
        {
          id: "resp_1",
          model: "gpt-5",
          status: "completed",
          usage: { input_tokens: 9, output_tokens: 21 },
        },
      ],
      ["reasoning", "Oslo, then."],
      ["tool-input", { city: "Oslo" }],
      ["message", "It is 7°."],
      ["source", { type: "url_citation", url: "https://example.com", title: "Oslo" }],
    ]);
    assert.ok(outcome.messages.every(({ status }) => status !== "streaming"));
    assert.deepEqual(find(outcome, "tool-input-0").headers, {
      toolCallId: "call_1",
      toolName: "weather",
      part: "fc_1",
    });
    assert.deepEqual(find(outcome, "source-0").headers, { of: "text-0" });
  });

  it("tell readers nothing of the agent's instructions and tools", () => {
    assert.doesNotMatch(JSON.stringify(run(openAi, ANSWER)), /secret|gAAAA/);
  });

  it("grow text and arguments piece by piece", () => {
    const appended = run(openAi, ANSWER).operations.flatMap((operation) =>
      operation.op === "append" ? [operation.text] : [],
    );
    assert.deepEqual(appended, ["Oslo, ", "then.", '{"city"', ':"Oslo"}', "It is ", "7°."]);
  });

  it("are taken once, however often a response is read again", () => {
    const twice = [...ANSWER.slice(0, 17), ...ANSWER.slice(5)];
    assert.deepEqual(run(openAi, twice), run(openAi, ANSWER));
  });

  it("keep the calls that the provider runs, what came of them, and what nobody knows", () => {
    const outcome = run(openAi, HOSTED);
    assert.deepEqual(
      outcome.messages.map(({ key, name }) => [key, name]),
      [
        ["response-0", "response"],
        ["tool-input-0", "tool-input"],
        ["response.web_search_call.searching-0", "response.web_search_call.searching"],
        ["tool-output-0", "tool-output"],
        ["tool-input-1", "tool-input"],
        ["tool-output-1", "tool-output"],
        ["tool-input-2", "tool-input"],
        ["tool-output-2", "tool-output"],
        ["tool-input-3", "tool-input"],
        ["mcp_approval_request-0", "mcp_approval_request"],
        ["refusal-0", "refusal"],
        ["response.audio.delta-0", "response.audio.delta"],
        ["response.of.next_year-0", "response.of.next_year"],
      ],
    );
    assert.equal(find(outcome, "tool-input-0").headers?.providerExecuted, "true");
    assert.equal(find(outcome, "tool-input-1").data, "print(1)");
    assert.equal(find(outcome, "tool-output-2").data, "no such file");
    assert.equal(find(outcome, "tool-output-2").headers?.state, "error");
    assert.equal(find(outcome, "tool-input-3").data, "SELECT 1");
    assert.equal(find(outcome, "tool-input-3").headers?.providerExecuted, undefined);
    assert.equal(find(outcome, "refusal-0").data, "I will not");
    assert.equal(outcome.failure, undefined, "an incomplete answer is an answer");
  });

  it("fail with the response, or with the stream", () => {
    const error = "it broke";
    assert.deepEqual(run(openAi, FAILED).failure, { op: "fail", status: "failed", error });
    const event = { type: "error", code: "overloaded", message: "too much", sequence_number: 0 };
    assert.equal(run(openAi, [event]).failure?.error, "too much");
  });
});
