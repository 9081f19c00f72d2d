// `examples/vanilla` in a real Chromium: what is sent outlives the network and the page.

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import { getHistory } from "../support/http.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { ROOT } from "../support/server.ts";
import { agent, answer, end, start } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { ends, lines, says, send, shows, useExample, wasSteady } from "./example.ts";

const example = useExample(async (directory) => {
  for (const file of ["index.html", "main.js"]) {
    copyFileSync(join(ROOT, "examples", "vanilla", file), join(directory, file));
  }
  const outfile = join(directory, "sessile.js");
  const entryPoints = [join(ROOT, "sdk", "src", "index.ts")];
  await build({ entryPoints, bundle: true, format: "esm", outfile });
});
const { fixture } = example;

interface Place {
  session: string;
  proxy: CuttingProxy;
  context: BrowserContext;
  /** The page, which knows before it is connected who it is; or does not. */
  open(client?: string): Promise<Page>;
}

/** A device behind a wire that can be cut. */
async function cut(then: (place: Place) => Promise<void>): Promise<void> {
  const session = fixture.cutSession();
  const proxy = await CuttingProxy.start(fixture.server.port);
  try {
    const context = await example.device();
    const open = async (client?: string) => {
      const more: Record<string, string> = client ? { client } : {};
      const { page } = await example.open(context, session, { base: proxy.url, more });
      return page;
    };
    await then({ session, proxy, context, open });
    await context.close();
  } finally {
    await proxy.stop();
  }
}

async function isOffline(page: Page): Promise<void> {
  await until(
    () => page.textContent("#connection"),
    (state) => state === "waiting" || state === "connecting",
    "the page to be offline",
  );
}

async function comeBack({ proxy }: Place, ...pages: Page[]): Promise<void> {
  proxy.plug();
  for (const page of pages) {
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    await says(page, "#connection", "connected");
  }
}

/** Everywhere the same, each once, and nothing left to send. */
async function arrived({ session }: Place, page: Page, wanted: string[]): Promise<void> {
  await shows(page, wanted);
  await until(
    () => lines(page),
    (all) => all.every(({ state }) => state === "complete"),
    "everything to be sent",
  );
  const stored = await getHistory(fixture.server, session);
  assert.deepEqual(
    stored.map(({ data }) => data),
    wanted,
  );
  await until(
    () => waiting(page),
    (count) => count === 0,
    "the outbox to be empty",
  );
  await wasSteady(page);
}

/** How many messages are in the outbox. */
function waiting(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const opening = indexedDB.open("sessile-outbox", 1);
    await new Promise((done) => {
      opening.onsuccess = done;
    });
    const counting = opening.result.transaction("messages").objectStore("messages").count();
    await new Promise((done) => {
      counting.onsuccess = done;
    });
    opening.result.close();
    return counting.result;
  });
}

describe("the page without a framework", () => {
  test("an answer streams, and stop cancels it", async () => {
    const session = fixture.session();
    const { page } = await example.open(await example.device(), session);
    await says(page, "#connection", "connected");
    await send(page, "once a question");
    await ends(page, "once a question", "complete");
    const bot = await agent(fixture.server, session);
    const { id } = await start(bot);
    const serial = await answer(bot, id);
    await bot.appendAll(serial, ["an ", "answer"], 1);
    await ends(page, "an answer", "streaming");
    await page.click("#stop");
    const { turn } = await bot.next("turn.cancel");
    assert.deepEqual([turn?.id, turn?.cancel?.by], [id, "ann"]);
    await end(bot, id, "cancelled");
    await ends(page, "an answer", "cancelled");
    await wasSteady(page);
  });

  test("send while offline, reload, come back: the message arrives once", () =>
    cut(async (place) => {
      const page = await place.open("ann");
      await says(page, "#connection", "connected");
      place.proxy.unplug();
      await isOffline(page);
      const sent = ["once a", "once b", "once c"];
      for (const text of sent) {
        await send(page, text);
        await ends(page, text, "pending");
      }
      await until(
        () => waiting(page),
        (count) => count === 3,
        "the outbox to hold them",
      );
      await page.reload();
      await shows(page, sent);
      assert.ok((await lines(page)).every(({ state }) => state === "pending"));
      await comeBack(place, page);
      await arrived(place, page, sent);
      await page.reload();
      await arrived(place, page, sent);
    }));

  for (const client of ["ann", undefined]) {
    test(`what arrived unacknowledged before a reload is there once, client: ${client}`, () =>
      cut(async (place) => {
        const page = await place.open(client);
        await says(page, "#connection", "connected");
        place.proxy.stall();
        await send(page, "once only");
        await until(
          () => getHistory(fixture.server, place.session),
          ({ length }) => length === 1,
          "the message to arrive",
        );
        await ends(page, "once only", "pending");
        place.proxy.unplug();
        await page.reload();
        await isOffline(page);
        await comeBack(place, page);
        await arrived(place, page, ["once only"]);
      }));
  }

  test("two tabs share what waits: both send it, and it arrives once", () =>
    cut(async (place) => {
      const page = await place.open("ann");
      await says(page, "#connection", "connected");
      place.proxy.unplug();
      await isOffline(page);
      await send(page, "once for both");
      await until(
        () => waiting(page),
        (count) => count === 1,
        "the outbox to hold it",
      );
      const other = await place.open("ann");
      await ends(other, "once for both", "pending");
      await comeBack(place, other, page);
      await arrived(place, page, ["once for both"]);
      await arrived(place, other, ["once for both"]);
    }));

  test("what one user wrote is not sent by another on the same device", () =>
    cut(async (place) => {
      const page = await place.open("ann");
      await says(page, "#connection", "connected");
      place.proxy.unplug();
      await isOffline(page);
      await send(page, "once by ann");
      await until(
        () => waiting(page),
        (count) => count === 1,
        "the outbox to hold it",
      );
      await page.close();
      place.proxy.plug();
      const { page: other } = await example.open(place.context, place.session, {
        sub: "bob",
        base: place.proxy.url,
      });
      await says(other, "#connection", "connected");
      await send(other, "once by bob");
      await ends(other, "once by bob", "complete");
      assert.equal(await waiting(other), 1, "it still waits for ann");
      const again = await place.open();
      await arrived(place, again, ["once by bob", "once by ann"]);
      assert.deepEqual(
        (await getHistory(fixture.server, place.session)).map(({ client }) => client),
        ["bob", "ann"],
      );
    }));
});
