import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aiSdk } from "../../src/agent/codec/ai-sdk.ts";
import { contents, find, run } from "./codec.ts";
import { CALLS, ODDS, TWO_STEPS } from "./streams/ai-sdk.ts";

describe("AI SDK UI message chunks", () => {
  it("become messages of their own names, in order", () => {
    assert.deepEqual(contents(run(aiSdk, TWO_STEPS)), [
      [
        "response",
        {
          state: "finished",
          messageId: "msg_1",
          finishReason: "stop",
          metadata: { model: "mock", tokens: 42, done: true },
        },
      ],
      ["step", { state: "finished" }],
      ["reasoning", "The user wants the weather."],
      ["tool-input", { city: "Oslo" }],
      ["tool-output", { at: 7 }],
      ["step", { state: "finished" }],
      ["message", "It is 7° in Oslo."],
      [
        "source",
        { type: "source-url", sourceId: "s1", url: "https://example.com/oslo", title: "Oslo" },
      ],
      [
        "source",
        {
          type: "source-document",
          sourceId: "s2",
          mediaType: "application/pdf",
          title: "Almanac",
        },
      ],
    ]);
  });

  it("keep apart a part of each step that the provider calls by the same id", () => {
    const text = [
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "one" },
      { type: "text-end", id: "0" },
    ];
    const outcome = run(aiSdk, [...text, ...text]);
    assert.deepEqual(
      outcome.messages.map(({ key, data }) => [key, data]),
      [
        ["text-0", "one"],
        ["text-1", "one"],
      ],
    );
  });

  it("stream the input of a tool as text, and end it with what it stands for", () => {
    const outcome = run(aiSdk, TWO_STEPS.slice(0, 9));
    assert.deepEqual(find(outcome, "tool-input-0"), {
      key: "tool-input-0",
      name: "tool-input",
      data: '{"city":"Oslo"}',
      status: "streaming",
      headers: { toolCallId: "call_1", toolName: "weather", title: "Weather" },
    });
    const after = find(run(aiSdk, TWO_STEPS), "tool-input-0");
    assert.deepEqual([after.data, after.status], [{ city: "Oslo" }, "complete"]);
  });

  it("tie a tool's output to its call", () => {
    const output = find(run(aiSdk, TWO_STEPS), "tool-output-0");
    assert.equal(output.role, "tool");
    assert.equal(output.headers?.toolCallId, "call_1");
    assert.equal(output.headers?.toolName, "weather");
    assert.equal(output.headers?.state, "available");
  });

  it("keep what providers say of a part", () => {
    const reasoning = find(run(aiSdk, TWO_STEPS), "reasoning-0");
    assert.equal(reasoning.headers?.part, "0");
    assert.equal(reasoning.headers?.providerMetadata, '{"openai":{"itemId":"rs_1"}}');
  });

  it("put what is too long for a header beside the message", () => {
    const long = { anthropic: { signature: "x".repeat(2000) } };
    const outcome = run(aiSdk, [
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-end", id: "0", providerMetadata: long },
    ]);
    assert.equal(find(outcome, "reasoning-0").headers?.providerMetadata, undefined);
    const beside = find(outcome, "reasoning-0.providerMetadata");
    assert.deepEqual([beside.data, beside.headers], [long, { of: "reasoning-0" }]);
  });

  it("pass through what is not known, and drop nothing", () => {
    const outcome = run(aiSdk, ODDS);
    assert.deepEqual(
      outcome.messages.map(({ name }) => name),
      [
        "response",
        "file",
        "reasoning-file",
        "custom",
        "data-weather",
        "data-note",
        "data-note",
        "steering-message",
        "something-new",
        "text-something",
        "tool-something",
      ],
    );
    assert.deepEqual(find(outcome, "data-weather:w1").data, ODDS[5]);
    assert.deepEqual(find(outcome, "something-new-0").data, ODDS[10]);
    assert.deepEqual(outcome.signals, [{ name: "data-typing", data: ODDS[8] }]);
  });

  it("say how every call ended", () => {
    const outcome = run(aiSdk, CALLS);
    const headers = { toolCallId: "a", toolName: "rm", dynamic: "true", providerExecuted: "true" };
    const toolMetadata = '{"server":"files"}';
    assert.deepEqual(find(outcome, "tool-input-0").headers, { ...headers, toolMetadata });
    assert.deepEqual(find(outcome, "tool-approval-0"), {
      key: "tool-approval-0",
      name: "tool-approval",
      data: { approvalId: "ap_1", toolCallId: "a", reason: "no", approved: false },
      headers: { approvalId: "ap_1", toolCallId: "a", state: "responded" },
    });
    assert.equal(find(outcome, "tool-output-0").headers?.state, "denied");
    assert.equal(find(outcome, "tool-input-1").data, "{");
    assert.equal(find(outcome, "tool-output-1").data, "not JSON");
    assert.equal(find(outcome, "tool-output-1").headers?.state, "input-error");
    assert.equal(find(outcome, "tool-input-2").data, "ls -l");
    assert.equal(find(outcome, "tool-input-2").headers?.inputEncoding, "text");
    assert.equal(find(outcome, "tool-output-2").headers?.state, "error");
  });

  it("take a step back when it is begun anew", () => {
    const outcome = run(aiSdk, [
      { type: "start-step" },
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "wrong" },
      { type: "tool-input-start", toolCallId: "call_1", toolName: "weather" },
      { type: "reset-step" },
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "right" },
      { type: "text-end", id: "0" },
      { type: "tool-input-available", toolCallId: "call_1", toolName: "weather", input: {} },
      { type: "finish-step" },
    ]);
    assert.deepEqual(contents(outcome), [
      ["step", { state: "finished" }],
      ["message", "right"],
      ["tool-input", {}],
    ]);
  });

  it("lose no text that was not announced", () => {
    const outcome = run(aiSdk, [{ type: "text-delta", id: "7", delta: "out of nowhere" }]);
    assert.deepEqual(contents(outcome), [["message", "out of nowhere"]]);
  });

  it("say what was left out since no frame can hold it", () => {
    const url = `data:image/png;base64,${"A".repeat(300_000)}`;
    const [file] = run(aiSdk, [{ type: "file", url, mediaType: "image/png" }]).messages;
    assert.equal(file?.data, null);
    assert.match(file?.headers?.omitted ?? "", /^300\d\d\d characters$/);
    const small = { type: "file", url: url.slice(0, 200_000), mediaType: "image/png" };
    assert.deepEqual(run(aiSdk, [small]).messages[0]?.data, small);
  });

  it("fail with the stream's error, and are cancelled with its abort", () => {
    const failed = run(aiSdk, [{ type: "start" }, { type: "error", errorText: "overloaded" }]);
    assert.deepEqual(failed.failure, { op: "fail", status: "failed", error: "overloaded" });
    assert.deepEqual(contents(failed)[1], ["error", { message: "overloaded" }]);
    const aborted = run(aiSdk, [{ type: "start" }, { type: "abort", reason: "timeout" }]);
    assert.deepEqual(aborted.failure, { op: "fail", status: "cancelled", error: "timeout" });
    assert.deepEqual(contents(aborted), [["response", { state: "aborted", reason: "timeout" }]]);
  });
});
