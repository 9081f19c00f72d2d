// Calls that a person has to allow, and tools that one device runs: in `useChat` on two devices, in
// a real Chromium.

import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import type { UIMessage } from "ai";
import type { Page } from "playwright-core";
import type { AgentSession } from "../../sdk/src/agent/index.ts";
import type { Shown } from "../../sdk/tests/ai-sdk/page/main.ts";
import { joinShop, shopOf } from "../../sdk/tests/ai-sdk/shop.ts";
import { call, field } from "../support/http.ts";
import { ROOT } from "../support/server.ts";
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
afterEach(() => {
  for (const agent of agents.splice(0)) agent.close();
});

const ASKED = ["Buy it", "[step-start][tool-buy]"];
const ANSWERED = ["Buy it", "[step-start][tool-buy][step-start]It came to: json."];

type Call = { state?: string; output?: unknown; approval?: unknown };

/** The call of the only answer. */
async function callIn(page: Page, state: string): Promise<Call> {
  const found = await until(
    () => page.evaluate(() => JSON.parse(JSON.stringify(window.shown.messages))),
    (messages: UIMessage[]) => (messages[1]?.parts[1] as Call | undefined)?.state === state,
    `the call to be ${state}`,
  );
  return found[1]?.parts[1] as Call;
}

function isReady(page: Page): Promise<unknown> {
  return until(
    () => page.locator("#status").textContent(),
    (status) => status === "ready",
    "the page to wait for nothing",
  );
}

describe("a call that needs approval", () => {
  for (const by of ["hook", "parts"]) {
    test(`is allowed on the other device, and the answer goes on in both (${by})`, async () => {
      const session = fixture.session("approval");
      const shop = shopOf([{ toolCallId: "call-1", item: "tea" }]);
      agents.push(joinShop(fixture.server.url, session, shop).agent);
      const more = { by, approvals: "true" };
      const one = (await example.open(await example.device(), session, { more })).page;
      const two = (await example.open(await example.device(), session, { more })).page;
      await one.fill("input", "Buy it");
      await one.press("input", "Enter");
      for (const page of [one, two]) {
        await shows(page, ASKED);
        await callIn(page, "approval-requested");
        await isReady(page);
      }
      await one.reload();
      await callIn(one, "approval-requested");
      assert.deepEqual(shop.bought, []);
      await two.click("#approve");
      const calls: Call[] = [];
      for (const page of [one, two]) {
        await shows(page, ANSWERED);
        calls.push(await callIn(page, "output-available"));
        await isReady(page);
      }
      const [{ approval, output } = {}, other] = calls;
      assert.deepEqual(output, { bought: "tea" });
      assert.equal((approval as { approved?: boolean }).approved, true);
      assert.deepEqual(other, calls[0], "the same on both");
      await two.reload();
      await shows(two, ANSWERED);
      assert.deepEqual(await callIn(two, "output-available"), calls[0], "and after a reload");
      assert.deepEqual(shop.bought, ["tea"]);
      const answer = await call(fixture.server, session, "GET", "/turns?status=all");
      const statuses = (field(answer, "turns") as { status: string }[]).map(({ status }) => status);
      assert.deepEqual(statuses, ["complete"], "in the same turn");
    });
  }
});

describe("a tool of the page", () => {
  const INPUT = { item: "tea" };

  /** Devices in one session, each with its tool; the first one asks, and has the call. */
  async function asked<T extends string[]>(...tools: T) {
    const session = fixture.session("tool");
    const shop = shopOf([{ toolCallId: "call-1", item: "tea", toolName: "where" }]);
    agents.push(joinShop(fixture.server.url, session, shop).agent);
    const pages: Page[] = [];
    for (const tool of tools) {
      const more = { tool };
      pages.push((await example.open(await example.device(), session, { more })).page);
    }
    const [one] = pages as [Page];
    await one.fill("input", "Where is tea?");
    await one.press("input", "Enter");
    await until(
      () => calls(one),
      (made) => made.length === 1,
      "the call",
    );
    return pages as { [K in keyof T]: Page };
  }

  const calls = (page: Page) => page.evaluate(() => window.shown.calls);

  async function isMade(by: string, ...pages: Page[]): Promise<void> {
    const answered = ["Where is tea?", "[step-start][tool-where][step-start]It came to: json."];
    for (const page of pages) {
      await shows(page, answered);
      const { output } = await callIn(page, "output-available");
      assert.deepEqual(output, { made: by });
      await isReady(page);
    }
  }

  test("runs once, on the device that asked, and both show the output", async () => {
    const [one, two] = await asked("one", "two");
    await isMade("one", one, two);
    assert.deepEqual(await calls(one), [INPUT]);
    assert.deepEqual(await calls(two), []);
    await one.reload();
    await isMade("one", one);
    assert.deepEqual(await calls(one), [], "not again after a reload");
  });

  test("runs anew where the page is reloaded before it has an output", async () => {
    const [one] = await asked("");
    await callIn(one, "input-available");
    await one.evaluate(() => {
      location.hash = location.hash.replace("tool=", "tool=one");
    });
    await one.reload();
    await isMade("one", one);
    assert.deepEqual(await calls(one), [INPUT]);
  });

  test("goes to another device when the one that has it is closed", async () => {
    const [one, two] = await asked("", "two");
    await callIn(two, "input-available");
    assert.deepEqual(await calls(two), []);
    await one.close();
    await isMade("two", two);
    assert.deepEqual(await calls(two), [INPUT]);
  });

  test("is left to whoever answers first, where a person has to", async () => {
    const [one, two] = await asked("", "");
    await callIn(two, "input-available");
    await two.evaluate(() => {
      const { chat } = window as unknown as { chat: { addToolOutput(result: object): void } };
      chat.addToolOutput({ tool: "where", toolCallId: "call-1", output: { made: "a person" } });
    });
    await isMade("a person", one, two);
  });
});
