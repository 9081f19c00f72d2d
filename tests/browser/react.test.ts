// `examples/react` in a real Chromium, built as for development: StrictMode mounts everything
// twice, and whatever React complains of fails the test.

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { type Client, connect } from "../support/client.ts";
import { diagnostics } from "../support/fixture.ts";
import { getHistory } from "../support/http.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { tokens } from "../support/random.ts";
import { ROOT } from "../support/server.ts";
import { agent, answer, end, start, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { ends, lines, says, send, shows, texts, useExample, wasSteady } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

const example = useExample((directory) =>
  buildForDevelopment(join(ROOT, "examples", "react"), directory),
);
const { fixture } = example;

async function isConnected(page: Page): Promise<void> {
  await says(page, "#connection", "connected");
}

/** An agent that has begun to answer. */
async function answering(session: string): Promise<{ bot: Client; turn: string; serial: string }> {
  const bot = await agent(fixture.server, session);
  const { id } = await start(bot);
  return { bot, turn: id, serial: await answer(bot, id) };
}

function isCancelled({ type, turn }: { type: string; turn?: unknown }, id: string): boolean {
  return type === "turn.cancel" && (turn as { id: string }).id === id;
}

describe("the React example", () => {
  test("messages stream, and StrictMode keeps one socket", async () => {
    const session = fixture.session();
    const { page, sockets, reads } = await example.open(await example.device(), session);
    await isConnected(page);
    const { bot, turn, serial } = await answering(session);
    await until(
      () => texts(page),
      ({ length }) => length === 1,
      "the answer to begin",
    );
    await page.evaluate(() => {
      const [line] = document.querySelectorAll("#messages > li");
      const shrunk: string[] = [];
      Object.assign(window, { line, shrunk });
      let held = "";
      new MutationObserver(() => {
        const text = line?.textContent ?? "";
        if (!text.startsWith(held)) shrunk.push(text);
        held = text;
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    const pieces = tokens(100);
    await bot.appendAll(serial, pieces, 1);
    await ends(page, pieces.join(""), "streaming");
    await bot.ok({ type: "append", serial, data: ".", seq: 101, status: "complete" });
    await end(bot, turn);
    await ends(page, `${pieces.join("")}.`, "complete");
    const seen = await page.evaluate(() => {
      const { line, shrunk } = window as unknown as { line: Element; shrunk: string[] };
      return { isSame: line === document.querySelector("#messages > li"), shrunk };
    });
    assert.deepEqual(seen, { isSame: true, shrunk: [] }, "one element, whose text only grew");
    const { connections } = await diagnostics(fixture.server, session);
    assert.deepEqual(
      connections.filter(({ client }) => client === "ann").map(({ kind }) => kind),
      ["socket"],
    );
    assert.deepEqual([sockets.length, reads], [1, []]);
    await says(page, "#present", "1");
  });

  test("a thousand messages: the first 50 by one request, older ones on demand", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const all = Array.from({ length: 1_000 }, (_, i) => `message ${i}`);
    for (let i = 0; i < all.length; i += 100) {
      const messages = all.slice(i, i + 100).map((data) => ({ data }));
      await writer.ok({ type: "publish", messages });
    }
    const { page, sockets, reads } = await example.open(await example.device(), session);
    await isConnected(page);
    await shows(page, all.slice(-50));
    assert.deepEqual([sockets.length, reads], [1, []], "all of them came with the connection");
    await page.click("#older");
    await shows(page, all.slice(-70));
    assert.equal(reads.length, 1, "one request for a page");
    for (let shown = 90; shown <= 1_010; shown += 20) {
      const count = Math.min(shown, all.length);
      await page.click("#older");
      await page.waitForFunction(
        (wanted) => document.querySelectorAll("#messages > li").length === wanted,
        count,
      );
    }
    await shows(page, all);
    await page.locator("#older").waitFor({ state: "detached" });
    assert.equal(reads.length, 48, "each page was read once");
  });

  test("stop cancels the turn; what was said stays", async () => {
    const session = fixture.session();
    const { page } = await example.open(await example.device(), session);
    await isConnected(page);
    const { bot, turn, serial } = await answering(session);
    await bot.appendAll(serial, ["as far ", "as this"], 1);
    await ends(page, "as far as this", "streaming");
    await page.click(".stop");
    const { turn: asked } = await bot.next((frame) => isCancelled(frame, turn), "a cancel");
    assert.equal(asked?.cancel?.by, "ann");
    await end(bot, turn, "cancelled");
    await ends(page, "as far as this", "cancelled");
    await until(
      () => page.locator(".stop").count(),
      (count) => count === 0,
      "no turn to stop",
    );
  });

  test("what is sent while an answer runs interrupts it, in one step", async () => {
    const session = fixture.session();
    const { page } = await example.open(await example.device(), session);
    await isConnected(page);
    const { bot, turn, serial } = await answering(session);
    await bot.appendAll(serial, ["a long story"], 1);
    await page.waitForSelector(".stop");
    await send(page, "once no, the other one");
    await bot.next((frame) => isCancelled(frame, turn), "a cancel");
    await bot.next(({ message }) => message?.data === "once no, the other one", "the message");
    await end(bot, turn, "cancelled");
    await until(
      () => lines(page),
      ([first, second]) => first?.state === "cancelled" && second?.state === undefined,
      "the story to be cancelled, the message to be sent",
    );
    await shows(page, ["a long story", "once no, the other one"]);
    await wasSteady(page);
  });

  test("who is there is counted on every device, and is not when a page goes", async () => {
    const session = fixture.session();
    const { page } = await example.open(await example.device(), session);
    await says(page, "#present", "1");
    const { page: other } = await example.open(await example.device(), session, { sub: "bob" });
    await says(page, "#present", "2");
    await says(other, "#present", "2");
    await other.close();
    await says(page, "#present", "1");
  });
});

describe("the React example without a network", () => {
  /** A page behind a wire that can be cut; `then` ends with the wire whole. */
  async function cut(then: (page: Page, proxy: CuttingProxy, session: string) => Promise<void>) {
    const session = fixture.cutSession();
    const proxy = await CuttingProxy.start(fixture.server.port);
    try {
      const { page } = await example.open(await example.device(), session, { base: proxy.url });
      await isConnected(page);
      await then(page, proxy, session);
      proxy.plug();
      await page.evaluate(() => window.dispatchEvent(new Event("online")));
      await isConnected(page);
      await until(
        () => lines(page),
        (all) => all.every(({ state }) => state === undefined),
        "everything to be sent",
      );
      const stored = (await getHistory(fixture.server, session)).map(({ data }) => data);
      await shows(page, stored.map(String));
      assert.equal(new Set(stored).size, stored.length, "each arrived once");
      await wasSteady(page);
      await page.close();
    } finally {
      await proxy.stop();
    }
  }

  test("what is sent offline is shown as pending, and arrives once, in its order", () =>
    cut(async (page, proxy, session) => {
      const before = await connect(fixture.server, session, USER);
      await before.publish("before");
      proxy.unplug();
      await until(
        () => page.textContent("#connection"),
        (state) => state !== "connected",
        "the page to notice",
      );
      for (const text of ["once a", "once b", "once c"]) {
        await send(page, text);
        await ends(page, text, "pending");
      }
      await before.publish("once from elsewhere");
      assert.equal((await getHistory(fixture.server, session)).length, 2, "nothing got through");
    }));

  test("what arrived without its acknowledgement is not sent twice", () =>
    cut(async (page, proxy, session) => {
      proxy.stall();
      await send(page, "once only");
      await until(
        () => getHistory(fixture.server, session),
        ({ length }) => length === 1,
        "the message to arrive",
      );
      await ends(page, "once only", "pending");
      proxy.unplug();
    }));
});
