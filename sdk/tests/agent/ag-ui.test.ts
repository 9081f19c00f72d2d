// AG-UI events become messages that any reader understands, and TanStack AI's page makes the chat
// of them that it would have made of the events.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { agUi } from "../../src/agent/codec/ag-ui.ts";
import type { Message, Turn } from "../../src/protocol/index.ts";
import { chatOf, coldChat, joined, type Loose, type Part, verify } from "../tanstack/readers.ts";
import { contents, type Outcome, run } from "./codec.ts";

const ids = { threadId: "t", runId: "r" };
const started = { type: "RUN_STARTED", ...ids };
const finished = { type: "RUN_FINISHED", ...ids, finishReason: "stop" };

function said(messageId: string, ...deltas: string[]): Loose[] {
  return [
    { type: "TEXT_MESSAGE_START", messageId, role: "assistant" },
    ...deltas.map((delta) => ({ type: "TEXT_MESSAGE_CONTENT", messageId, delta })),
    { type: "TEXT_MESSAGE_END", messageId },
  ];
}

function thought(messageId: string, delta: string, encryptedValue?: string): Loose[] {
  const seal = { type: "REASONING_ENCRYPTED_VALUE", subtype: "message", entityId: messageId };
  return [
    { type: "STEP_STARTED", stepName: messageId },
    { type: "REASONING_START", messageId },
    { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" },
    { type: "REASONING_MESSAGE_CONTENT", messageId, delta },
    ...(encryptedValue ? [{ ...seal, encryptedValue }] : []),
    { type: "REASONING_MESSAGE_END", messageId },
    { type: "REASONING_END", messageId },
    { type: "STEP_FINISHED", stepName: messageId },
  ];
}

function called(toolCallId: string, input: object, ...rest: Loose[]): Loose[] {
  const json = JSON.stringify(input);
  const start = { type: "TOOL_CALL_START", toolCallId, toolCallName: "weather" };
  return [
    { ...start, parentMessageId: "m1" },
    { type: "TOOL_CALL_ARGS", toolCallId, delta: json.slice(0, 4) },
    { type: "TOOL_CALL_ARGS", toolCallId, delta: json.slice(4) },
    { type: "TOOL_CALL_END", toolCallId, input },
    ...rest,
  ];
}

function result(toolCallId: string, content: string, more = {}): Loose {
  return { type: "TOOL_CALL_RESULT", messageId: `${toolCallId}-r`, toolCallId, content, ...more };
}

/** The log of a turn in which a stream was said. */
function stateOf({ messages, failure }: Outcome): { messages: Message[]; turns: Turn[] } {
  const status = failure ? "failed" : "complete";
  const turn = { id: "t1", status, attempt: 1, createdAt: 0, error: failure?.error } as const;
  const made = messages.map(({ key, of: _of, ...message }, at) => {
    const serial = String(at + 1).padStart(8, "0");
    const times = { createdAt: 0, updatedAt: 0, version: serial };
    return { role: "assistant", ...message, serial, id: key, turn: "t1", client: "bot", ...times };
  });
  return { messages: made as Message[], turns: [turn] };
}

/** The visible parts, without the names that events and the session give them. */
function bare(chat: Part[][]): unknown[] {
  const plain = ({ id: _id, stepId: _stepId, toolCallId: _of, ...part }: Part) => part;
  return chat.map(([, ...parts]) => parts.map(plain));
}

const STREAMS: Record<string, Loose[]> = {
  text: [started, ...said("m1", "Hello, ", "you 🌊"), finished],
  thoughts: [started, ...thought("s1", "Hm", "EqQB"), ...said("m1", "Well."), finished],
  "calls and results, over two rounds": [
    started,
    ...called("c1", { city: "Oslo" }),
    { ...finished, finishReason: "tool_calls" },
    result("c1", '{"degrees":7}'),
    started,
    ...said("m2", "It is 7°."),
    finished,
  ],
  "a call that failed": [
    started,
    ...called("c1", { city: "Oslo" }, result("c1", '{"error":"away"}', { state: "output-error" })),
    ...said("m2", "No weather."),
    finished,
  ],
  "no arguments": [
    started,
    { type: "TOOL_CALL_START", toolCallId: "c1", toolCallName: "weather" },
    { type: "TOOL_CALL_END", toolCallId: "c1", input: {} },
    result("c1", "7"),
    finished,
  ],
};

describe("AG-UI events", () => {
  for (const [what, stream] of Object.entries(STREAMS)) {
    test(`give TanStack AI's page the chat that the events give: ${what}`, async () => {
      const outcome = run(agUi, stream);
      assert.equal(outcome.failure, undefined);
      const state = stateOf(outcome);
      const chunks = joined([state], "t1");
      await verify(chunks);
      const wanted = bare(chatOf(stream)).flat();
      assert.deepEqual(bare(chatOf(chunks)).flat(), wanted);
      assert.deepEqual(bare(coldChat(state)).flat(), wanted);
    });
  }

  test("become messages of the names that all codecs use", () => {
    const outcome = run(agUi, [
      started,
      ...thought("s1", "Hm", "EqQB"),
      ...said("m1", "Well."),
      ...called("c1", { city: "Oslo" }, result("c1", '{"degrees":7}')),
      { type: "CUSTOM", name: "weather.station", value: { id: 7 } },
      { type: "CUSTOM", name: "message", value: "not a message" },
      { type: "ACTIVITY_SNAPSHOT", activityType: "plan" },
      finished,
    ]);
    assert.deepEqual(contents(outcome), [
      ["response", { state: "finished", finishReason: "stop" }],
      ["reasoning", "Hm"],
      ["message", "Well."],
      ["tool-input", { city: "Oslo" }],
      ["tool-output", { degrees: 7 }],
      ["weather.station", { id: 7 }],
      ["custom", { type: "CUSTOM", name: "message", value: "not a message" }],
      ["ACTIVITY_SNAPSHOT", { type: "ACTIVITY_SNAPSHOT", activityType: "plan" }],
    ]);
    assert.deepEqual(outcome.messages[1]?.headers, { signature: "EqQB" });
    assert.deepEqual(outcome.messages[3]?.headers, { toolCallId: "c1", toolName: "weather" });
    assert.equal(outcome.messages[4]?.role, "tool");
  });

  test("that stop without an end have failed, and so have those that say it", () => {
    const cut = run(agUi, [started, ...said("m1", "Well")]);
    assert.equal(cut.failure?.code, "stream-cut");
    const failed = run(agUi, [started, { type: "RUN_ERROR", message: "overloaded" }]);
    assert.equal(failed.failure?.error, "overloaded");
  });

  test("ask whether a call may be made", () => {
    const approval = { id: "a1", needsApproval: true };
    const value = { toolCallId: "c1", toolName: "weather", input: {}, approval };
    const ask = { type: "CUSTOM", name: "approval-requested", value };
    const outcome = run(agUi, [started, ...called("c1", {}, ask), finished]);
    const asked = outcome.messages.find(({ name }) => name === "tool-approval");
    assert.deepEqual(asked?.headers, { approvalId: "a1", state: "requested", toolCallId: "c1" });
    const chunks = joined([stateOf(outcome)], "t1");
    const said = chunks.find(({ name }) => name === "approval-requested");
    assert.deepEqual(said?.value, value);
  });

  test("a question that ends a run ends it on the page", () => {
    const outcome = { type: "interrupt", interrupts: [{ id: "i1", reason: "confirm" }] };
    const state = stateOf(run(agUi, [started, ...said("m1", "May I?"), { ...finished, outcome }]));
    const end = joined([state], "t1").findLast(({ type }) => type === "RUN_FINISHED");
    assert.deepEqual(end?.outcome, outcome);
  });
});
