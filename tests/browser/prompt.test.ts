// An agent that answers with its prompt, and a chat in a real Chromium: whatever was asked again or
// edited, and in whichever tab, the model is told what the person sees (P6.9).

import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { convertToModelMessages, type UIMessage } from "ai";
import type { Page } from "playwright-core";
import { type AgentSession, conversation, createAgentSession } from "../../sdk/src/agent/index.ts";
import { toUIMessages } from "../../sdk/src/ai-sdk/index.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";
import { useExample } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

interface Chat {
  sendMessage(message: { text: string; messageId?: string }): Promise<void>;
  regenerate(options?: { messageId?: string }): Promise<void>;
}

declare global {
  interface Window {
    chat: Chat;
  }
}

const example = useExample((directory) =>
  buildForDevelopment(join(ROOT, "sdk", "tests", "ai-sdk", "page"), directory),
);
const agents: AgentSession[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.close();
});

function textOf({ parts }: UIMessage): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Answers each input with the number of the answer; gives the prompts, as a model has them. */
function printing(session: string): string[][] {
  const prompts: string[][] = [];
  const agent = createAgentSession({
    url: example.fixture.server.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    onInput: (_, start) => {
      const answer = agent.answer(start, async (turn) => {
        const messages = toUIMessages({ messages: await conversation(agent, start.input ?? "") });
        // No provider takes a prompt that this refuses.
        assert.equal((await convertToModelMessages(messages)).at(-1)?.role, "user");
        prompts.push(messages.map(textOf));
        await turn.stream([`answer ${prompts.length}`]);
      });
      answer.catch((error) => console.error(error));
    },
  });
  agents.push(agent);
  return prompts;
}

async function sees(page: Page): Promise<string[]> {
  const messages = await page.evaluate(() => JSON.parse(JSON.stringify(window.shown.messages)));
  return (messages as UIMessage[]).map(textOf);
}

async function idOf(page: Page, text: string): Promise<string> {
  const messages = await page.evaluate(() => JSON.parse(JSON.stringify(window.shown.messages)));
  return (messages as UIMessage[]).find((message) => textOf(message) === text)?.id ?? "";
}

/** Waits for an answer, and compares what the person saw with the prompt that it was given for. */
async function isAnswered(page: Page, prompts: string[][], count: number): Promise<void> {
  await until(
    () => sees(page),
    (shown) => shown.at(-1) === `answer ${count}`,
    `answer ${count}`,
  );
  await until(
    () => page.locator("#status").textContent(),
    (status) => status === "ready",
    "the chat to be ready",
  );
  const shown = await sees(page);
  assert.deepEqual(prompts[count - 1], shown.slice(0, -1), `the prompt of answer ${count}`);
}

describe("a model is told what the person sees", () => {
  test("through regenerate, edit, edit of an edit, and two tabs", async () => {
    const session = example.fixture.session("prompt");
    const prompts = printing(session);
    const device = await example.device();
    const options = { more: { by: "hook" } };
    const one = (await example.open(device, session, options)).page;
    const two = (await example.open(device, session, options)).page;
    const say = (page: Page, text: string, messageId?: string) =>
      page.evaluate(
        (message) => void window.chat.sendMessage(message),
        messageId ? { text, messageId } : { text },
      );

    await say(one, "first");
    await isAnswered(one, prompts, 1);
    await say(one, "second");
    await isAnswered(one, prompts, 2);
    await one.evaluate(() => void window.chat.regenerate());
    await isAnswered(one, prompts, 3);
    assert.deepEqual(prompts[2], ["first", "answer 1", "second"], "without the answer replaced");

    // The other tab follows, and goes on from what it sees.
    await isAnswered(two, prompts, 3);
    await say(two, "third");
    await isAnswered(two, prompts, 4);
    await isAnswered(one, prompts, 4);

    await say(one, "second, edited", await idOf(one, "second"));
    await isAnswered(one, prompts, 5);
    assert.deepEqual(prompts[4], ["first", "answer 1", "second, edited"]);
    await say(one, "second, edited twice", await idOf(one, "second, edited"));
    await isAnswered(one, prompts, 6);
    assert.deepEqual(prompts[5], ["first", "answer 1", "second, edited twice"]);

    await isAnswered(two, prompts, 6);
    await say(two, "last");
    await isAnswered(two, prompts, 7);
    await two.reload();
    await isAnswered(two, prompts, 7);
  });
});
