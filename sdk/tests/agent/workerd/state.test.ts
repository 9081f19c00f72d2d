// An agent that streams AG-UI's events or the AI SDK's parts drives the shared state without code
// of its own (P9.1), in order with what it says; pages of every adapter see it.

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { UIMessageChunk } from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until } from "../../../../tests/support/wait.ts";
import { type AgentOptions, agUi } from "../../../src/agent/index.ts";
import { SessileChatTransport, streamToTurn } from "../../../src/ai-sdk/index.ts";
import { type ServerFrame, type Session, sharedState } from "../../../src/index.ts";
import { chatToTurn, sessileConnection } from "../../../src/tanstack/index.ts";
import { open } from "../../support.ts";
import { contents, join, LINKS } from "./agent.ts";

const fixture = useServer();
const ids = { threadId: "t", runId: "r" };
const STEPS = [
  { title: "Look", status: "pending" },
  { title: "Book", status: "pending" },
];

function said(messageId: string, delta: string) {
  return [
    { type: "TEXT_MESSAGE_START", messageId, role: "assistant" },
    { type: "TEXT_MESSAGE_CONTENT", messageId, delta },
    { type: "TEXT_MESSAGE_END", messageId },
  ];
}

function patch(path: string, value: unknown) {
  return { type: "STATE_DELTA", delta: [{ op: "replace", path, value }] };
}

/** The events of an agent that shows its steps as it takes them. */
const EVENTS = [
  { type: "RUN_STARTED", ...ids },
  { type: "STATE_SNAPSHOT", snapshot: { steps: STEPS, city: "Oslo" } },
  ...said("m1", "I look."),
  patch("/steps/0/status", "completed"),
  ...said("m2", "I book."),
  patch("/steps/1/status", "completed"),
  { type: "STATE_DELTA", delta: [{ op: "add", path: "/hotel", value: { name: "Adler" } }] },
  { type: "RUN_FINISHED", ...ids },
];
const TREE = {
  steps: STEPS.map(({ title }) => ({ title, status: "completed" })),
  city: "Oslo",
  hotel: { name: "Adler" },
};

async function* eventsOf<T>(events: readonly T[]): AsyncGenerator<T> {
  for (const event of events) {
    await new Promise((done) => setImmediate(done));
    yield event;
  }
}

const comes = (session: Session, tree: object) =>
  until(
    () => sharedState(session).value,
    (now) => isDeepStrictEqual(now, tree),
    `the state to be ${JSON.stringify(tree).slice(0, 500)}`,
  );

for (const [name, link] of Object.entries(LINKS)) {
  const options: Partial<AgentOptions> = link ? { link } : {};

  describe(`an agent's events drive the shared state, over ${name}`, () => {
    test("P9.1 AG-UI's snapshots and patches, in order with the text", async (t) => {
      const session = fixture.session();
      const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
      const frames: ServerFrame[] = [];
      page.on("frame", (frame) => void frames.push(frame));
      const turn = await join(fixture.server, session, options).startTurn();
      const { status } = await turn.stream(eventsOf(EVENTS), agUi());
      assert.equal(status, "complete");
      await turn.end();
      await comes(page, TREE);
      const order = frames.flatMap((frame): unknown[] => {
        if (frame.type === "state.change") return [frame.ops.map(({ path }) => path.join("/"))];
        if (frame.type !== "message.create" || frame.message.name !== "message") return [];
        const { serial } = frame.message;
        return [page.messages.find((message) => message.serial === serial)?.data];
      });
      assert.deepEqual(order, [[""], "I look.", ["steps"], "I book.", ["steps"], ["hotel"]]);
      const messages = await contents(fixture.server, session);
      assert.ok(!JSON.stringify(messages).includes("STATE_"), "the state is no message");
    });

    test("P9.4 a change that is refused takes nothing else with it, and is told", async (t) => {
      const session = fixture.session();
      const admin = await open(t, fixture.server, session, {
        sub: "eve",
        caps: { "*": ["admin"] },
      });
      const stateSchema = { properties: { city: { type: "string" } } };
      await admin.link.read("", {
        method: "PATCH",
        body: JSON.stringify({ settings: { stateSchema } }),
      });
      const agent = join(fixture.server, session, options);
      const turn = await agent.startTurn();
      const [start, snapshot, ...rest] = EVENTS;
      const events = [start, snapshot, patch("/city", 7), ...rest];
      await assert.rejects(turn.stream(eventsOf(events as typeof EVENTS), agUi()), {
        code: "invalid-state",
      });
      assert.equal((await turn.end()).status, "failed");
      await comes(admin, TREE);
      const texts = (await contents(fixture.server, session)).map(([, data]) => data);
      assert.ok(texts.includes("I look.") && texts.includes("I book."), JSON.stringify(texts));
    });

    test("P2.3 an agent that may not change it still says all of its answer", async (t) => {
      const session = fixture.session();
      const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
      const token = await makeToken({
        ...{ sub: "agent", caps: { "*": ["read", "publish", "turn", "presence"] } },
      });
      const turn = await join(fixture.server, session, { ...options, token }).startTurn();
      await assert.rejects(turn.stream(eventsOf(EVENTS), agUi()), { code: "forbidden" });
      assert.ok(!turn.signal.aborted, "it leads the turn");
      await turn.end();
      assert.deepEqual(sharedState(page).value, {});
      const texts = (await contents(fixture.server, session)).map(([, data]) => data);
      assert.ok(texts.includes("I look.") && texts.includes("I book."), JSON.stringify(texts));
    });

    test("P14 a state larger than a frame arrives whole", async (t) => {
      const session = fixture.session();
      const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
      const snapshot = Object.fromEntries(
        Array.from({ length: 20 }, (_, at) => [`part-${at}`, { text: "ä".repeat(15_000) }]),
      );
      const turn = await join(fixture.server, session, options).startTurn();
      const [start] = EVENTS;
      const events = [start, { type: "STATE_SNAPSHOT", snapshot }, EVENTS.at(-1)];
      await turn.stream(eventsOf(events as typeof EVENTS), agUi());
      await turn.end();
      await comes(page, snapshot);
    });
  });
}

describe("pages of the adapters see the state of an agent", () => {
  const agentOf = async (t: TestContext) => {
    const session = fixture.session();
    const agent = join(fixture.server, session);
    const token = await makeToken({ sub: "ada", caps: { "*": ["user"] } });
    const where = { url: fixture.server.url, token };
    t.after(() => agent.close());
    return { session, where, turn: await agent.startTurn() };
  };

  test("P9.2 TanStack AI's", async (t) => {
    const { session, where, turn } = await agentOf(t);
    const chat = sessileConnection({ ...where, session });
    t.after(() => chat.close());
    await chat.session.connect();
    await chatToTurn(turn, () => eventsOf(EVENTS), { state: { at: ["plan"] } });
    await turn.end();
    await comes(chat.session, { plan: TREE });
  });

  test("P9.2 the AI SDK's, by the names that the agent gives", async (t) => {
    const { session, where, turn } = await agentOf(t);
    const transport = new SessileChatTransport(where);
    t.after(() => transport.close());
    const page = transport.use(session).session;
    await page.connect();
    const parts = [
      { type: "start" },
      { type: "data-plan", id: "steps", data: STEPS },
      { type: "data-plan", id: "steps", data: TREE.steps },
      { type: "data-status", data: "done", transient: true },
      { type: "data-other", data: 1 },
      { type: "finish" },
    ] as UIMessageChunk[];
    await streamToTurn(turn, eventsOf(parts), { state: ["plan", "status"] });
    await turn.end();
    await comes(page, { plan: { steps: TREE.steps }, status: "done" });
    const stored = (await contents(fixture.server, session)).map(([name]) => name);
    assert.deepEqual(stored.sort(), ["data-other", "data-plan", "response"]);
  });
});
