// Questions and approvals in the conversation, decided on either device, watched
// by others, and a person in the place of the agents.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { makeToken } from "../support/token.ts";
import { settings } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { killAgents, say, stands, startAgents, usable, useTalk } from "./thread.ts";

const talk = useTalk();
const { fixture } = talk;

/** The words of an answer. */
async function says(page: Page, text: string | RegExp): Promise<void> {
  await page.locator(".answer .text", { hasText: text }).first().waitFor();
}

/** A page of somebody who watches: `only`, or with the means to take over. */
async function watch(session: string, watches: string): Promise<Page> {
  const claims = { sub: "sue", name: "Sue", role: "supervisor" };
  const token = await makeToken({ ...claims, caps: { "*": ["supervisor"] } });
  return talk.open(session, { sub: "sue", more: { token, watches } });
}

describe("what the conversation asks", () => {
  test("a question is answered on one device, and is gone on the other at once", async () => {
    const { page, session } = await talk.begin();
    const other = await talk.open(session, { sub: "ben" });
    await say(page, "Ask me something");
    const asked = (on: Page) => on.getByRole("region", { name: "Where would you rather be?" });
    await asked(page).waitFor();
    await usable(page, "a question");
    await asked(other).getByRole("button", { name: "In the mountains" }).click();
    await asked(page).getByText("In the mountains ⛰️, by ben").waitFor();
    await asked(other).getByText("by you").waitFor();
    await until(
      () => asked(page).getByRole("button").count(),
      (count) => count === 0,
      "its buttons to be gone",
    );
    // The button that was pressed is gone, and the focus is where it was.
    await until(
      () => other.evaluate(() => document.activeElement?.getAttribute("aria-label")),
      (focused) => focused === "Where would you rather be?",
      "the focus to stay in its place",
    );
    await says(page, "In the mountains ⛰️: noted");
    await stands(page, "complete");
    await usable(other, "a question that was answered");
    await page.reload();
    await asked(page).getByText("In the mountains ⛰️, by ben").waitFor();
  });

  test("an answer in words dismisses a question", async () => {
    const { page } = await talk.begin();
    await say(page, "Ask me something");
    await page.getByRole("button", { name: "Rather not" }).waitFor();
    await say(page, "be brief");
    await says(page, "Then another time.");
    await stands(page, "complete", 0);
    await stands(page, "complete", 1);
  });

  test("by keyboard alone: asked, answered, another answer, and back", async () => {
    const { page } = await talk.begin();
    /** Goes back from where the focus is to a button, and presses it. */
    const press = async (name: RegExp) => {
      for (let steps = 0; steps < 30; steps += 1) {
        await page.keyboard.press("Shift+Tab");
        const focused = await page.evaluate(() => {
          const { ariaLabel, textContent } = document.activeElement ?? {};
          return ariaLabel ?? textContent ?? "";
        });
        if (name.test(focused)) return page.keyboard.press("Enter");
      }
      assert.fail(`no way to ${name}`);
    };
    await page.getByLabel("Message", { exact: true }).focus();
    await page.keyboard.type("Ask me something");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("please");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Rather not" }).waitFor();
    await press(/^In a city/);
    await says(page, "In a city 🌆: noted");
    await stands(page, "complete");
    await page.getByLabel("Message", { exact: true }).focus();
    await press(/^Answer again$/);
    await page.getByRole("button", { name: "Rather not" }).waitFor();
    const at = () => page.evaluate(() => document.activeElement?.ariaLabel);
    await until(at, (label) => label === "Conversation", "the focus not to go with its button");
    await page.getByLabel("Message", { exact: true }).focus();
    await press(/^Rather not$/);
    await stands(page, "complete");
    await page.getByLabel("Message", { exact: true }).focus();
    await press(/^Earlier answer$/);
    await page.locator(".answer").getByText("1 of 2").waitFor();
    await until(at, (label) => label === "Earlier answer", "the focus to go along");
  });

  test("an approval shows what it allows, and is approved as changed", async () => {
    const { page, session } = await talk.begin();
    const other = await talk.open(session, { sub: "ben" });
    const watcher = await watch(session, "only");
    await say(page, "Plan a trip to Oslo");
    await stands(page, "complete");
    await page.getByRole("button", { name: "Book it" }).click();
    const asked = (on: Page) => on.getByRole("region", { name: "Book the trip to Oslo?" });
    await asked(page).getByText("Destination").waitFor();
    await usable(page, "an approval");
    await asked(watcher).getByText("It waits for an answer.").waitFor();
    assert.equal(await watcher.getByRole("button", { name: /Approve|Stop|Edit/ }).count(), 0);
    await usable(watcher, "an approval that is watched");

    await asked(other).getByLabel("nights").fill("99");
    await asked(other).getByRole("button", { name: "Approve as changed" }).click();
    // The browser itself keeps it within its bounds; a decision from elsewhere is refused by name.
    assert.equal(await asked(other).getByRole("button", { name: "Approve as changed" }).count(), 1);
    await asked(other).getByLabel("nights").fill("5");
    await asked(other).getByRole("button", { name: "Approve as changed" }).click();
    await asked(page).getByText("Approved, by ben").waitFor();
    await says(page, /Booked ✅ Oslo, .*, 5 nights for 2/);
    await stands(page, "complete", 1);
  });

  test("an approval that is rejected is not carried out", async () => {
    const { page } = await talk.begin();
    await say(page, "Refund the order 4711");
    await page.getByRole("region", { name: "Refund the order 4711?" }).waitFor();
    await page.getByRole("button", { name: "Reject" }).click();
    await says(page, "Nothing was refunded.");
    await page.getByText("Rejected, by you").waitFor();
  });

  test("decided while no agent was there, it is carried out when one comes", async () => {
    const { page, session } = await talk.begin();
    await say(page, "Plan a trip to Oslo");
    await stands(page, "complete");
    await say(page, "book it");
    const approve = page.getByRole("button", { name: "Approve", exact: true });
    await approve.waitFor();
    await killAgents(page);
    await approve.click();
    await stands(page, "queued", 1);
    await page.getByText("Waits for an agent").waitFor();
    await startAgents(page, fixture.server.url, session);
    await says(page, "Booked ✅ Oslo");
    await stands(page, "complete", 1);
    assert.equal(await page.locator(".answer >> nth=1").locator(".text").count(), 2);
  });

  test("a person takes over, speaks in the place of the agents, and hands back", async () => {
    const { page, session } = await talk.begin();
    const desk = await watch(session, "1");
    await desk.getByRole("button", { name: "Take over" }).click();
    await page.getByText("Sue answers you now. Sue from support").waitFor();
    await say(desk, "May I help?");
    const said = page.locator(".said[data-role=assistant]", { hasText: "May I help?" });
    await said.waitFor();
    await usable(desk, "a conversation that was taken over");
    await say(page, "be brief");
    await page.locator(".said", { hasText: "be brief" }).waitFor();
    assert.equal(await page.locator(".answer").count(), 0);
    await desk.getByRole("button", { name: "Hand back to the agents" }).click();
    await stands(page, "complete");
    await says(page, "Gladly, and briefly");
  });

  test("a budget that is spent is said beside the composer", async () => {
    const { page, session } = await talk.begin();
    await say(page, "be brief");
    await stands(page, "complete");
    await settings(fixture.server, session, { budget: { totalTokens: 5 } });
    await page.getByText(/The budget is spent \(\d+ of 5 total tokens\)/).waitFor();
    await usable(page, "a budget that is spent");
    await say(page, "be brief, again");
    await page.locator(".said", { hasText: "again" }).waitFor();
    await settings(fixture.server, session, { budget: { totalTokens: 5000 } });
    await page.getByText(/The budget is spent/).waitFor({ state: "detached" });
  });
});
