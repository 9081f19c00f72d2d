// Calls that a person has to allow, in `useChat` on two devices, in a real Chromium.

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
