import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aiSdk } from "../../src/agent/codec/ai-sdk.ts";
import { contents, feed, find, isCut, run, steps } from "./codec.ts";
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
    const outcome = feed(aiSdk, TWO_STEPS.slice(0, 9));
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

  it("keep the last that is said beside a text, whole, and tell it once", () => {
    const long = { anthropic: { signature: "x".repeat(2000) } };
    const outcome = run(aiSdk, [
      { type: "reasoning-start", id: "0", providerMetadata: { a: { b: 1 } } },
      { type: "reasoning-delta", id: "0", delta: "Hm.", providerMetadata: { a: { b: 2 } } },
      { type: "reasoning-delta", id: "0", delta: "", providerMetadata: long },
      { type: "reasoning-end", id: "0", providerMetadata: null },
      { type: "text-start", id: "0" },
      { type: "text-end", id: "0", citations: [{ url: "https://example.com" }] },
      FINISH,
    ]);
    assert.deepEqual(outcome.operations.slice(0, 3), [
      {
        op: "open",
        key: "reasoning-0",
        name: "reasoning",
        text: "",
        headers: { part: "0", providerMetadata: '{"a":{"b":1}}' },
      },
      { op: "append", key: "reasoning-0", text: "Hm." },
      {
        op: "close",
        key: "reasoning-0",
        status: "complete",
        headers: { part: "0", providerMetadata: JSON.stringify(long) },
      },
    ]);
    const { headers } = find(outcome, "text-0");
    assert.deepEqual(headers, { part: "0", citations: '[{"url":"https://example.com"}]' });
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
    assert.deepEqual(find(outcome, "data-weather-0").data, ODDS[5]);
    assert.deepEqual(find(outcome, "something-new-0").data, ODDS[10]);
    assert.deepEqual(outcome.signals, [{ name: "data-typing", data: ODDS[8] }]);
  });

  it("say how every call ended", () => {
    const outcome = run(aiSdk, CALLS);
    const marks = { dynamic: "true", providerExecuted: "true" };
    const toolMetadata = '{"server":"files"}';
    const headers = { toolCallId: "a", toolName: "rm", ...marks, toolMetadata };
    assert.deepEqual(find(outcome, "tool-input-0").headers, headers);
    assert.deepEqual(find(outcome, "tool-approval-0"), {
      key: "tool-approval-0",
      name: "tool-approval",
      data: {
        approvalId: "ap_1",
        toolCallId: "a",
        requestReason: "dangerous",
        reason: "no",
        approved: false,
      },
      headers: { approvalId: "ap_1", toolCallId: "a", state: "responded" },
    });
    assert.equal(find(outcome, "tool-output-0").headers?.state, "denied");
    assert.equal(find(outcome, "tool-input-1").data, "{");
    assert.equal(find(outcome, "tool-input-1").headers?.state, "error", "it is refused");
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

  it("take back what came before any step, but nothing of earlier ones", () => {
    const data = (id: string, value: unknown) => ({ type: "data-x", id, data: value });
    const call = { type: "tool-input-available", toolCallId: "c", toolName: "look", input: 1 };
    const outcome = run(aiSdk, [
      { type: "start" },
      data("a", "wrong"),
      { type: "text-delta", id: "0", delta: "wrong" },
      { type: "reset-step" },
      data("a", "right"),
      call,
      { type: "start-step" },
      { type: "text-start", id: "0" },
      { type: "tool-output-available", toolCallId: "c", output: 2 },
      data("b", "wrong"),
      { ...call, input: "wrong" },
      { type: "tool-approval-request", toolCallId: "c", approvalId: "ap" },
      { type: "reset-step" },
      { type: "text-delta", id: "0", delta: "not lost" },
      data("b", "right"),
      { type: "tool-approval-request", toolCallId: "c", approvalId: "ap" },
      FINISH,
    ]);
    assert.deepEqual(
      contents(outcome)
        .slice(1)
        .map(([name, said]) => [name, Object(said).data ?? said]),
      [
        ["data-x", "right"],
        ["tool-input", 1],
        ["step", { state: "started" }],
        ["tool-output", 2],
        ["message", "not lost"],
        ["data-x", "right"],
        ["tool-approval", { toolCallId: "c", approvalId: "ap" }],
      ],
    );
  });

  it("end a text when another of its id begins", () => {
    const start = { type: "text-start", id: "0" };
    const outcome = run(aiSdk, [start, start, FINISH]);
    assert.deepEqual(steps(outcome).slice(0, 3), ["open text-0", "close text-0", "open text-1"]);
  });

  it("lose no text that was not announced", () => {
    const outcome = run(aiSdk, [{ type: "text-delta", id: "7", delta: "out of nowhere" }]);
    assert.deepEqual(contents(outcome), [["message", "out of nowhere"]]);
  });

  it("fail with the stream's error, and are cancelled with its abort", () => {
    const failed = run(aiSdk, [{ type: "start" }, { type: "error", errorText: "overloaded" }]);
    assert.deepEqual(failed.failure, { op: "fail", status: "failed", error: "overloaded" });
    assert.deepEqual(contents(failed)[1], ["error", { message: "overloaded" }]);
    const aborted = run(aiSdk, [{ type: "start" }, { type: "abort", reason: "timeout" }]);
    assert.deepEqual(aborted.failure, { op: "fail", status: "cancelled", error: "timeout" });
    assert.deepEqual(contents(aborted), [["response", { state: "aborted", reason: "timeout" }]]);
  });

  it("are cut without `finish`, `abort` or `error`, and keep what came", () => {
    const begun = TWO_STEPS.slice(0, 17);
    const outcome = run(aiSdk, begun);
    assert.ok(isCut(outcome));
    const text = find(outcome, "text-0");
    assert.deepEqual([text.data, text.status], ["It is 7° in Oslo.", "failed"]);
    assert.ok(isCut(run(aiSdk, [])), "nothing at all is cut as well");
    assert.equal(run(aiSdk, TWO_STEPS).failure, undefined);
    const open = run(() => aiSdk({ mayEndOpen: true }), begun);
    assert.equal(open.failure, undefined);
    assert.equal(find(open, "text-0").status, "complete");
    const begunAgain = [...TWO_STEPS, { type: "start-step" }];
    assert.ok(isCut(run(aiSdk, begunAgain)), "another answer is not ended by the first");
    const data = { type: "data-note", data: 1 };
    assert.equal(run(aiSdk, [...TWO_STEPS, data]).failure, undefined, "data may follow");
  });

  it("never make an input available that broke off", () => {
    const outcome = run(aiSdk, [...TWO_STEPS.slice(0, 8), { type: "finish-step" }, FINISH]);
    const input = find(outcome, "tool-input-0");
    assert.deepEqual([input.data, input.status], ['{"city":', "failed"]);
    assert.equal(outcome.failure, undefined, "the stream itself has ended well");
  });

  it("take a call whose id comes again for another call", () => {
    const call = (input: unknown) => [
      { type: "tool-input-start", toolCallId: "call_0", toolName: "look" },
      { type: "tool-input-available", toolCallId: "call_0", toolName: "look", input },
    ];
    const output = (it: unknown) => ({
      type: "tool-output-available",
      toolCallId: "call_0",
      output: it,
    });
    const outcome = run(aiSdk, [
      { type: "start-step" },
      ...call(1),
      output("one"),
      ...call(2),
      output("two"),
      { type: "start-step" },
      ...call(3),
      { type: "start-step" },
      ...call(4),
      output("four"),
      FINISH,
    ]);
    assert.deepEqual(
      outcome.messages.flatMap(({ key, data }) => (/^tool/.test(key) ? [[key, data]] : [])),
      [
        ["tool-input-0", 1],
        ["tool-output-0", "one"],
        ["tool-input-1", 2],
        ["tool-output-1", "two"],
        ["tool-input-2", 3],
        ["tool-input-3", 4],
        ["tool-output-3", "four"],
      ],
    );
  });

  it("say once what is said twice of a call", () => {
    const head = { toolCallId: "c", toolName: "look" };
    const available = { type: "tool-input-available", ...head, input: { a: 1 } };
    const part = { type: "tool-output-available", toolCallId: "c", output: 1, preliminary: true };
    const start = { type: "tool-input-start", ...head };
    const parts = [start, start, available, available, part, part];
    const { operations } = feed(aiSdk, parts);
    assert.deepEqual(
      operations.map(({ op }) => op),
      ["open", "close", "put"],
    );
  });

  it("begin an input anew as another one, and end what it had come to", () => {
    const start = { type: "tool-input-start", toolCallId: "c", toolName: "look" };
    const grow = (inputTextDelta: string) => ({
      type: "tool-input-delta",
      toolCallId: "c",
      inputTextDelta,
    });
    const end = { type: "tool-input-available", toolCallId: "c", toolName: "look", input: 2 };
    const outcome = run(aiSdk, [start, grow("1"), start, grow("2"), end, grow("late"), FINISH]);
    assert.deepEqual(
      outcome.messages.slice(0, 2).map(({ key, data, status }) => [key, data, status]),
      [
        ["tool-input-0", "1", "failed"],
        ["tool-input-1", 2, "complete"],
      ],
    );
    assert.deepEqual(steps(outcome).slice(0, 4), [
      "open tool-input-0",
      "append tool-input-0",
      "close tool-input-0",
      "open tool-input-1",
    ]);
    const dynamic = run(aiSdk, [start, { ...end, dynamic: true }, FINISH]);
    assert.deepEqual(
      steps(dynamic).slice(0, 3),
      ["open tool-input-0", "close tool-input-0", "put tool-input-1"],
      "one that is dynamic is not the one that is not",
    );
  });

  it("keep apart what is said of a call and of its result", () => {
    const [call, result] = [{ p: { call: 1 } }, { p: { result: 2 } }];
    const outcome = run(aiSdk, [
      { type: "tool-input-start", toolCallId: "c", toolName: "look", providerMetadata: { p: {} } },
      {
        type: "tool-input-available",
        toolCallId: "c",
        toolName: "look",
        input: null,
        providerMetadata: call,
      },
      {
        type: "tool-output-available",
        toolCallId: "c",
        output: 1,
        preliminary: true,
        providerMetadata: result,
        providerExecuted: true,
      },
      { type: "tool-output-available", toolCallId: "c", output: 2 },
      FINISH,
    ]);
    const head = { toolCallId: "c", toolName: "look" };
    assert.deepEqual(find(outcome, "tool-input-0").headers, {
      ...head,
      providerMetadata: JSON.stringify(call),
    });
    assert.deepEqual(find(outcome, "tool-output-0").headers, {
      ...head,
      providerExecuted: "true",
      providerMetadata: JSON.stringify(result),
      state: "available",
    });
  });

  it("merge metadata as the AI SDK does", () => {
    const outcome = run(aiSdk, [
      { type: "start", messageMetadata: { usage: { in: 1 }, tags: ["a"] } },
      { type: "message-metadata", messageMetadata: { usage: { out: 2 }, tags: ["b"] } },
      { type: "start" },
      FINISH,
    ]);
    assert.deepEqual(contents(outcome), [
      [
        "response",
        {
          state: "finished",
          metadata: { usage: { in: 1, out: 2 }, tags: ["b"] },
          finishReason: "stop",
        },
      ],
    ]);
  });

  it("stand values that no JSON has", () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    const call = { type: "tool-input-available", toolCallId: "c", toolName: "look", input: loop };
    const outcome = run(aiSdk, [
      { type: "text-start", id: "0", providerMetadata: { a: { n: 1n } } },
      call,
      { type: "tool-output-available", toolCallId: "c", output: 1n },
      { type: "data-big", id: "x", data: 1n },
      FINISH,
    ]);
    assert.equal(outcome.messages.length, 5);
  });
});

const FINISH = { type: "finish", finishReason: "stop" };
