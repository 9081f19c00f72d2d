// Calls that a page makes: its tools run once, what came of them is part of the answer, and so is
// what the agent says then, on whatever page and whenever it comes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { toolDefinition } from "@tanstack/ai";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { aiSdk } from "../../../src/agent/codec/ai-sdk.ts";
import { type AgentTurn, createAgentSession, type Message } from "../../../src/agent/index.ts";
import { isReady, type Page, Pages } from "./pages.ts";

const fixture = serve();
const pages = new Pages(fixture);

type Loose = { type: string } & Record<string, unknown>;

const ask = (toolCallId: string, input: object): Loose[] => [
  { type: "tool-input-start", toolCallId, toolName: "where" },
  { type: "tool-input-delta", toolCallId, inputTextDelta: JSON.stringify(input) },
  { type: "tool-input-available", toolCallId, toolName: "where", input },
];

const say = (text: string): Loose[] => [
  { type: "text-start", id: "0" },
  ...text.split(/(?<= )/).map((delta) => ({ type: "text-delta", id: "0", delta })),
  { type: "text-end", id: "0" },
];

const step = (...chunks: Loose[]): Loose[] => [
  { type: "start-step" },
  ...chunks,
  { type: "finish-step" },
  { type: "finish", finishReason: "stop" },
];

/** An agent that says one of these after the other; gives the inputs that it was given. */
function agent(session: string, answers: (() => AsyncIterable<Loose> | Loose[])[]): Message[] {
  const inputs: Message[] = [];
  const joined = createAgentSession({
    url: fixture.server.url,
    session,
    token: () => pages.token("agent", "agent"),
    names: ["message", "tool-output", "tool-approval"],
    onInput: (input) => {
      inputs.push(input);
      if (input.headers?.more) return;
      const answer = answers.shift() ?? (() => []);
      const told = async (turn: AgentTurn) => turn.stream(answer(), aiSdk());
      joined.answer({ input: input.serial }, told).catch(() => {});
    },
  });
  pages.atEnd(() => joined.close());
  return inputs;
}

/** A page whose `where` says so. */
function withTool(
  session: string,
  calls: unknown[],
  make: "page" | "live" | "hydrated" = "page",
): Page {
  const where = toolDefinition({ name: "where", description: "Where the person is" });
  const tool = where.client((input) => {
    calls.push(input);
    return { city: "Paris", n: calls.length };
  });
  return pages[make](session, { tools: [tool] });
}

const partsOf = ({ chat }: Page) => {
  const messages = JSON.parse(JSON.stringify(chat.getMessages())) as { parts: Loose[] }[];
  return messages.map(({ parts }) => parts.map(settled));
};

/** Arguments that are whole say the same as the input, if not as the model wrote them. */
function settled({ arguments: json, ...part }: Loose): Loose {
  return part.input === undefined ? { ...part, arguments: json } : part;
}

async function agree(page: Page, others: Page[]): Promise<void> {
  for (const other of others) {
    await until(
      () => partsOf(other),
      (parts) => isDeepStrictEqual(parts, partsOf(page)),
      "the same chat",
    );
    await isReady(other);
  }
}

async function* slowly(chunks: Loose[], ms: number): AsyncGenerator<Loose> {
  for (const chunk of chunks) {
    await new Promise((done) => setTimeout(done, ms));
    yield chunk;
  }
}

describe("a page's own tools", () => {
  test("run once; the answer goes on as one message, live, late and reloaded", async () => {
    const session = fixture.session();
    const inputs = agent(session, [
      () => step(...say("I look. "), ...ask("call_0", { exact: true })),
      () => step(...say("You are in Paris.")),
    ]);
    const calls: unknown[] = [];
    const one = withTool(session, calls);
    const others: unknown[] = [];
    const two = withTool(session, others, "live");
    await within(one.chat.sendMessage("Where am I?"), "the answer");
    await until(
      () => partsOf(one)[1]?.at(-1)?.content,
      (text) => text === "You are in Paris.",
      "the rest of it",
    );
    assert.deepEqual(calls, [{ exact: true }]);
    const kinds = partsOf(one).map((parts) => parts.map(({ type }) => type));
    assert.deepEqual(kinds, [["text"], ["text", "tool-call", "tool-result", "text"]]);
    await agree(one, [two, pages.live(session), pages.hydrated(session)]);
    assert.deepEqual([calls.length, others.length], [1, 0], "the page that asked made the call");
    const { log, turns } = one.connection.session;
    const [output] = log.filter((message) => !message.turn && message.name === "tool-output");
    const call = log.find(({ name }) => name === "tool-input");
    assert.deepEqual(output?.data, { city: "Paris", n: 1 });
    assert.deepEqual(output?.headers, {
      ...{ state: "available", call: call?.serial, answer: turns[0]?.id, toolCallId: "call_0" },
    });
    assert.equal(output?.parent, log.findLast(({ turn }) => turn === turns[0]?.id)?.serial);
    assert.equal(inputs.length, 2);
  });

  test("two at once are one step, and one id in each of two answers is two calls", async () => {
    const session = fixture.session();
    const both = () => step(...ask("call_0", { a: 1 }), ...ask("call_1", { b: 2 }));
    const done = () => step(...say("Done."));
    const inputs = agent(session, [both, done, both, done]);
    const calls: unknown[] = [];
    const one = withTool(session, calls);
    for (const count of [2, 4]) {
      await within(one.chat.sendMessage("Go"), "the answer");
      await until(
        () => partsOf(one)[count - 1]?.at(-1)?.content,
        (text) => text === "Done.",
        "the rest of it",
      );
      await isReady(one);
    }
    assert.deepEqual(calls, [{ a: 1 }, { b: 2 }, { a: 1 }, { b: 2 }]);
    const made = partsOf(one)
      .flat()
      .filter(({ type }) => type === "tool-call");
    assert.deepEqual(
      made.map(({ output }) => (output as { n: number }).n),
      [1, 2, 3, 4],
    );
    assert.deepEqual(
      inputs.map(({ headers }) => headers?.more),
      [undefined, "true", undefined, undefined, "true", undefined].filter(
        (_, n) => inputs.length === 6 || n % 3 !== 1,
      ),
    );
    await agree(one, [pages.live(session), pages.hydrated(session)]);
  });

  test("a page that is reloaded while the answer goes on has all of it once", async () => {
    const session = fixture.session();
    const words = say(Array.from({ length: 40 }, (_, n) => `word${n} `).join(""));
    agent(session, [
      () => step(...say("I look. "), ...ask("call_0", {})),
      () => slowly(step(...words), 15),
    ]);
    const one = withTool(session, []);
    void one.chat.sendMessage("Where am I?");
    await until(
      () => String(partsOf(one)[1]?.at(-1)?.content),
      (text) => text.includes("word2"),
      "a part of the rest",
    );
    one.chat.stop();
    one.connection.close();
    const [two, three] = [pages.hydrated(session), pages.live(session)];
    await until(
      () => String(partsOf(two)[1]?.at(-1)?.content),
      (text) => text.includes("word39"),
      "the rest of it",
    );
    assert.equal(partsOf(two).length, 2);
    await agree(two, [three, pages.hydrated(session), pages.live(session)]);
  });

  test("a page that begins in its middle reads the answer back to its beginning", async () => {
    const session = fixture.session();
    const looks = Array.from({ length: 70 }, (_, n) => say(`Look ${n}. `)).flat();
    const words = say(Array.from({ length: 40 }, (_, n) => `word${n} `).join(""));
    agent(session, [() => step(...looks, ...ask("call_0", {})), () => slowly(step(...words), 15)]);
    const one = withTool(session, []);
    void one.chat.sendMessage("Where am I?");
    await until(
      () => JSON.stringify(partsOf(one)),
      (text) => text.includes("word2"),
      "a part of the rest",
    );
    const others = [pages.hydrated(session, { rewind: 1 }), pages.live(session, { rewind: 1 })];
    await until(
      () => JSON.stringify(partsOf(one)),
      (text) => text.includes("word39"),
      "the rest of it",
    );
    await isReady(one);
    for (const page of [...others, pages.hydrated(session, { rewind: 1 })]) {
      await until(
        () => partsOf(page),
        (parts) => isDeepStrictEqual(parts.slice(-70), partsOf(one).slice(-70)),
        "the whole answer",
      );
    }
  });

  test("one that is called while the page is reloaded is made by the page that joins", async () => {
    const session = fixture.session();
    agent(session, [
      () => slowly(step(...say("I look for it now. "), ...ask("call_0", { late: true })), 60),
      () => step(...say("You are in Paris.")),
    ]);
    const one = withTool(session, []);
    void one.chat.sendMessage("Where am I?");
    await until(
      () => String(partsOf(one)[1]?.at(-1)?.content),
      (text) => text.startsWith("I look"),
      "a part of the answer",
    );
    one.chat.stop();
    one.connection.close();
    const calls: unknown[] = [];
    const two = withTool(session, calls, "hydrated");
    await until(
      () => partsOf(two)[1]?.at(-1)?.content,
      (text) => text === "You are in Paris.",
      "the rest of it",
    );
    assert.deepEqual(calls, [{ late: true }]);
    await agree(two, [pages.live(session)]);
  });

  test("a question is answered on one page, and the agent goes on with what it says", async () => {
    const session = fixture.session();
    const request = { type: "tool-approval-request", approvalId: "a1", toolCallId: "call_0" };
    const inputs = agent(session, [
      () => step(...ask("call_0", { exact: true }), request),
      () => step({ type: "tool-output-available", toolCallId: "call_0", output: "Paris" }),
    ]);
    const one = pages.page(session);
    const two = pages.live(session, { sub: "bob" });
    await within(one.chat.sendMessage("Where am I?"), "the question");
    for (const page of [one, two, pages.live(session), pages.hydrated(session)]) {
      await until(
        () => partsOf(page)[1]?.[0],
        (part) => part?.state === "approval-requested",
        "the question",
      );
    }
    await within(one.chat.addToolApprovalResponse({ id: "a1", approved: true }), "the rest");
    await until(
      () => partsOf(one)[1]?.[0],
      (part) => part?.output === "Paris",
      "what came of it",
    );
    assert.deepEqual(inputs[1]?.data, { approvalId: "a1", approved: true });
    assert.equal(inputs[1]?.headers?.answer, one.connection.session.turns[0]?.id);
    await agree(one, [two, pages.live(session), pages.hydrated(session)]);
  });
});
