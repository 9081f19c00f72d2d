// The conversation of the pages, with the scripted agents, in a real Chromium: what streams, and
// everything that a person can do to it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { story } from "../../pages/agent/texts.ts";
import { call, getHistory } from "../support/http.ts";
import { until } from "../support/wait.ts";
import { grows, killAgents, say, stands, startAgents, usable, useTalk } from "./thread.ts";

const talk = useTalk();
const { fixture } = talk;

/** Runs in the page: notes nodes of finished blocks that are replaced, and layout shifts. */
function watchFlicker(): void {
  const replaced: string[] = [];
  const shifts: string[] = [];
  Object.assign(window, { replaced, shifts });
  // Blocks after which another one has begun.
  const done = new WeakSet<Node>();
  const isDone = (node: Node | null): boolean =>
    node !== null && (done.has(node) || isDone(node.parentNode));
  new MutationObserver((records) => {
    for (const { target, removedNodes } of records) {
      if (isDone(target)) replaced.push(`in ${target.textContent}`);
      for (const node of removedNodes) {
        const isBlock = target instanceof Element && target.matches(".text > .markdown");
        if (isBlock || done.has(node)) replaced.push(`${node.textContent}`);
      }
    }
    for (const root of document.querySelectorAll(".text > .markdown")) {
      for (const block of root.children) if (block.nextSibling) done.add(block);
    }
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { value, sources = [] } = entry as PerformanceEntry & {
        value: number;
        sources?: { node?: Node }[];
      };
      const where = sources.map(({ node }) => (node as Element)?.outerHTML?.slice(0, 60));
      shifts.push(`${value.toFixed(4)} ${where}`);
    }
  }).observe({ type: "layout-shift", buffered: false });
}

async function flickered(page: Page): Promise<[string[], string[]]> {
  return page.evaluate(() => {
    const { replaced, shifts } = window as unknown as { replaced: string[]; shifts: string[] };
    return [replaced, shifts];
  });
}

describe("a conversation with the scripted agents", () => {
  test("an answer streams without flicker, to its last character, on two devices", async () => {
    const { page, session } = await talk.begin();
    const other = await talk.open(session, { sub: "ben" });
    await page.evaluate(watchFlicker);
    await other.evaluate(watchFlicker);
    await say(page, "Tell me how this works");
    await stands(page, "complete");
    await stands(other, "complete");
    const [input, answer] = await getHistory(fixture.server, session);
    assert.equal(input?.data, "Tell me how this works");
    assert.equal(answer?.data, story("Tell me how this works", answer?.turn ?? ""));
    for (const each of [page, other]) {
      const [replaced, shifts] = await flickered(each);
      assert.deepEqual(replaced, [], "a block that is whole stays as it is");
      assert.deepEqual(shifts, [], "nothing moves");
      await until(
        () => each.locator(".answer table tbody tr").count(),
        (count) => count === 4,
        "the table",
      );
      await each.locator(".answer p", { hasText: "नमस्ते" }).waitFor();
    }
    await page.getByText("2 sources").click();
    await page.getByText("A position says how far a reader has come.").waitFor();
    await page.getByRole("button", { name: "Good" }).click();
    await other.getByRole("button", { name: "Good, 1" }).waitFor();
    await page
      .getByText(/\d tokens/)
      .first()
      .waitFor();
  });

  test("killed in the middle of a word, it goes on there, and says nothing twice", async () => {
    const { page, session } = await talk.begin();
    await say(page, "Tell me how this works");
    for (const least of [150, 400, 900]) {
      await grows(page, least);
      await killAgents(page);
      await startAgents(page, fixture.server.url, session);
    }
    await stands(page, "complete");
    const [, ...answers] = await getHistory(fixture.server, session);
    assert.equal(answers.length, 1);
    const [answer] = answers;
    assert.equal(answer?.data, story("Tell me how this works", answer?.turn ?? ""));
  });

  test("of two pages with agents one answers, and the other takes over", async () => {
    const { page, session } = await talk.begin();
    const other = await talk.open(session, { sub: "ben" });
    await startAgents(other, fixture.server.url, session);
    await until(
      () => page.locator(".people li", { hasText: "Guide" }).count(),
      (count) => count === 2,
      "both processes to be there",
    );
    await say(page, "Tell me how this works");
    await grows(other, 150);
    const attempt = async () => {
      const { body } = await call(fixture.server, session, "GET", "/turns?status=all");
      return (body as { turns: { attempt: number }[] }).turns.map((turn) => turn.attempt);
    };
    assert.deepEqual(await attempt(), [1], "one of them leads, undisturbed");
    await page.close();
    await stands(other, "complete");
    assert.deepEqual(await attempt(), [2]);
    const [, ...answers] = await getHistory(fixture.server, session);
    assert.equal(answers.length, 1);
    const [answer] = answers;
    assert.equal(answer?.data, story("Tell me how this works", answer?.turn ?? ""));
  });

  test("Escape stops it on every device, and the stop says whose it was", async () => {
    const { page, session } = await talk.begin();
    const other = await talk.open(session, { sub: "ben" });
    await say(page, "Tell me how this works");
    await grows(other, 100);
    await other.getByLabel("Message", { exact: true }).press("Escape");
    await stands(page, "cancelled");
    await page.getByText("Stopped by ben").waitFor();
    await other.getByText("Stopped by you").waitFor();
    await say(page, "Tell me how this works");
    await grows(page, 100, 1);
    // Not while Escape has another use.
    await page.getByRole("button", { name: "Edit" }).first().click();
    await page.getByLabel("Your message, another version").press("Escape");
    await page.getByLabel("Your message, another version").waitFor({ state: "detached" });
    await stands(page, "active", 1);
    await page.getByRole("region", { name: "Conversation" }).press("Escape");
    await stands(page, "cancelled", 1);
  });

  test("an answer that is given can be used by everybody", async () => {
    const { page } = await talk.begin();
    await say(page, "Tell me how this works");
    await grows(page, 100);
    await usable(page, "an answer that is given");
  });

  test("a message goes alongside, interrupts, or steers", async () => {
    const { page } = await talk.begin();
    await say(page, "Tell me how this works");
    await grows(page, 100);
    await say(page, "be brief");
    await stands(page, "complete", 1);
    await stands(page, "active", 0);
    await page.getByLabel("Steer").check();
    await say(page, "shorter, please");
    await stands(page, "complete", 0);
    await page.locator(".answer .text", { hasText: "In short, then:" }).waitFor();
    await page.locator(".steer[data-state=taken]").waitFor();
    const story = await page.locator(".answer >> nth=0").locator(".text").first().textContent();
    assert.ok((story ?? "").length < 1500, "it did not go on to its end");

    await say(page, "Tell me how this works, again");
    await grows(page, 100, 2);
    await page.getByLabel("Interrupt").check();
    await say(page, "brief now");
    await stands(page, "cancelled", 2);
    await stands(page, "complete", 3);
  });

  test("an edit and another answer are versions beside the first ones", async () => {
    const { page } = await talk.begin();
    await say(page, "be brief");
    await stands(page, "complete");
    await page.getByRole("button", { name: "Edit" }).click();
    const field = page.getByLabel("Your message, another version");
    await usable(page, "a message that is edited");
    await field.fill("be very brief");
    await field.press("Enter");
    await page.locator(".said", { hasText: "be very brief" }).getByText("2 of 2").waitFor();
    await stands(page, "complete");
    await page.getByText("be brief", { exact: true }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Answer again" }).click();
    await page.locator(".answer").getByText("2 of 2").waitFor();
    await usable(page, "versions");
    await page.getByRole("button", { name: "Earlier answer" }).click();
    await page.locator(".answer").getByText("1 of 2").waitFor();
    await page.getByRole("button", { name: "Earlier version" }).click();
    await page.getByText("be brief", { exact: true }).waitFor();
    assert.equal(await page.locator(".answer").count(), 1);
  });

  test("three specialists search side by side; one that is stopped finds nothing", async () => {
    const { page, session } = await talk.begin();
    const other = await talk.open(session, { sub: "ben" });
    await say(page, "Plan a trip to Oslo");
    await page.getByRole("button", { name: "Stop Hotels" }).click();
    const specialists = other.locator(".specialists li");
    await usable(other, "specialists at work");
    await stands(other, "complete");
    const states = await specialists.evaluateAll((all) =>
      all.map((one) => (one as HTMLElement).dataset.status),
    );
    assert.deepEqual(states, ["complete", "cancelled", "complete"]);
    await other.locator(".answer em", { hasText: "was stopped" }).waitFor();
    await other.getByText("Oslo").first().waitFor();
    const history = await getHistory(fixture.server, session);
    const clients = new Set(history.map(({ client }) => client));
    for (const client of ["guide", "flights", "activities"]) assert.ok(clients.has(client), client);
  });

  test("killed while the specialists search, all of them go on", async () => {
    const { page, session } = await talk.begin();
    await say(page, "Plan a trip to Oslo");
    await page.locator(".specialists", { hasText: "that fit" }).waitFor();
    await killAgents(page);
    await startAgents(page, fixture.server.url, session);
    await stands(page, "complete");
    const best = page.locator(".specialists li[data-status=complete]", { hasText: "The best:" });
    await until(
      () => best.count(),
      (count) => count === 3,
      "three of the best",
    );
    const said = (await getHistory(fixture.server, session)).map(({ id }) => id);
    assert.equal(new Set(said).size, said.length);
    // The request, five words of each specialist, and two of the guide.
    assert.equal(said.length, 1 + 3 * 5 + 2);
  });

  test("an answer that fails says why, and is given again", async () => {
    const { page } = await talk.begin();
    await say(page, "fail");
    await stands(page, "failed");
    await page.getByText("Failed: the scripted model gave up, as you asked").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".answer").getByText("2 of 2").waitFor();
  });
});
