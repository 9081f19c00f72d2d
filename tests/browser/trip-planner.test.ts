// `examples/trip-planner` in a real Chromium, with its four agents as processes of their own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { getHistory } from "../support/http.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { getSnapshot, getTurns } from "../support/turns.ts";
import { until, within } from "../support/wait.ts";
import { says, texts, useExample } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

const FOLDER = join(ROOT, "examples", "trip-planner");
const SPECIALISTS = ["flights", "hotels", "activities"];

const example = useExample((directory) => buildForDevelopment(FOLDER, directory));
const { fixture } = example;

/** The planner and the specialists, each another client, all joined. */
async function agents(t: TestContext, session: string, paceMs: number): Promise<void> {
  const joined = ["planner", ...SPECIALISTS].map(async (name) => {
    const TOKEN = await makeToken({ sub: name, caps: { "*": ["agent"] } });
    const place = { URL: fixture.server.url, SESSION: session, TOKEN, PACE_MS: String(paceMs) };
    const child = spawn(process.execPath, [`agents/${name}.ts`], {
      cwd: FOLDER,
      env: { ...process.env, ...place },
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const connected = new Promise<void>((done) => {
      child.stdout.on("data", (text) => String(text).includes("connected") && done());
    });
    await within(connected, `${name} to join`);
  });
  await Promise.all(joined);
}

async function open(session: string, sub = "ann"): Promise<Page> {
  const { page } = await example.open(await example.device(), session, { sub });
  await says(page, "#connection", "connected");
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  const line = page.getByLabel("Message");
  await line.fill(text);
  await line.press("Enter");
}

/** The moment in which all three have begun, and none is done. */
async function atOnce(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      [...document.querySelectorAll("progress")].filter(
        ({ value, max }) => value > 0 && value < max,
      ).length === 3,
  );
}

/** Chooses an option, again if it moved from under the pointer while others were found. */
async function choose(page: Page, name: string): Promise<void> {
  const option = page.getByLabel(name);
  await until(
    async () => {
      if (!(await option.isChecked())) await option.click();
      return option.isChecked();
    },
    (isChosen) => isChosen,
    `${name} to be chosen`,
  );
}

async function stands(page: Page, status: string): Promise<void> {
  for (const id of SPECIALISTS) await page.waitForSelector(`#${id}[data-status=${status}]`);
}

/** Everything that a page shows, as text, but for its connection. */
function shown(page: Page): Promise<string> {
  return page.evaluate(() => {
    const bars = [...document.querySelectorAll("progress")].map(({ value }) => value);
    const chosen = [...document.querySelectorAll("input:checked")].map(
      (it) => it.parentElement?.textContent,
    );
    const parts = ["#messages", "#plan"].map((at) => document.querySelector(at)?.textContent);
    return JSON.stringify([...parts, bars, chosen]);
  });
}

async function showTheSame(...pages: [Page, Page]): Promise<void> {
  await until(
    () => Promise.all(pages.map(shown)),
    ([one, other]) => one === other,
    "both pages to show the same",
  );
}

describe("the trip planner", () => {
  test("three specialists at once, selections on every device, an itinerary of them", async (t) => {
    // A page that is built for development opens its first connection twice, and resets the first.
    const session = fixture.cutSession();
    const [page, other] = [await open(session), await open(session, "bob")];
    await agents(t, session, 700);
    await say(page, "Plan a trip to Lisbon");
    await Promise.all([atOnce(page), atOnce(other)]);
    await stands(page, "active");
    // Selected while they search, on one device; changed on the other one.
    await choose(page, "Morning flight");
    await other.waitForFunction(() => document.querySelector("#flights input:checked"));
    await choose(other, "Evening flight");
    // In the middle of it.
    await page.reload();
    await page.getByLabel("Evening flight").and(page.locator(":checked")).waitFor();
    await showTheSame(page, other);
    await stands(page, "complete");
    await choose(other, "River House");
    await until(
      () => texts(page),
      (lines) => lines.at(-1) === "For Lisbon there are 3 flights, 3 hotels, 4 activities.",
      "the planner to be done",
    );
    await page.getByLabel("River House").and(page.locator(":checked")).waitFor();
    await page.click("text=My itinerary");
    const answer = "You go to Lisbon: Evening flight, direct, River House, for 355 € in all.";
    for (const device of [page, other]) {
      await until(
        () => texts(device),
        (lines) => lines.at(-1) === answer,
        "the itinerary of what was selected",
      );
    }
    await page.reload();
    await says(page, "#connection", "connected");
    await showTheSame(page, other);
    // Each was led by another client, within the planner's turn.
    const { turns } = await getTurns(fixture.server, session, "?status=all");
    const plan = turns.find(({ agent, id }) => agent === "planner" && !id.includes("/"));
    const within = turns.filter((turn) => (turn as { within?: string }).within !== undefined);
    assert.deepEqual(within.map(({ agent }) => agent).sort(), SPECIALISTS.toSorted());
    assert.ok(plan);
  });

  test("stop ends all four, from the other device, and nothing is written after it", async (t) => {
    const session = fixture.cutSession();
    const [page, other] = [await open(session), await open(session, "bob")];
    // Slow enough for the other device to stop them before any is done.
    await agents(t, session, 1_000);
    await say(page, "Plan a trip to Lisbon");
    await atOnce(page);
    await other.click("#stop");
    await Promise.all([stands(page, "cancelled"), stands(other, "cancelled")]);
    await page.waitForSelector("#stop", { state: "detached" });
    const { turns } = await getTurns(fixture.server, session, "?status=all");
    assert.deepEqual(
      turns.map(({ status, cancel }) => [status, cancel?.by]),
      turns.map(() => ["cancelled", "bob"]),
    );
    assert.equal(turns.length, 4);
    const { serial } = await getSnapshot(fixture.server, session);
    // The agents are there: an answer comes, and nothing else.
    await say(page, "What is my itinerary?");
    await until(
      () => texts(page),
      (lines) => lines.at(-1) === "You go to Lisbon, and have chosen nothing yet.",
      "an answer",
    );
    const after = (await getHistory(fixture.server, session)).filter((it) => serial < it.version);
    assert.deepEqual(
      after.map(({ client, name }) => [client, name]),
      [
        ["ann", "message"],
        ["planner", "message"],
      ],
    );
    await showTheSame(page, other);
  });
});
