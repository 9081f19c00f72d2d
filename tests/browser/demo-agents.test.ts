// The demo's agents and its session: killed, restarted, and everything at once for a while.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { devices, type Page } from "playwright-core";
import { until } from "../support/wait.ts";
import { answersOf, type Demo, rests, useDemo } from "./demo.ts";

const demo = useDemo();

const STORY = "Tell me a long story";

/** How long everything breaks, in seconds: a minute in the nightly run. */
const BREAK_S = Number(process.env.SESSILE_BREAK_S ?? 15);

function button(page: Demo, name: string) {
  return page.page.getByRole("button", { name, exact: true });
}

/** Waits until nothing more comes, and returns how much the phone then shows. */
async function halted(page: Demo): Promise<number> {
  let last = -1;
  return until(
    async () => {
      const before = last;
      last = (await page.answers("Phone")).join("").length;
      await page.page.waitForTimeout(700);
      return before;
    },
    (before) => before === last,
    "the text to stop growing",
  );
}

/** A phone of somebody else, who only reads. */
async function guest(session: string): Promise<Page> {
  const page = await (await demo.profile(devices["Pixel 7"])).newPage();
  await page.goto(`${demo.dev.url}/device?session=${session}`);
  await page.getByText("Connected").waitFor();
  return page;
}

/** Waits until a guest's device shows these answers, to the end of its even pace. */
async function shows(page: Page, answers: readonly string[]): Promise<void> {
  await page.getByText("Connected").waitFor();
  await rests(page);
  await until(
    () => answersOf(page),
    (texts) => JSON.stringify(texts) === JSON.stringify(answers),
    "the guest's device to show the same",
  );
}

describe("the agents of the demo", () => {
  test("that are killed go on in the middle of a word when they are started", async () => {
    const page = await demo.open(demo.session());
    await page.write("Laptop", STORY);
    await page.delivers("Phone", 40);
    await button(page, "Kill the agents").click();
    const held = await halted(page);
    const text = (await page.answers("Phone")).join("");
    assert.doesNotMatch(text, /That was all/);
    await button(page, "Start the agents").click();
    await until(
      () => page.answers("Phone"),
      (texts) => texts.join("").length > held + 100,
      "more of the answer",
    );
    const [first = "", ...more] = await page.answers("Phone");
    assert.deepEqual(more, [], "in the same answer");
    // The end may have been half a sign, and is drawn otherwise now.
    assert.equal(first.slice(0, held - 20), text.slice(0, held - 20));
    assert.match((await page.agree()).join(""), /That was all/);
    assert.deepEqual(page.errors, []);
  });

  test("do not notice when the session's object restarts, and no token is lost", async () => {
    const page = await demo.open(demo.session());
    await page.write("Phone", STORY);
    for (const least of [30, 80, 130]) {
      await page.delivers("Laptop", least);
      await button(page, "Restart the session’s object").click();
    }
    await page.page.getByText("Restarted 3 times.").waitFor();
    assert.match((await page.agree()).join(""), /That was all/);
  });

  test(`while everything breaks for ${BREAK_S} s, nothing is lost or repeated`, async (t) => {
    const session = demo.session();
    const page = await demo.open(session, undefined, `&breakFor=${BREAK_S}`);
    const phones = await Promise.all([guest(session), guest(session)]);
    await button(page, "Break things for a minute").click();
    await button(page, "Stop breaking things").waitFor();
    await until(
      async () => {
        for (const name of ["Laptop", "Phone"] as const) {
          const { lost, repeated } = await page.counts(name);
          assert.deepEqual({ lost, repeated }, { lost: 0, repeated: 0 }, `at any time: ${name}`);
        }
        return page.page.locator(".told").textContent();
      },
      (told) => /^Broken and mended:/.test(told ?? ""),
      "everything to be mended",
      120_000,
    );
    t.diagnostic((await page.page.locator(".told").textContent()) ?? "");
    const shown = await page.agree();
    const { delivered } = await page.counts("Laptop");
    t.diagnostic(`${delivered} tokens on each device`);
    assert.ok(delivered > 200, `enough was said: ${delivered} tokens`);
    for (const phone of phones) await shows(phone, shown);
    assert.deepEqual(page.errors, []);
  });
});
