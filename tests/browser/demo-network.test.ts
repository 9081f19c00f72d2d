// The networks of the demo's two devices: dropped, frozen, slowed, and gone with the server.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FrameLocator } from "playwright-core";
import { until } from "../support/wait.ts";
import { type Demo, type Device, useDemo } from "./demo.ts";

const demo = useDemo();

const STORY = "Tell me a long story";

/** From now on a device notes if the text of an answer ever does anything but grow at its end. */
async function watchGrowth(device: FrameLocator): Promise<() => Promise<string[]>> {
  const body = device.locator("body");
  await body.evaluate((element) => {
    const found: string[] = [];
    Object.assign(window, { notGrown: found });
    const read = (): string[] =>
      [...element.querySelectorAll(".answer .markdown")].map((one) => one.textContent ?? "");
    let held = read();
    new MutationObserver(() => {
      const texts = read();
      for (const [at, text] of held.entries()) {
        const now = texts[at] ?? "";
        if (now.startsWith(text)) continue;
        found.push(`…${text.slice(-60)} became …${now.slice(-60)}`);
      }
      held = texts;
    }).observe(element, { childList: true, subtree: true, characterData: true });
  });
  return () => body.evaluate(() => (window as unknown as { notGrown: string[] }).notGrown);
}

/** The length of all answers on a device. */
async function length(page: Demo, device: Device): Promise<number> {
  return (await page.answers(device)).join("").length;
}

/** Waits until a device shows more than it did. */
function grows(page: Demo, device: Device, from: number): Promise<number> {
  return until(
    () => length(page, device),
    (now) => now > from,
    `the ${device} to show more than ${from} characters`,
  );
}

describe("a device of the demo", () => {
  test("whose network is dropped goes on where it was, and what was written waits", async () => {
    const page = await demo.open(demo.session());
    await page.write("Laptop", STORY);
    await grows(page, "Laptop", 200);
    const grown = await watchGrowth(page.device("Laptop"));
    await page.network("Laptop", "Drop the network").click();
    await page.stands("Laptop", /^Offline/);
    // Text that had arrived already is shown to its end.
    await grows(page, "Phone", (await length(page, "Phone")) + 200);
    const held = await length(page, "Laptop");
    await page.write("Laptop", "Ask me a question");
    await page.device("Laptop").getByText("Waits to be sent").waitFor();
    await grows(page, "Phone", held + 300);
    assert.equal(await length(page, "Laptop"), held, "nothing comes while it is offline");
    const { lost } = await page.counts("Laptop");
    assert.equal(lost, 0, "what is on its way is not lost");
    await page.network("Laptop", "Bring back the network").click();
    await page.stands("Laptop", /^Connected, nothing missed/);
    await page.hears("Phone", "Ask me a question");
    await page.device("Laptop").getByText("Waits to be sent").waitFor({ state: "detached" });
    await page.device("Laptop").getByText("Where would you rather be?").first().waitFor();
    assert.deepEqual(await grown(), [], "it went on where it had stopped");
    await page.settles();
    assert.deepEqual(page.errors, []);
  });

  test("keeps what was written offline over a reload, and sends it once", async () => {
    const page = await demo.open(demo.session());
    await page.network("Phone", "Drop the network").click();
    await page.stands("Phone", /^Offline/);
    await page.write("Phone", "Ask me a question");
    await page.device("Phone").getByText("Waits to be sent").waitFor();
    await page.reload("Phone");
    await page.stands("Phone", /^Offline/);
    await page.device("Phone").getByText("Waits to be sent").waitFor();
    assert.equal(await page.device("Laptop").locator(".said").count(), 0);
    await page.network("Phone", "Bring back the network").click();
    await page.device("Laptop").locator(".said").waitFor();
    await page.device("Phone").getByText("Where would you rather be?").first().waitFor();
    await page.settles();
    assert.equal(await page.device("Laptop").locator(".said").count(), 1);
    assert.equal(await page.device("Phone").locator(".said").count(), 1);
  });

  test("whose network is frozen hears everything once it is not", async () => {
    const page = await demo.open(demo.session());
    await page.write("Phone", STORY);
    await grows(page, "Laptop", 100);
    await page.network("Laptop", "Freeze the network").click();
    await page.stands("Laptop", /^Frozen/);
    // Text that had arrived already is shown to its end.
    await grows(page, "Phone", (await length(page, "Phone")) + 200);
    const held = await length(page, "Laptop");
    const grown = await watchGrowth(page.device("Laptop"));
    await grows(page, "Phone", held + 400);
    assert.equal(await length(page, "Laptop"), held, "nothing arrives");
    await page.network("Laptop", "Unfreeze the network").click();
    await grows(page, "Laptop", held + 400);
    assert.deepEqual(await grown(), []);
    await page.settles();
  });

  test("whose network is slow shows everything, later", async () => {
    const page = await demo.open(demo.session());
    await page.network("Phone", "Slow down the network").click();
    await page.stands("Phone", /slow/);
    await page.write("Laptop", STORY);
    await grows(page, "Laptop", 1);
    assert.equal(await length(page, "Phone"), 0, "it is behind");
    const grown = await watchGrowth(page.device("Phone"));
    await grows(page, "Phone", 400);
    await page.network("Phone", "Speed up the network").click();
    await page.stands("Phone", /^Connected$|nothing missed/);
    assert.deepEqual(await grown(), []);
    await page.settles();
  });

  test("that is reloaded in the middle of an answer shows all of it", async () => {
    const page = await demo.open(demo.session());
    await page.write("Laptop", STORY);
    const before = await grows(page, "Laptop", 200);
    await page.reload("Laptop");
    await grows(page, "Laptop", before);
    const grown = await watchGrowth(page.device("Laptop"));
    await page.agree();
    assert.deepEqual(await grown(), []);
  });

  test("survives the death of the server, and so does the answer", async () => {
    const page = await demo.open(demo.session());
    await page.write("Laptop", STORY);
    await grows(page, "Laptop", 200);
    const grown = await watchGrowth(page.device("Laptop"));
    process.kill(demo.dev.workerd(), "SIGKILL");
    await page.stands("Laptop", /^Connection lost|^Connecting/);
    await demo.dev.stop();
    await demo.dev.start();
    assert.match((await page.agree()).join(""), /That was all/);
    assert.deepEqual(await grown(), [], "what anybody saw is still there");
  });
});
