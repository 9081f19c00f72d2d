// The actions of a page in `useChat` beside reading: it makes calls, allows them, stops, and
// learns that it cannot reach its session; in a real Chromium, on two devices.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import type { UIMessage, UIMessageChunk } from "ai";
import type { Page } from "playwright-core";
import { type AgentSession, createAgentSession } from "../../sdk/src/agent/index.ts";
import { streamToTurn, toUIMessages } from "../../sdk/src/ai-sdk/index.ts";
import { fetchSnapshot } from "../../sdk/src/index.ts";
import type { Shown } from "../../sdk/tests/ai-sdk/page/main.ts";
import type { Chunk } from "../../sdk/tests/ai-sdk/random-stream.ts";
import { connect } from "../support/client.ts";
import { call, field } from "../support/http.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { AGENT } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { shows, useExample } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

declare global {
  interface Window {
    shown: Shown;
  }
}

const example = useExample((directory) =>
  buildForDevelopment(join(ROOT, "sdk", "tests", "ai-sdk", "page"), directory),
);
const { fixture } = example;
const agents: AgentSession[] = [];
const ends: (() => void)[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.close();
  for (const end of ends.splice(0)) end();
});

const START: Chunk[] = [{ type: "start" }, { type: "start-step" }];
const END: Chunk[] = [{ type: "finish-step" }, { type: "finish", finishReason: "stop" }];

function words(...texts: string[]): Chunk[] {
  const id = "0";
  const deltas = texts.map((delta) => ({ type: "text-delta", id, delta }));
  return [{ type: "text-start", id }, ...deltas, { type: "text-end", id }];
}

function asks(...ids: string[]): Chunk[] {
  return ids.flatMap((toolCallId) => [
    { type: "tool-input-start", toolCallId, toolName: "pick" },
    { type: "tool-input-delta", toolCallId, inputTextDelta: '{"of":' },
    { type: "tool-input-delta", toolCallId, inputTextDelta: `"${toolCallId}"}` },
    { type: "tool-input-available", toolCallId, toolName: "pick", input: { of: toolCallId } },
  ]);
}

/** Answers each input with the next of some streams; gives the inputs as they come. */
function answering(session: string, ...streams: Chunk[][]): unknown[] {
  const inputs: unknown[] = [];
  const agent = createAgentSession({
    url: fixture.server.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    onInput: ({ name, data }, start) => {
      inputs.push([name, data]);
      const chunks = streams.shift() ?? [];
      const source = (async function* () {
        for (const chunk of chunks) {
          if (chunk.type === "wait") await new Promise((done) => setTimeout(done, 60_000).unref());
          else yield chunk as unknown as UIMessageChunk;
        }
      })();
      // One that is left in the middle has failed, which is none of this test's.
      agent.answer(start, (turn) => streamToTurn(turn, source)).catch(() => {});
    },
  });
  agents.push(agent);
  return inputs;
}

async function ask(page: Page): Promise<void> {
  await page.fill("input", "go");
  await page.press("input", "Enter");
}

function messagesIn(page: Page): Promise<UIMessage[]> {
  return page.evaluate(() => JSON.parse(JSON.stringify(window.shown.messages)));
}

/** The only answer, when it ends in a text. */
async function answerIn(page: Page, text: string, what: string): Promise<UIMessage> {
  const messages = await until(
    () => messagesIn(page),
    (list) => JSON.stringify(list.at(-1)?.parts.at(-1) ?? "").includes(text),
    `${what} to end with ${text}`,
  );
  assert.deepEqual(
    messages.map(({ role }) => role),
    ["user", "assistant"],
    what,
  );
  return messages[1] as UIMessage;
}

function callsIn(page: Page): Promise<unknown[]> {
  return page.evaluate(() => window.shown.calls);
}

/** On all devices, after a reload, and as it is stored: one answer, and the same. */
async function isOne(session: string, text: string, ...pages: Page[]): Promise<UIMessage> {
  const [first, ...others] = pages as [Page, ...Page[]];
  const wanted = await answerIn(first, text, "the page that asked");
  for (const page of others) {
    assert.deepEqual(await answerIn(page, text, "another device"), wanted, "another device");
  }
  await first.reload();
  assert.deepEqual(await answerIn(first, text, "after a reload"), wanted, "after a reload");
  const token = await makeToken({ sub: "ann", caps: { "*": ["user"] } });
  const stored = toUIMessages(await fetchSnapshot({ url: fixture.server.url, session, token }));
  assert.deepEqual(JSON.parse(JSON.stringify(stored.at(-1))), wanted, "as it is stored");
  assert.equal(stored.length, 2);
  return wanted;
}

describe("calls that a page makes", () => {
  test("are made once, with their inputs; the answer goes on in the same message", async () => {
    const session = fixture.session("calls");
    const answer = [...START, ...words("Blue ", "it is."), ...END];
    const inputs = answering(session, [...START, ...asks("a", "b"), ...END], answer);
    const one = (await example.open(await example.device(), session, { more: { tool: "one" } }))
      .page;
    const two = (await example.open(await example.device(), session)).page;
    await ask(one);
    const { parts } = await isOne(session, "it is.", one, two);
    const outputs = parts.map((part) => (part as { output?: unknown }).output);
    assert.deepEqual(outputs.slice(1, 3), [{ made: "one" }, { made: "one" }]);
    assert.deepEqual(await callsIn(two), [{ of: "a" }, { of: "b" }]);
    assert.deepEqual(await callsIn(one), [], "not again after the reload");
    assert.deepEqual(inputs, [
      ["message", "go"],
      ["tool-output", { made: "one" }],
    ]);
  });

  test("are shown with their outputs while the answer goes on", async () => {
    const session = fixture.session("calls");
    const waiting = [...START, ...words("Let me ", "see"), { type: "wait" }];
    answering(session, [...START, ...asks("a"), ...END], waiting);
    const one = (await example.open(await example.device(), session, { more: { tool: "one" } }))
      .page;
    await ask(one);
    const wanted = await answerIn(one, "see", "the page that asked");
    const two = (await example.open(await example.device(), session, { more: { tool: "two" } }))
      .page;
    assert.deepEqual(await answerIn(two, "see", "another device"), wanted);
    assert.deepEqual(await callsIn(two), [], "what is made already is not made again");
  });

  test("that it allows are made, and the answer goes on in the same message", async () => {
    const session = fixture.session("approval");
    const request = { type: "tool-approval-request", approvalId: "ok", toolCallId: "a" };
    const output = { type: "tool-output-available", toolCallId: "a", output: 1 };
    const inputs = answering(
      session,
      [...START, ...asks("a"), request, ...END],
      [{ type: "start" }, output, ...START.slice(1), ...words("Done."), ...END],
    );
    const one = (await example.open(await example.device(), session)).page;
    const two = (await example.open(await example.device(), session)).page;
    await ask(one);
    await shows(two, ["go", "[step-start][tool-pick]"]);
    await until(
      () => one.locator("#status").textContent(),
      (status) => status === "ready",
      "the first turn to end",
    );
    await one.click("#approve");
    await one.evaluate(() => window.shown.sendMessage());
    const { parts } = await isOne(session, "Done.", one, two);
    const { state, approval } = parts[1] as { state?: string; approval?: unknown };
    assert.deepEqual([state, approval], ["output-available", { id: "ok", approved: true }]);
    assert.deepEqual(inputs[1], ["tool-approval", { approvalId: "ok", approved: true }]);
  });
});

describe("stop", () => {
  test("of a component that knows no session ends the turn on the other device", async () => {
    const session = fixture.session("stop");
    answering(session, [...START, ...words("A long ", "answer"), { type: "wait" }]);
    const one = (await example.open(await example.device(), session)).page;
    const two = (await example.open(await example.device(), session)).page;
    await ask(one);
    await shows(two, ["go", "[step-start]A long answer"]);
    await two.click("#stop");
    for (const page of [two, one]) {
      await until(
        () => page.locator("#status").textContent(),
        (status) => status === "ready",
        "it to be over",
      );
    }
    const answer = await until(
      () => call(fixture.server, session, "GET", "/turns?status=all"),
      (list) => JSON.stringify(field(list, "turns")).includes('"cancelled"'),
      "the turn to be cancelled",
    );
    const [turn] = field(answer, "turns") as { cancel?: { by: string } }[];
    assert.equal(turn?.cancel?.by, "ann");
  });

  test("before the answer began: it does not begin", async () => {
    const session = fixture.session("stop");
    const one = (await example.open(await example.device(), session)).page;
    await ask(one);
    await shows(one, ["go"]);
    await until(
      () => call(fixture.server, session, "GET", "/messages"),
      (list) => (field(list, "messages") as unknown[]).length === 1,
      "the question to be there",
    );
    await one.click("#stop");
    await until(
      () => one.locator("#status").textContent(),
      (status) => status === "ready",
      "it to be over",
    );
    const list = await call(fixture.server, session, "GET", "/messages");
    const [{ serial } = { serial: "" }] = field(list, "messages") as { serial: string }[];
    const agent = await connect(fixture.server, session, AGENT);
    const { turn } = await agent.ok({ type: "turn.start", input: serial });
    assert.equal((turn as { cancel?: { by: string } }).cancel?.by, "ann");
    await agent.close();
  });
});

describe("a session that cannot be reached", () => {
  /** A page with this token, or at this address, that asks; what it says. */
  async function said(more: Record<string, string>): Promise<string> {
    const session = fixture.session("reach");
    const { page } = await example.open(await example.device(), session, { more });
    await ask(page);
    const alert = page.locator("[role=alert]");
    await alert.waitFor({ timeout: 10_000 });
    assert.equal(await page.locator("#status").textContent(), "error");
    return (await alert.textContent()) ?? "";
  }

  test("since the token is signed with another key", async () => {
    const [head, body] = (await makeToken({ sub: "ann", caps: { "*": ["user"] } })).split(".");
    assert.match(await said({ token: `${head}.${body}.${"a".repeat(43)}` }), /signature|token/i);
  });

  test("since the token is no token", async () => {
    assert.match(await said({ token: "<!doctype html>" }), /JWT/);
  });

  test("since the url is that of a session", async () => {
    assert.match(await said({ url: `${fixture.server.url}/v1/sessions/demo` }), /address|url/);
  });

  test("since the url is another server's", async () => {
    const server = createServer((_, response) => {
      const headers = {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "authorization",
      };
      response.writeHead(200, headers).end("<!doctype html>");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    assert.match(await said({ url: `http://127.0.0.1:${port}` }), /url|reach/);
  });
});
