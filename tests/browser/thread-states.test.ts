// How the conversation looks while something is missing: messages, a network, a valid token, older
// history, an agent; and who is told of it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { assertNotTooWide } from "../support/fit.ts";
import { call, getHistory } from "../support/http.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { makeToken } from "../support/token.ts";
import { post } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { grows, killAgents, say, stands, usable, useTalk } from "./thread.ts";

const talk = useTalk();
const { fixture } = talk;

/** Messages that were there before. */
async function fill(session: string, count: number): Promise<void> {
  for (let at = 1; at <= count; at += 1) {
    const json = { data: `message ${at}` };
    const { status } = await call(fixture.server, session, "POST", "/messages", { json });
    assert.equal(status, 201);
  }
}

/** Where a message is on screen. */
function topOf(page: Page, text: string): Promise<number | undefined> {
  return page
    .locator(".said", { hasText: new RegExp(`${text}\\D*$`) })
    .first()
    .boundingBox()
    .then((box) => box?.y);
}

describe("a conversation in each state", () => {
  test("empty, it offers something to say", async () => {
    const { page } = await talk.begin();
    await page.getByText("Nothing was said yet").waitFor();
    await usable(page, "an empty conversation");
    await page.getByRole("button", { name: "Ask me something" }).click();
    await page.getByRole("region", { name: "Where would you rather be?" }).waitFor();
  });

  test("before it is read it has a place; offline messages wait, over a reload", async () => {
    const session = fixture.cutSession();
    const proxy = await CuttingProxy.start(fixture.server.port);
    try {
      proxy.unplug();
      const context = await talk.example.device();
      const away = { base: proxy.url, context, isAway: true };
      const page = await talk.open(session, away);
      await page.getByRole("status", { name: "Reading the conversation" }).waitFor();
      await usable(page, "a conversation that is being read");
      proxy.plug();
      await page.locator("output", { hasText: /^connected$/ }).waitFor();

      proxy.unplug();
      await page.getByText("No connection. What you write is sent when it is back.").waitFor();
      await say(page, "Are you there?");
      await page.getByText("Waits to be sent").waitFor();
      await usable(page, "a conversation without a network");
      await page.close();
      const again = await talk.open(session, away);
      await again.locator(".said[data-state=pending]", { hasText: "Are you there?" }).waitFor();
      proxy.plug();
      await again.locator(".said[data-state=sent]", { hasText: "Are you there?" }).waitFor();
      assert.equal(await again.locator(".said").count(), 1);
    } finally {
      await proxy.stop();
    }
  });

  test("refused, it says why and offers to try again", async () => {
    const session = fixture.cutSession();
    const token = await makeToken({ sub: "ann", caps: { other: ["user"] } });
    const page = await talk.open(session, { isAway: true, more: { token } });
    await page.getByRole("alert").getByText("This session cannot be reached").waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await usable(page, "a session that cannot be reached");
  });

  test("a message that is refused is sent again or taken back", async () => {
    const page = await talk.open(fixture.cutSession());
    await page.getByLabel("Message", { exact: true }).fill("long ".repeat(60_000));
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Not sent:").waitFor();
    await usable(page, "a message that was refused");
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByText("Nothing was said yet").waitFor();
  });

  test("older messages come in above, and what is in sight stays there", async () => {
    const session = fixture.cutSession();
    await fill(session, 90);
    const page = await talk.open(session);
    await page.getByText("message 90").waitFor();
    assert.equal(await page.locator(".said").count(), 50);
    const older = page.getByRole("button", { name: "Earlier messages" });
    await older.scrollIntoViewIfNeeded();
    const was = await topOf(page, "message 41");
    await older.click();
    await until(
      () => page.locator(".said").count(),
      (count) => count === 80,
      "30 more messages",
    );
    await until(
      () => topOf(page, "message 41"),
      (is) => Math.abs((is ?? 0) - (was ?? 0)) < 2,
      `what was at ${was} to be there`,
    );
    await older.click();
    await older.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "To the newest" }).click();
    await page.getByText("message 90").waitFor();
  });

  test("the end stays in sight of those who are there; for others nothing moves", async () => {
    const { page } = await talk.begin();
    await page.setViewportSize({ width: 390, height: 500 });
    await say(page, "Tell me how this works");
    await grows(page, 900);
    const left = () =>
      page.locator(".scroller").evaluate((box) => {
        return box.scrollHeight - box.scrollTop - box.clientHeight;
      });
    await until(left, (height) => height < 2, "it to follow the end");
    await page.locator(".scroller").hover();
    await page.mouse.wheel(0, -2_000);
    await page.getByRole("button", { name: "To the newest" }).waitFor();
    const top = await until(
      () => page.locator(".scroller").evaluate((box) => box.scrollTop),
      (now) => now === 0,
      "the wheel to have come to the beginning",
    );
    await grows(page, 1_300);
    assert.equal(await page.locator(".scroller").evaluate((box) => box.scrollTop), top);
    await usable(page, "a conversation that was scrolled, on a phone");
    await page.getByRole("button", { name: "To the newest" }).click();
    await until(left, (height) => height < 2, "the end to be in sight");
    await assertNotTooWide(page, "a conversation on a phone");
  });

  test("a whole answer is read out, its tokens are not", async () => {
    const { page } = await talk.begin();
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      const region = document.querySelector(".thread > [aria-live]");
      new MutationObserver(() => heard.push(region?.textContent ?? "")).observe(region as Element, {
        characterData: true,
        childList: true,
        subtree: true,
      });
    });
    await say(page, "be brief");
    await stands(page, "complete");
    const heard = await until(
      () => page.evaluate(() => (window as unknown as { heard: string[] }).heard),
      (words) => words.length > 0,
      "something to be read out",
    );
    const words = "Gladly, and briefly: nothing is lost, and nothing is said twice. 🌱";
    assert.deepEqual(heard, [`Guide: ${words}`]);
  });

  test("it shows who is there, who types, who has read, and that an agent is gone", async () => {
    const { page, session } = await talk.begin();
    const token = await makeToken({ sub: "ben", name: "Ben", caps: { "*": ["user"] } });
    const other = await talk.open(session, { sub: "ben", more: { token } });
    await page.locator(".people li", { hasText: "Ben, Laptop" }).waitFor();
    await other.getByLabel("Message", { exact: true }).pressSequentially("Hel");
    await page.getByText("Ben is typing…").waitFor();
    await say(page, "Tell me how this works");
    await page.getByText("Read by Ben").waitFor();
    await grows(page, 100);
    await killAgents(page);
    await page.locator(".people li", { hasText: "Guide" }).waitFor({ state: "detached" });
    await page.getByText("The agent has left: messages wait for it.").waitFor();
  });

  test("an agent that says nothing is shown as that, and its loss as a failure", async () => {
    const session = fixture.cutSession();
    const page = await talk.open(session);
    await say(page, "Are you there?");
    await page.locator(".said[data-state=sent]").waitFor();
    const [{ serial = "" } = {}] = await getHistory(fixture.server, session);
    const start = { type: "turn.start", input: serial, leaseMs: 3_000 };
    const { status } = await post(fixture.server, session, start);
    assert.equal(status, 200);
    await page.getByText("Thinking…").waitFor();
    await page.getByText("Nothing heard for a while: the agent may be gone").waitFor();
    await usable(page, "a silent agent");
    await page.getByText("Failed: the agent was lost").waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await usable(page, "an answer that failed");
  });
});
