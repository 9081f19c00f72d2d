// The conversation of the pages, with the scripted agents, in a real Chromium: what streams, and
// everything that a person can do to it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { story } from "../../pages/agent/texts.ts";
import { getHistory } from "../support/http.ts";
import { until } from "../support/wait.ts";
import { useExample } from "./example.ts";
import { buildThread, killAgents, startAgents } from "./thread.ts";

const example = useExample(buildThread);
const { fixture } = example;

async function open(session: string, sub = "ann", given?: BrowserContext): Promise<Page> {
  const context = given ?? (await example.device());
  const { page } = await example.open(context, session, { sub });
  await page.waitForFunction(() => document.querySelector("output")?.textContent === "connected");
  return page;
}

/** A page with the agents beside it, in a session of its own. */
async function begin(): Promise<{ page: Page; session: string }> {
  const session = fixture.cutSession();
  const page = await open(session);
  await startAgents(page, fixture.server.url, session);
  await page.getByText("Guide").first().waitFor();
  return { page, session };
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until the text of an answer has so many characters. */
async function grows(page: Page, more: number, at = 0): Promise<void> {
  await page.waitForFunction(
    ([place, least]) => {
      const text = document.querySelectorAll(".answer")[place ?? 0]?.querySelector(".text");
      return (text?.textContent ?? "").length > (least ?? 0);
    },
    [at, more] as const,
  );
}

async function stands(page: Page, status: string, at = 0): Promise<void> {
  await page.locator(`.answer >> nth=${at}`).waitFor();
  await page.waitForFunction(
    ([place, wanted]) =>
      document.querySelectorAll(".answer")[Number(place)]?.getAttribute("data-status") === wanted,
    [String(at), status] as const,
    { timeout: 60_000 },
  );
}

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
        if (done.has(node)) replaced.push(`${node.textContent}`);
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
    const { page, session } = await begin();
    const other = await open(session, "ben");
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
      assert.equal(await each.locator(".answer table tbody tr").count(), 4);
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
    const { page, session } = await begin();
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
    const { page, session } = await begin();
    const other = await open(session, "ben");
    await startAgents(other, fixture.server.url, session);
    await until(
      () => page.locator(".people li", { hasText: "Guide" }).count(),
      (count) => count === 2,
      "both processes to be there",
    );
    await say(page, "Tell me how this works");
    await grows(other, 150);
    await page.close();
    await stands(other, "complete");
    const [, ...answers] = await getHistory(fixture.server, session);
    assert.equal(answers.length, 1);
    const [answer] = answers;
    assert.equal(answer?.data, story("Tell me how this works", answer?.turn ?? ""));
  });

  test("Escape stops it on every device, and the stop says whose it was", async () => {
    const { page, session } = await begin();
    const other = await open(session, "ben");
    await say(page, "Tell me how this works");
    await grows(other, 100);
    await other.getByLabel("Message", { exact: true }).press("Escape");
    await stands(page, "cancelled");
    await page.getByText("Stopped by ben").waitFor();
    await other.getByText("Stopped by You").waitFor();
  });

  test("a message goes alongside, interrupts, or steers", async () => {
    const { page } = await begin();
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
    const { page } = await begin();
    await say(page, "be brief");
    await stands(page, "complete");
    await page.getByRole("button", { name: "Edit" }).click();
    const field = page.getByLabel("Your message, another version");
    await field.fill("be very brief");
    await field.press("Enter");
    await page.locator(".said", { hasText: "be very brief" }).getByText("2 of 2").waitFor();
    await stands(page, "complete");
    assert.equal(await page.getByText("be brief", { exact: true }).count(), 0);
    await page.getByRole("button", { name: "Answer again" }).click();
    await page.locator(".answer").getByText("2 of 2").waitFor();
    await page.getByRole("button", { name: "Earlier answer" }).click();
    await page.locator(".answer").getByText("1 of 2").waitFor();
    await page.getByRole("button", { name: "Earlier version" }).click();
    await page.getByText("be brief", { exact: true }).waitFor();
    assert.equal(await page.locator(".answer").count(), 1);
  });

  test("three specialists search side by side; one that is stopped finds nothing", async () => {
    const { page, session } = await begin();
    const other = await open(session, "ben");
    await say(page, "Plan a trip to Oslo");
    await page.getByRole("button", { name: "Stop Hotels" }).click();
    const specialists = other.locator(".specialists li");
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

  test("an answer that fails says why, and is given again", async () => {
    const { page } = await begin();
    await say(page, "fail");
    await stands(page, "failed");
    await page.getByText("Failed: the scripted model gave up, as you asked").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".answer").getByText("2 of 2").waitFor();
  });
});
