import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openAi } from "../../src/agent/codec/openai.ts";
import { contents, find, isCut, type Outcome, run } from "./codec.ts";
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
          state: "finished",
          finishReason: "tool-calls",
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
    assert.equal(find(outcome, "source-0").of, "text-0");
  });

  it("tell readers nothing of the agent's instructions and tools", () => {
    assert.doesNotMatch(JSON.stringify(run(openAi, ANSWER)), /secret|gAAAA/);
  });

  it("grow text and arguments piece by piece", () => {
    const grown = run(openAi, ANSWER).operations.flatMap((operation) =>
      "text" in operation && operation.text !== "" ? [operation.text] : [],
    );
    assert.deepEqual(grown, ["Oslo, ", "then.", '{"city"', ':"Oslo"}', "It is ", "7°."]);
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

  it("are cut without the end of the response, and keep what came", () => {
    for (let most = 0; most < ANSWER.length; most += 1) {
      assert.ok(isCut(run(openAi, ANSWER.slice(0, most))), `after ${most}`);
    }
    const begun = ANSWER.slice(0, 17);
    const text = find(run(openAi, begun), "text-0");
    assert.deepEqual([text.data, text.status], ["It is ", "failed"]);
    const open = run(() => openAi({ mayEndOpen: true }), begun);
    assert.equal(open.failure, undefined);
    assert.equal(find(open, "text-0").status, "complete");
    const other = { type: "response.created", response: { id: "resp_2" }, sequence_number: 0 };
    assert.ok(isCut(run(openAi, [...ANSWER, other])), "another response may be cut as well");
  });

  it("are numbered, if at all, by numbers that rise", () => {
    const number: Record<string, (at: number, all: number) => unknown> = {
      counted: (at) => at,
      "from 1": (at) => at + 1,
      "all 0": () => 0,
      "all -1": () => -1,
      none: () => undefined,
      "0 in the last": (at, all) => (at === all - 1 ? 0 : at),
      "each twice": (at) => at >> 1,
      "counted anew in each item": (at) => at % 3,
      text: (at) => `${at}`,
    };
    for (const [kind, of] of Object.entries(number)) {
      const events = LAUGH.map((event, at, { length }) => ({
        ...event,
        sequence_number: of(at, length),
      }));
      const outcome = run(openAi, events);
      assert.deepEqual(said(outcome), [["message", "ha ha "]], kind);
      assert.equal(outcome.failure?.error, "the gateway gave up", kind);
      const only = events.slice(1, 3);
      assert.deepEqual(said(run(openAi, only)), [["message", "ha ha "]], `only deltas, ${kind}`);
    }
    const events = LAUGH.map((event, at) => ({ ...event, sequence_number: at, obfuscation: at }));
    const again = events.map((event) => ({ ...event, obfuscation: "other" }));
    const twice = [...events.slice(0, 4), ...again.slice(1)];
    assert.deepEqual(run(openAi, twice).operations, run(openAi, events).operations);
  });

  it("may have ids that change, or none, and one index for all", () => {
    let n = 0;
    const changes: Record<string, (event: Loose) => Loose> = {
      "ids that change": (event) => {
        n += 1;
        const item = event.item && { ...event.item, id: `item_${n}` };
        return {
          ...event,
          ...(item && { item }),
          ...("item_id" in event && { item_id: `i_${n}` }),
        };
      },
      "no ids": ({ item_id: _, item, ...event }) => {
        return { ...event, ...(item && { item: { ...item, id: undefined } }) };
      },
      "no index": ({ output_index: _, ...event }) => event,
      "index 0 for all": (event) => ({ ...event, output_index: 0 }),
      "no ids, no index": ({ item_id: _, output_index: __, item, ...event }) => {
        return { ...event, ...(item && { item: { ...item, id: undefined } }) };
      },
      "no items": (event) => (/output_item.added/.test(event.type) ? { type: "ping" } : event),
      "no numbers, no parts": ({ sequence_number: _, ...event }) =>
        /_part/.test(event.type) ? { type: "ping" } : event,
      "no ends": (event) => (/\.done$/.test(event.type) ? { type: "ping" } : event),
      "no ends but of items": (event) =>
        /(text|_part|arguments)\.done$/.test(event.type) ? { type: "ping" } : event,
      "no deltas": (event) => (/\.delta$/.test(event.type) ? { type: "ping" } : event),
    };
    for (const [kind, change] of Object.entries(changes)) {
      const outcome = run(openAi, (ANSWER as Loose[]).map(change));
      assert.deepEqual(said(outcome), said(run(openAi, ANSWER)), kind);
      const { toolCallId, toolName } = find(outcome, "tool-input-0").headers ?? {};
      assert.deepEqual([toolCallId, toolName], ["call_1", "weather"], kind);
    }
  });

  it("may come only in items that are done, or only in the whole response, and come once", () => {
    const want = [
      ["reasoning", "Six times two."],
      ["reasoning", "Twelve."],
      ["message", "The answer is 12."],
      ["source", { type: "url_citation", url: "https://example.com" }],
      ["refusal", "No more."],
      ["tool-input", { a: 1 }],
      ["tool-input", { action: { query: "12" } }],
      ["tool-output", { type: "web_search_call", id: "w", action: { query: "12" } }],
    ];
    const created = { type: "response.created", response: { id: "r", status: "in_progress" } };
    const done = ITEMS.map((item, output_index) => ({
      type: "response.output_item.done",
      output_index,
      item,
    }));
    const end = (output: unknown, status = "completed") => ({
      type: `response.${status}`,
      response: { id: "r", status, output },
    });
    const others = ITEMS.map((item, at) => ({ ...item, id: `other_${at}` }));
    const streams = {
      "done only": [created, ...done, end([])],
      "the response only": [created, end(ITEMS)],
      "the response alone": [end(ITEMS)],
      "an incomplete response": [end(ITEMS, "incomplete")],
      "done, then all again": [created, ...done, ...done, end(ITEMS), end(ITEMS)],
      "done again when all is over": [created, ...done, end(ITEMS), ...done],
      "done when all is over": [created, ...done.slice(0, 3), end([]), done[3]],
      "other ids in the response": [created, ...done, end(others)],
      "half of it done": [created, ...done.slice(0, 2), end(ITEMS)],
      "no stream": [{ object: "response", id: "r", status: "completed", output: ITEMS }],
    };
    for (const [kind, events] of Object.entries(streams)) {
      const outcome = run(openAi, events as Loose[]);
      assert.deepEqual(said(outcome), want, kind);
      assert.equal(outcome.failure, undefined, kind);
      assert.equal(find(outcome, "tool-input-0").headers?.toolCallId, "call_9", kind);
    }
    const copied = { type: "response.completed", response: { status: "in_progress" } };
    assert.equal(run(openAi, [copied]).failure, undefined, "with the status of the beginning");
    const plain = run(openAi, [created, { type: "response.completed" }]);
    assert.equal(plain.failure, undefined, "no more than the end is needed");
  });

  it("tell thousands of items once", () => {
    const output = Array.from({ length: 2000 }, (_, n) => ({
      id: `i${n}`,
      type: n % 3 === 0 ? "message" : "reasoning",
      content: [{ type: n % 3 === 0 ? "output_text" : "reasoning_text", text: `It is ${n}.` }],
    }));
    const done = output.map((item) => ({ type: "response.output_item.done", item }));
    const end = { type: "response.completed", response: { output } };
    const outcome = run(openAi, [...done, end]);
    assert.deepEqual(
      said(outcome).map(([, data]) => data),
      output.map((_, n) => `It is ${n}.`),
    );
  });

  it("say what their end says if that is more, and never less", () => {
    const delta = { type: "response.output_text.delta", delta: "The answer" };
    const done = (text: unknown) => ({ type: "response.output_text.done", text });
    const end = { type: "response.completed", response: { status: "completed" } };
    const texts = ["The answer is 12.", "", undefined].map(
      (text) => said(run(openAi, [delta, done(text), end]))[0]?.[1],
    );
    assert.deepEqual(texts, ["The answer is 12.", "The answer", "The answer"]);
    const more = run(openAi, [delta, done("The answer"), { ...delta, delta: " is 12." }, end]);
    assert.deepEqual(said(more), [
      ["message", "The answer"],
      ["message", " is 12."],
    ]);
  });

  it("tell thoughts and their summaries apart, and one that comes as both once", () => {
    const delta = (what: string, delta: string) => ({
      type: `response.${what}.delta`,
      item_id: "q",
      delta,
    });
    const item = (more: object) => ({
      type: "response.output_item.done",
      item: { id: "q", type: "reasoning", ...more },
    });
    const thought = [{ type: "reasoning_text", text: "Six times two." }];
    const summary = [{ type: "summary_text", text: "Twelve." }];
    const same = [{ type: "summary_text", text: "Six times two." }];
    const end = { type: "response.completed", response: {} };
    for (const what of ["reasoning_text", "reasoning"]) {
      const grown = delta(what, "Six times two.");
      const both = run(openAi, [grown, item({ content: thought, summary }), end]);
      assert.deepEqual(said(both), [
        ["reasoning", "Six times two."],
        ["reasoning", "Twelve."],
      ]);
      const one = run(openAi, [grown, item({ summary: same }), end]);
      assert.deepEqual(said(one), [["reasoning", "Six times two."]]);
    }
  });

  it("never make an input available that broke off, or whose call nobody named", () => {
    const grown = { type: "response.function_call_arguments.delta", item_id: "f", delta: '{"a":' };
    const call = { type: "function_call", id: "f", call_id: "call_1", name: "add" };
    const added = { type: "response.output_item.added", item: { ...call, arguments: "" } };
    const cut = { ...call, arguments: '{"a":', status: "incomplete" };
    const limit = { incomplete_details: { reason: "max_output_tokens" } };
    const end = { type: "response.incomplete", response: { status: "incomplete", ...limit } };
    const done = { type: "response.output_item.done", item: cut };
    for (const events of [
      [added, grown, end],
      [added, grown, done, end],
      [grown, done, end],
    ]) {
      const outcome = run(openAi, events);
      const { data, status, headers } = find(outcome, "tool-input-0");
      assert.deepEqual([data, status, headers?.toolCallId], ['{"a":', "failed", "call_1"]);
      assert.equal(outcome.failure, undefined);
      assert.equal(Object(outcome.messages.at(-1)?.data).finishReason, "length");
    }
    const nobody = run(openAi, [{ ...grown, delta: "{}" }, end]);
    assert.equal(find(nobody, "tool-input-0").headers?.toolCallId, "f", "its item is all there is");
    const empty = [{ ...added, item: call }, { ...done, item: call }, end];
    assert.deepEqual(find(run(openAi, empty), "tool-input-0").data, {});
  });

  it("take a call whose id comes again for another call", () => {
    const call = (id: string) => ({
      type: "response.output_item.done",
      item: { type: "function_call", id, call_id: "call_0", name: "now", arguments: "{}" },
    });
    const output = {
      type: "response.output_item.done",
      item: { type: "function_call_output", id: "o", call_id: "call_0", output: "12:00" },
    };
    const created = (id: string) => ({ type: "response.created", response: { id } });
    const end = { type: "response.completed", response: {} };
    const outcome = run(openAi, [
      created("r1"),
      ...[call("f1"), call("f2"), output, end],
      created("r2"),
      ...[call("f1"), end],
    ]);
    const calls = outcome.messages.filter(({ name }) => /^tool/.test(name));
    assert.deepEqual(
      calls.map(({ key }) => key),
      ["tool-input-0", "tool-input-1", "tool-output-1", "tool-input-2"],
    );
  });

  it("fail with errors of every shape", () => {
    const message = "too much";
    for (const event of [
      { type: "error", message },
      { type: "error", error: { type: "server_error", message } },
      { type: "error", error: message },
      { error: { message } },
      { type: "response.failed", response: { error: { message } } },
      { type: "response.failed", error: { message } },
      { type: "response.completed", response: { status: "failed", error: { message } } },
    ]) {
      const { failure } = run(openAi, [event as Loose]);
      assert.deepEqual(failure, { op: "fail", status: "failed", error: message });
    }
    const error = { type: "error", message };
    const failed = { type: "response.failed", response: { status: "completed", error } };
    const twice = run(openAi, [error, failed]);
    assert.deepEqual(contents(twice).slice(0, 1), [["error", { message }]]);
    assert.equal(twice.operations.filter(({ op }) => op === "fail").length, 1, "it fails once");
    const cancelled = { type: "response.cancelled", response: { status: "cancelled" } };
    assert.equal(run(openAi, [cancelled]).failure?.status, "cancelled");
  });
});

type Loose = { type: string; item?: object } & Record<string, unknown>;

/** The messages beside the response itself and its errors. */
function said(outcome: Outcome): [string, unknown][] {
  return contents(outcome).filter(([name]) => name !== "response" && name !== "error");
}

const LAUGH = [
  { type: "response.created", response: { id: "r", status: "in_progress" } },
  { type: "response.output_text.delta", item_id: "i", output_index: 0, delta: "ha " },
  { type: "response.output_text.delta", item_id: "i", output_index: 0, delta: "ha " },
  { type: "response.output_text.done", item_id: "i", output_index: 0, text: "ha ha " },
  { type: "response.failed", response: { id: "r", error: { message: "the gateway gave up" } } },
];

/** One of each kind. */
const ITEMS = [
  {
    id: "q",
    type: "reasoning",
    summary: [{ type: "summary_text", text: "Six times two." }],
    content: [{ type: "reasoning_text", text: "Twelve." }],
  },
  {
    id: "i",
    type: "message",
    content: [
      {
        type: "output_text",
        text: "The answer is 12.",
        annotations: [{ type: "url_citation", url: "https://example.com" }],
      },
      { type: "refusal", refusal: "No more." },
    ],
  },
  { id: "f", type: "function_call", call_id: "call_9", name: "add", arguments: '{"a":1}' },
  { id: "w", type: "web_search_call", action: { query: "12" } },
];
