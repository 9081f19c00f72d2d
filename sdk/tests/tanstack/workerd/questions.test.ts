// Tools that a person has to allow, and tools of a page, in an agent of real `chat()`: every page
// shows the same, and the same turn goes on.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { chat, toolDefinition } from "@tanstack/ai";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { call, field } from "../../../../tests/support/http.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import {
  type AgentSession,
  createAgentSession,
  type StartOptions,
} from "../../../src/agent/index.ts";
import type { Approval, ToolCall, Turn } from "../../../src/index.ts";
import { chatToTurn } from "../../../src/tanstack/index.ts";
import { isReady, type Page, type PageOptions, Pages } from "./pages.ts";

const fixture = serve();
const pages = new Pages(fixture);

type Loose = { type: string } & Record<string, unknown>;

const ids = { threadId: "t", runId: "r" };

/** A model that calls a tool, and then says what came of it. */
function adapterOf(name: string, input: object) {
  return {
    kind: "text",
    name: "scripted",
    model: "shop",
    async *chatStream({ messages }: { messages: { role: string; content: unknown }[] }) {
      const results = messages.filter(({ role }) => role === "tool");
      yield { type: "RUN_STARTED", ...ids };
      if (results.length === 0) {
        const toolCallId = "call-1";
        const args = JSON.stringify(input);
        yield { type: "TOOL_CALL_START", toolCallId, toolCallName: name, toolName: name };
        yield { type: "TOOL_CALL_ARGS", toolCallId, delta: args, args };
        yield { type: "TOOL_CALL_END", toolCallId, toolCallName: name, toolName: name, input };
        yield { type: "RUN_FINISHED", ...ids, finishReason: "tool_calls" };
        return;
      }
      const delta = `It came to ${results.map(({ content }) => content).join(", ")}`;
      yield { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" };
      for (const word of delta.split(/(?<= )/)) {
        yield { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: word };
      }
      yield { type: "TEXT_MESSAGE_END", messageId: "m" };
      yield { type: "RUN_FINISHED", ...ids, finishReason: "stop" };
    },
  };
}

const where = toolDefinition({ name: "where", description: "Where the person is" });
const buy = toolDefinition({ name: "buy", description: "Buys something", needsApproval: true });

/** An agent that calls a tool; what it bought is returned. */
function joined(
  session: string,
  name: "buy" | "where",
): { agent: AgentSession; bought: unknown[] } {
  const bought: unknown[] = [];
  const server = buy.server(async (input) => {
    bought.push(input);
    return { bought: input };
  });
  const tools = [server, where];
  const answer = (start: StartOptions) =>
    agent
      .answer(start, (turn) =>
        chatToTurn(turn, (messages) => {
          const adapter = adapterOf(name, { item: "tea" });
          return chat({ adapter, messages, tools } as never) as AsyncIterable<Loose>;
        }),
      )
      .catch(() => {});
  const agent = createAgentSession({
    url: fixture.server.url,
    session,
    token: () => pages.token("agent", "agent"),
    onInput: (_, start) => void answer(start),
    onQueued: (_, start) => void answer(start),
  });
  pages.atEnd(() => agent.close());
  return { agent, bought };
}

const partsOf = ({ chat }: Page) => {
  const messages = JSON.parse(JSON.stringify(chat.getMessages())) as { parts: Loose[] }[];
  return messages.map(({ parts }) =>
    parts.map(({ arguments: json, ...part }) =>
      part.input === undefined ? { ...part, arguments: json } : part,
    ),
  );
};

function callIn(page: Page): Loose | undefined {
  return partsOf(page)[1]?.[0] as Loose | undefined;
}

async function asks(page: Page): Promise<void> {
  await until(
    () => callIn(page)?.state,
    (state) => state === "approval-requested",
    "the question",
  );
}

async function ends(page: Page): Promise<void> {
  await until(
    () => String(partsOf(page)[1]?.at(-1)?.content),
    (text) => text.startsWith("It came to"),
    "the rest of the answer",
    10_000,
  );
  await isReady(page);
}

async function agree(page: Page, ...others: Page[]): Promise<void> {
  for (const other of others) {
    await until(
      () => [partsOf(other), partsOf(page)],
      ([one, two]) => isDeepStrictEqual(one, two),
      "the same chat",
      10_000,
    );
    await isReady(other);
  }
}

async function isOneTurn(session: string): Promise<void> {
  const turns = await until(
    async () =>
      field(await call(fixture.server, session, "GET", "/turns?status=all"), "turns") as Turn[],
    ([turn]) => turn?.status === "complete",
    "the turn to end",
  );
  assert.equal(turns.length, 1, "the answer went on in the same turn");
}

async function listOf<T>(session: string, what: string): Promise<T[]> {
  return field(
    await call(fixture.server, session, "GET", `/${what}?status=all`),
    what,
  ) as unknown as T[];
}

describe("a call that needs approval", () => {
  for (const approved of [true, false]) {
    const how = approved ? "allowed" : "refused";
    test(`is ${how} on another page; the same turn goes on`, async () => {
      const session = fixture.session();
      const { bought } = joined(session, "buy");
      const [one, two] = [pages.page(session), pages.live(session)];
      await within(one.chat.sendMessage("Buy tea"), "the question");
      const late = pages.live(session);
      for (const page of [one, two, late, pages.hydrated(session)]) await asks(page);
      await within(
        two.chat.addToolApprovalResponse({ id: approvalIn(two).id ?? "", approved }),
        "the rest",
      );
      for (const page of [one, two, late]) await ends(page);
      assert.deepEqual(bought, approved ? [{ item: "tea" }] : []);
      assert.equal(approvalIn(two).approved, approved);
      await agree(two, one, late, pages.live(session), pages.hydrated(session));
      await isOneTurn(session);
      const [approval] = await listOf<Approval>(session, "approvals");
      assert.deepEqual([approval?.title, approval?.data], ["buy", { item: "tea" }]);
    });
  }

  test("is decided with the agent gone: pages show it, and another process goes on", async () => {
    const session = fixture.session();
    const { agent } = joined(session, "buy");
    const [one, two] = [pages.page(session), pages.live(session)];
    await within(one.chat.sendMessage("Buy tea"), "the question");
    for (const page of [one, two]) await asks(page);
    agent.close();
    const [{ id } = { id: "" }] = await listOf<Approval>(session, "approvals");
    const json = { decision: "approve" };
    const caps = { "*": ["supervisor"] };
    const path = `/approvals/${id}/decide`;
    const decided = await call(fixture.server, session, "POST", path, { sub: "sue", caps, json });
    assert.equal(decided.status, 200, decided.text);
    const late = pages.live(session);
    for (const page of [one, two, late, pages.hydrated(session)]) {
      await until(
        () => callIn(page)?.state,
        (state) => state === "approval-responded",
        "the decision",
      );
    }
    joined(session, "buy");
    for (const page of [one, two, late]) await ends(page);
    await agree(one, two, late, pages.live(session));
    await isOneTurn(session);
  });
});

describe("a tool of the page", () => {
  const withTool = (session: string, made: unknown[], how: "page" | "live" | "hydrated") => {
    const tool = where.client((input) => {
      made.push(input);
      return { city: "Paris" };
    });
    return pages[how](session, { tools: [tool] } as PageOptions);
  };

  test("runs once, on the page that asked, and the same turn goes on", async () => {
    const session = fixture.session();
    joined(session, "where");
    const calls: unknown[][] = [[], []];
    const one = withTool(session, calls[0] ?? [], "page");
    const two = withTool(session, calls[1] ?? [], "live");
    await within(one.chat.sendMessage("Where am I?"), "the call");
    for (const page of [one, two]) await ends(page);
    assert.deepEqual(calls, [[{ item: "tea" }], []]);
    await agree(one, two, pages.live(session), pages.hydrated(session));
    await isOneTurn(session);
    const [made, ...others] = await listOf<ToolCall>(session, "calls");
    assert.deepEqual([made?.name, made?.output, others], ["where", { city: "Paris" }, []]);
  });

  test("that nobody could run waits for a page that can", async () => {
    const session = fixture.session();
    joined(session, "where");
    const one = pages.page(session);
    void one.chat.sendMessage("Where am I?");
    await until(
      () => listOf<ToolCall>(session, "calls"),
      (list) => list.length === 1,
      "the call",
    );
    one.chat.stop();
    one.connection.close();
    const calls: unknown[] = [];
    const two = withTool(session, calls, "live");
    await ends(two);
    assert.deepEqual(calls, [{ item: "tea" }]);
    await isOneTurn(session);
  });
});

function approvalIn(page: Page): { id?: string; approved?: boolean } {
  return Object(callIn(page)?.approval);
}
