// The looks of the demo: nothing jumps while text streams, every state can be used by everybody,
// and the first view is small.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { devices, type Page } from "playwright-core";
import { assertAccessible } from "../support/axe.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { Demo, useDemo } from "./demo.ts";

const demo = useDemo();
const FIRST_VIEW_KB = 100;

/** From now on every frame of the page adds up what jumps in it. */
async function watchShifts(page: Page): Promise<() => Promise<string[]>> {
  for (const frame of page.frames()) {
    await frame.evaluate(() => {
      const found: string[] = [];
      Object.assign(window, { shifts: found });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { value, sources } = entry as PerformanceEntry & {
            value: number;
            sources: { node?: Node }[];
          };
          const what = sources.map(({ node }) => (node as Element)?.className ?? node?.nodeName);
          if (value > 0) found.push(`${value} by ${what.join(", ")}`);
        }
      }).observe({ type: "layout-shift", buffered: false });
    });
  }
  return async () => {
    const found = await Promise.all(
      page.frames().map((frame) => {
        return frame.evaluate(() => (window as unknown as { shifts: string[] }).shifts);
      }),
    );
    return found.flat();
  };
}

describe("the demo", () => {
  test("nothing jumps on it while an answer streams to both devices", async () => {
    const page = await demo.open(demo.session());
    // The person's own action may move things, and is over.
    await page.write("Laptop", "Tell me a long story");
    await page.delivers("Phone", 10);
    const shifts = await watchShifts(page.page);
    await page.delivers("Phone", 250);
    assert.deepEqual(await shifts(), []);
  });

  test(`its first view has less than ${FIRST_VIEW_KB} KB, gzipped`, async (t) => {
    const page = await (await demo.profile()).newPage();
    const paths = new Set<string>();
    page.on("requestfinished", (request) => {
      const { pathname } = new URL(request.url());
      if (!pathname.startsWith("/v1/")) paths.add(pathname);
    });
    await page.goto(`${demo.dev.url}/?session=${demo.session()}`);
    const it = new Demo(page);
    await it.stands("Laptop", /^Connected/);
    await it.stands("Phone", /^Connected/);
    const names: Record<string, string> = { "/": "/index.html", "/device": "/device.html" };
    const sizes = [...paths].map((path) => {
      const file = join(ROOT, "site", names[path] ?? path);
      return [path, gzipSync(readFileSync(file)).length] as const;
    });
    for (const needed of ["/", "/assets/demo.js", "/device", "/assets/device.js"]) {
      assert.ok(paths.has(needed), `${needed} among ${[...paths]}`);
    }
    const sum = sizes.reduce((all, [, size]) => all + size, 0) / 1024;
    t.diagnostic(`${sum.toFixed(1)} KB: ${sizes.map(([path, size]) => `${path} ${size}`)}`);
    assert.ok(sum < FIRST_VIEW_KB, `${sum} KB`);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [size, viewport] of [
      ["wide", { width: 1280, height: 860 }],
      ["narrow", { width: 390, height: 844 }],
    ] as const) {
      test(`each state can be used by everybody: ${colorScheme}, ${size}`, async () => {
        const context = await demo.profile({ colorScheme, viewport });
        const page = await demo.open(demo.session(), context, "&breakFor=2");
        const look = (state: string) => assertAccessible(page.page, state);
        const press = (name: string) =>
          page.page.getByRole("button", { name, exact: true }).click();
        await look("nothing said yet");
        await page.write("Laptop", "Tell me a long story");
        await page.delivers("Laptop", 10);
        await look("an answer that streams");
        await page.network("Laptop", "Drop the network").click();
        await page.stands("Laptop", /^Offline/);
        await page.write("Laptop", "Ask me a question");
        await look("offline, with a message that waits");
        await page.network("Laptop", "Bring back the network").click();
        await page.network("Laptop", "Freeze the network").click();
        await page.stands("Laptop", /rozen/);
        await look("frozen");
        await page.network("Laptop", "Unfreeze the network").click();
        await page.network("Laptop", "Slow down the network").click();
        await page.device("Laptop").getByText("Where would you rather be?").first().waitFor();
        await look("slow, with a question");
        await page.network("Laptop", "Speed up the network").click();
        await press("Kill the agents");
        await look("without agents");
        await press("Start the agents");
        await press("Restart the session’s object");
        await page.page.getByText("Restarted once.").waitFor();
        await press("Break things for a minute");
        await look("while things break");
        await page.page
          .getByText(/^Broken and mended/)
          .first()
          .waitFor();
        await look("mended");
        if (size === "narrow") {
          await press("Phone");
          await page.device("Phone").getByRole("heading", { level: 1 }).waitFor();
          await look("the other device");
        }
      });
    }

    test(`a device by itself and the form for a token, too: ${colorScheme}`, async () => {
      const context = await demo.profile({ ...devices["Pixel 7"], colorScheme });
      const page = await context.newPage();
      const session = demo.session();
      await page.goto(`${demo.dev.url}/device?session=${session}`);
      await page.getByText("Connected").waitFor();
      await assertAccessible(page, "a device");
      await page.locator("summary", { hasText: "This device" }).click();
      await assertAccessible(page, "its controls");
      await page.goto(`${demo.dev.url}/device`);
      await page.getByText("This address names no session").waitFor();
      await assertAccessible(page, "no session");
      const wrong = await makeToken({
        sub: "sue",
        key: "another key, which nobody here has at all",
      });
      await page.goto(`${demo.dev.url}/device?session=${session}#token=${wrong}`);
      await page.getByRole("alert").first().waitFor();
      await assertAccessible(page, "a token that is refused");
      await page.getByRole("button", { name: "Use another token" }).click();
      await page.getByText("Connected").waitFor();
    });
  }
});
