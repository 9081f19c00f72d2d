import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anthropic } from "../../src/agent/codec/anthropic.ts";
import { contents, feed, find, isCut, run, steps } from "./codec.ts";
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
          state: "finished",
          finishReason: "tool-calls",
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

  it("are cut without `message_stop`, and keep what came", () => {
    for (let most = 0; most < ANSWER.length; most += 1) {
      const outcome = run(anthropic, ANSWER.slice(0, most));
      assert.ok(isCut(outcome), `after ${most}`);
    }
    const begun = ANSWER.slice(0, 18);
    const outcome = run(anthropic, begun);
    const text = find(outcome, "text-0");
    assert.deepEqual([text.data, text.status], ["It is ", "failed"]);
    assert.equal(find(outcome, "reasoning-0").status, "complete");
    assert.equal(run(() => anthropic({ mayEndOpen: true }), begun).failure, undefined);
    assert.ok(isCut(run(anthropic, [...ANSWER, ...begun])), "the next message may be cut as well");
    const call = find(run(anthropic, ANSWER.slice(0, 12)), "tool-input-0");
    assert.deepEqual([call.data, call.status], ['{"query":"os', "failed"]);
  });

  it("say why they ended in the words of all providers", () => {
    const reasons = ["end_turn", "max_tokens", "refusal", "tool_use", "of_next_year"].map(
      (stop_reason) => {
        const end = { type: "message_delta", delta: { stop_reason } };
        const [response] = run(anthropic, [end, STOP]).messages;
        return Object(response?.data).finishReason;
      },
    );
    assert.deepEqual(reasons, ["stop", "length", "content-filter", "tool-calls", "other"]);
  });

  it("may come without their starts, their ends and their indexes", () => {
    const text = (it: string) => ({ delta: { type: "text_delta", text: it } });
    const thought = (it: string) => ({ delta: { type: "thinking_delta", thinking: it } });
    const json = (it: string) => ({ delta: { type: "input_json_delta", partial_json: it } });
    const tool = { type: "tool_use", id: "toolu_1", name: "weather", input: {} };
    const kinds = {
      "no start": [grow(0, thought("Hm.")), grow(1, text("It ")), grow(1, text("is."))],
      "no index": [
        begin(undefined, { type: "thinking", thinking: "" }),
        grow(undefined, thought("Hm.")),
        end(undefined),
        begin(undefined, { type: "text", text: "" }),
        grow(undefined, text("It ")),
        grow(undefined, text("is.")),
        end(undefined),
      ],
      "the index of another block": [
        begin(0, { type: "thinking", thinking: "" }),
        grow(0, thought("Hm.")),
        grow(0, text("It ")),
        grow(0, text("is.")),
      ],
      "one index for all": [
        begin(0, { type: "thinking", thinking: "H" }),
        grow(0, thought("m.")),
        begin(0, { type: "text", text: "It " }),
        grow(0, text("is.")),
        end(0),
      ],
    };
    for (const [kind, events] of Object.entries(kinds)) {
      const outcome = run(anthropic, [...events, STOP]);
      assert.equal(outcome.failure, undefined, kind);
      const said = contents(outcome).filter(([name]) => name !== "response");
      assert.deepEqual(
        said,
        [
          ["reasoning", "Hm."],
          ["message", "It is."],
        ],
        kind,
      );
    }
    const calls = [
      [begin(3, tool), grow(undefined, json('{"a":')), grow(undefined, json("1}")), end(3)],
      [begin(3, tool), grow(3, json('{"a":')), end(3), grow(3, json("1}"))],
      [begin(0, { ...tool, input: { a: 1 } }), end(0)],
      [begin(0, { ...tool, input: '{"a":1}' }), end(0)],
      [begin(0, { ...tool, input: { a: 2 } }), grow(0, json('{"a":1}'))],
    ];
    for (const events of calls) {
      const { data, status } = find(run(anthropic, [...events, STOP]), "tool-input-0");
      assert.deepEqual([data, status], [{ a: 1 }, "complete"]);
    }
  });

  it("end a block when another begins at its index, and go on with one that ended early", () => {
    const text = begin(0, { type: "text", text: "" });
    assert.deepEqual(steps(run(anthropic, [text, text, STOP])).slice(0, 3), [
      "open text-0",
      "close text-0",
      "open text-1",
    ]);
    const json = (partial_json: string) => ({ delta: { type: "input_json_delta", partial_json } });
    const call = (id: string) => ({ type: "tool_use", id, name: "add", input: {} });
    const outcome = run(anthropic, [
      ...[begin(0, call("a")), grow(0, json('{"a":')), end(0)],
      ...[begin(1, call("b")), grow(1, json('{"b":')), end(1)],
      ...[grow(0, json("1}")), grow(1, json("2}")), STOP],
    ]);
    const inputs = [0, 1].map((n) => find(outcome, `tool-input-${n}`).data);
    assert.deepEqual(inputs, [{ a: 1 }, { b: 2 }]);
  });

  it("keep a signature wherever it comes", () => {
    const signature = { delta: { type: "signature_delta", signature: "EqQB" } };
    const thought = { delta: { type: "thinking_delta", thinking: "Hm." } };
    const thinking = { type: "thinking", thinking: "" };
    for (const events of [
      [begin(0, thinking), grow(0, signature), grow(0, thought), end(0)],
      [begin(0, thinking), grow(0, thought), grow(0, signature), end(0)],
      [begin(0, { ...thinking, signature: "EqQB" }), grow(0, thought), end(0)],
    ]) {
      const { data, headers } = find(run(anthropic, [...events, STOP]), "reasoning-0");
      assert.deepEqual([data, headers], ["Hm.", { signature: "EqQB" }]);
    }
  });

  it("never make an input available that the limit has cut", () => {
    const outcome = run(anthropic, [
      begin(0, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }),
      grow(0, { delta: { type: "input_json_delta", partial_json: '{"city":"Os' } }),
      end(0),
      { type: "message_delta", delta: { stop_reason: "max_tokens" } },
      STOP,
    ]);
    const { data, status } = find(outcome, "tool-input-0");
    assert.deepEqual([data, status], ['{"city":"Os', "failed"]);
    assert.equal(outcome.failure, undefined, "what the limit has cut is an answer");
  });

  it("take a call whose id comes again for another call", () => {
    const call = [begin(0, { type: "tool_use", id: "call_0", name: "now", input: {} }), end(0)];
    const result = { type: "mcp_tool_result", tool_use_id: "call_0", content: "late" };
    const next = { type: "message_start", message: { id: "msg_02" } };
    const outcome = run(anthropic, [...call, STOP, next, ...call, begin(1, result), STOP]);
    const calls = outcome.messages.filter(({ name }) => /^tool/.test(name));
    assert.deepEqual(
      calls.map(({ key }) => key),
      ["tool-input-0", "tool-input-1", "tool-output-1"],
    );
  });

  it("may come whole", () => {
    const content = [
      { type: "text", text: "It is 7°." },
      { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } },
    ];
    const message = { type: "message", id: "msg_01", content, stop_reason: "tool_use" };
    for (const events of [[message], [{ type: "message_start", message }, STOP]]) {
      const outcome = run(anthropic, events);
      assert.equal(outcome.failure, undefined);
      assert.deepEqual(contents(outcome).slice(1), [
        ["message", "It is 7°."],
        ["tool-input", { city: "Oslo" }],
      ]);
    }
    const twice = run(anthropic, [{ type: "message_start", message }, ...ANSWER.slice(16)]);
    assert.deepEqual(contents(twice)[1], ["message", "It is 7°."], "or in pieces after all");
    assert.equal(find(twice, "text-0").data, "It is 7°.");
  });

  it("fail with errors of every shape", () => {
    for (const error of [
      { type: "error", error: { type: "overloaded_error", message: "too much" } },
      { type: "error", error: "too much" },
      { type: "error", message: "too much" },
      { error: { message: "too much", code: 529 } },
    ]) {
      const { failure } = run(anthropic, [error as { type: string }]);
      assert.deepEqual(failure, { op: "fail", status: "failed", error: "too much" });
    }
  });

  it("end a block once", () => {
    const { operations } = feed(anthropic, [begin(0, { type: "text", text: "" }), end(0), end(0)]);
    assert.deepEqual(
      operations.map(({ op }) => op),
      ["open", "close"],
    );
  });
});

const STOP = { type: "message_stop" };
const begin = (index: unknown, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const grow = (index: unknown, more: object) => ({ type: "content_block_delta", index, ...more });
const end = (index: unknown) => ({ type: "content_block_stop", index });
