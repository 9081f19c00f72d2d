// The messages that a page publishes of the calls that it made or allowed.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UIMessage } from "ai";
import { toUIMessages } from "../../src/ai-sdk/index.ts";
import { publish } from "../../src/ai-sdk/publish.ts";
import type { Session } from "../../src/client/session.ts";
import type { NewMessage } from "../../src/protocol/index.ts";
import type { Chunk } from "./random-stream.ts";
import { TurnLog } from "./turn-log.ts";

interface Given {
  frames: { type: string; messages: NewMessage[] }[];
  published: { input: string | undefined; answer?: string };
  /** The answers to what a turn asks. */
  told: unknown[];
}

/** Publishes what a chat says in which some parts are different. */
async function given(
  log: TurnLog,
  change: (parts: Chunk[]) => void,
  isAsking = false,
): Promise<Given> {
  const frames: Given["frames"] = [];
  const request = async (frame: Given["frames"][number]) => {
    frames.push(frame);
    return { messages: frame.messages.map((_, index) => ({ serial: `s${index}` })) };
  };
  const { messages, turn } = log;
  const told: unknown[] = [];
  const take = async (...asked: unknown[]) => {
    told.push(asked.slice(1));
    return isAsking;
  };
  const feature = () => ({ decide: take, settle: take });
  const all = { log: messages, turns: [turn], link: { request }, feature };
  const session = all as unknown as Session;
  const shown = toUIMessages({ messages, turns: [turn] }).at(-1) as UIMessage;
  change(shown.parts as unknown as Chunk[]);
  const send = { trigger: "submit-message", messages: [shown] };
  return { published: await publish(session, send as never), frames, told };
}

function call(toolCallId: string, more: object = {}): Chunk {
  return { type: "tool-input-available", toolCallId, toolName: "pick", input: {}, ...more };
}

function said(...chunks: Chunk[]): TurnLog {
  return TurnLog.of([{ type: "start-step" }, ...chunks] as never);
}

function serials({ messages }: TurnLog, name: string): string[] {
  return messages.filter((message) => message.name === name).map(({ serial }) => serial);
}

function settle(part: Chunk | undefined, more: object): void {
  if (part) Object.assign(part, more);
}

describe("what a page publishes of calls", () => {
  test("several outputs are one publish; only the last is an input", async () => {
    const log = said(call("a"), call("b"));
    const { frames, published } = await given(log, ([, a, b]) => {
      settle(a, { state: "output-available", output: 0 });
      settle(b, { state: "output-error", errorText: "no" });
    });
    const [a, b] = serials(log, "tool-input");
    const last = log.messages.at(-1)?.serial;
    assert.deepEqual(frames, [
      {
        type: "publish",
        messages: [
          {
            id: `tool-output:${a}`,
            name: "tool-output",
            data: 0,
            headers: { call: a, answer: "t1", toolCallId: "a", state: "available", more: "true" },
            parent: last,
            wake: false,
          },
          {
            id: `tool-output:${b}`,
            name: "tool-output",
            data: "no",
            headers: { call: b, answer: "t1", toolCallId: "b", state: "error" },
          },
        ],
      },
    ]);
    assert.deepEqual(published, { input: "s1", answer: "t1" });
  });

  test("a call's id is left out where no header has room for it", async () => {
    const log = said(call("x".repeat(900)));
    const { frames } = await given(log, ([, part]) => {
      settle(part, { state: "output-available", output: 1 });
    });
    const [input] = serials(log, "tool-input");
    const headers = { call: input, answer: "t1", state: "available" };
    assert.deepEqual(frames[0]?.messages[0]?.headers, headers);
  });

  test("what others made of calls is not published, nor an id's other call", async () => {
    const output = { type: "tool-output-available", toolCallId: "call_0", output: 1 };
    const log = said(
      call("call_0"),
      { type: "start-step" },
      ...[call("call_0"), output, call("c", { providerExecuted: true })],
    );
    const { frames, published } = await given(log, (parts) => {
      settle(parts.at(-1), { state: "output-available", output: 1 });
    });
    assert.deepEqual(frames, []);
    assert.deepEqual(published, { input: undefined, answer: "t1" });
  });

  test("that a call is allowed, then what came of it", async () => {
    const approvalId = "ok";
    const log = said(call("a"), { type: "tool-approval-request", approvalId, toolCallId: "a" });
    const { frames } = await given(log, ([, part]) => {
      const approval = { id: approvalId, approved: true };
      settle(part, { state: "output-available", output: 1, approval });
    });
    const data = frames[0]?.messages.map((message) => [message.name, message.data]);
    assert.deepEqual(data, [
      ["tool-approval", { approvalId, approved: true }],
      ["tool-output", 1],
    ]);
  });

  test("what a turn waits for is told to the session, and is no message", async () => {
    const request = { type: "tool-approval-request", approvalId: "ok", toolCallId: "a" };
    const log = said(call("a"), request, call("b"), call("c"));
    const change = ([, a, b, c]: Chunk[]) => {
      settle(a, { approval: { id: "ok", approved: false, reason: "no" } });
      settle(b, { state: "output-available", output: 1 });
      settle(c, { state: "output-error", errorText: "broken" });
    };
    const { frames, published, told } = await given(log, change, true);
    assert.deepEqual(told, [[false, "no"], [{ output: 1 }], [{ error: "broken" }]]);
    assert.deepEqual([frames, published], [[], { input: undefined, answer: "t1" }]);
  });

  test("what is there already is not published again, and is what is answered", async () => {
    const log = said(call("a"));
    const [input] = serials(log, "tool-input");
    const headers = { call: input ?? "", answer: "t1", state: "available" };
    const fields = { role: "user" as const, turn: undefined as never, headers };
    const serial = log.publish("tool-output", 1, fields);
    const { frames, published } = await given(log, () => {});
    assert.deepEqual([frames, published], [[], { input: serial, answer: "t1" }]);
  });
});
