// Answers of the real `streamText`, in the shapes of recorded streams, in `useChat` in a real
// Chromium: the parts are those without a session, live, in a second tab and after a reload, and
// the model is told again in the next step what its provider needs.

import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { convertToModelMessages, readUIMessageStream, type UIMessage } from "ai";
import type { Page } from "playwright-core";
import { type AgentSession, createAgentSession } from "../../sdk/src/agent/index.ts";
import { streamToTurn, toUIMessages } from "../../sdk/src/ai-sdk/index.ts";
import { fetchSnapshot } from "../../sdk/src/index.ts";
import type { Shown } from "../../sdk/tests/ai-sdk/page/main.ts";
import { type Gate, SHAPES, STREAMS } from "../../sdk/tests/ai-sdk/shapes.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";
import { useExample } from "./example.ts";
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
afterEach(() => {
  for (const agent of agents.splice(0)) agent.close();
});

type Stream = (typeof STREAMS)[string];

/** Answers the first input of a session. */
function answering(session: string, stream: () => ReturnType<Stream>): void {
  const agent = createAgentSession({
    url: fixture.server.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    onInput: (_, start) => {
      agent
        .answer(start, (turn) => streamToTurn(turn, stream()))
        .catch((error) => console.error(error));
    },
  });
  agents.push(agent);
}

/** A message as JSON has it, whatever it is called. */
function plain(message: UIMessage | undefined): unknown {
  const { id: _, ...rest } = JSON.parse(JSON.stringify(message ?? {}));
  return rest;
}

async function reference(stream: ReturnType<Stream>): Promise<UIMessage> {
  let last: UIMessage | undefined;
  const source = stream as Parameters<typeof readUIMessageStream>[0]["stream"];
  for await (const message of readUIMessageStream({ stream: source })) last = message;
  return last as UIMessage;
}

/** The answer as a page shows it. */
function answerIn(page: Page): Promise<UIMessage | undefined> {
  return page.evaluate(() => JSON.parse(JSON.stringify(window.shown.messages))[1]);
}

async function ends(page: Page, what: string): Promise<UIMessage | undefined> {
  await until(
    () => page.locator("#status").textContent(),
    (status) => status === "ready" || status === "error",
    `${what} to end`,
  );
  assert.equal(await page.locator("[role=alert]").count(), 0, `${what}: no error`);
  return answerIn(page);
}

/** A page with the first part of the answer on it. */
async function begun(page: Page): Promise<void> {
  await until(
    () => answerIn(page),
    (answer) => (answer?.parts.length ?? 0) > 1,
    "the answer to have begun",
  );
}

async function isSame(version: string, name: string, by: string): Promise<void> {
  const steps = SHAPES[name] ?? [];
  const stream = STREAMS[version] as Stream;
  const wanted = await reference(stream(steps));
  const session = fixture.session("parts");
  let open: (value?: unknown) => void = () => {};
  const gate: Gate = new Promise((done) => {
    open = done;
  });
  answering(session, () => stream(steps, gate));
  const device = await example.device();
  const options = { more: { by } };
  const one = (await example.open(device, session, options)).page;
  await one.fill("input", "go");
  await one.press("input", "Enter");
  await begun(one);
  const two = (await example.open(device, session, options)).page;
  const three = (await example.open(device, session, options)).page;
  await begun(two);
  await begun(three);
  await three.reload();
  await begun(three);
  open();
  const readers = { live: one, "in a second tab": two, "after a reload": three };
  for (const [what, page] of Object.entries(readers)) {
    const answer = await ends(page, what);
    assert.deepEqual(plain(answer), plain(wanted), what);
    const prompt = await convertToModelMessages([answer as UIMessage]);
    const told = JSON.stringify(await convertToModelMessages([wanted]));
    assert.deepEqual(JSON.parse(JSON.stringify(prompt)), JSON.parse(told), `${what}: the prompt`);
  }
  const token = await makeToken({ sub: "ann", caps: { "*": ["user"] } });
  const stored = await fetchSnapshot({ url: fixture.server.url, session, token });
  assert.deepEqual(plain(toUIMessages(stored).at(-1)), plain(wanted), "as it is stored");
}

describe("the parts of an answer", () => {
  for (const version of Object.keys(STREAMS)) {
    for (const name of Object.keys(SHAPES)) {
      test(`of ${name}, by ${version}`, () => isSame(version, name, "hook"));
    }
  }

  test("of Anthropic Messages, in a chat of the parts", async () => {
    await isSame("ai 7", "Anthropic Messages", "parts");
  });
});
