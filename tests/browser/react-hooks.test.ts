// `sessile/react` in a real Chromium, with a page of its own (`sdk/tests/react/page`): when it
// renders and how often, what it shows in between, and how long it stays connected.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createSession, fetchSnapshot } from "../../sdk/src/index.ts";
import { App, Late } from "../../sdk/tests/react/page/app.ts";
import type { Seen } from "../../sdk/tests/react/page/main.ts";
import { type Client, connect } from "../support/client.ts";
import { diagnostics } from "../support/fixture.ts";
import { tokens } from "../support/random.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { AGENT, USER } from "../support/turns.ts";
import { paced, until } from "../support/wait.ts";
import { says, shows, texts, useExample } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

declare global {
  interface Window {
    seen: Seen;
    /** Callbacks for the next frame, since frames are made by hand. */
    waiting: Map<number, FrameRequestCallback>;
    /** How often the session in the page reported messages. */
    heard: number;
  }
}

/** A frame of a slow screen. */
const FRAME_MS = 100;

const example = useExample((directory) =>
  buildForDevelopment(join(ROOT, "sdk", "tests", "react", "page"), directory),
);
const { fixture } = example;

async function facts(page: Page, pattern: RegExp): Promise<void> {
  await until(
    () => page.textContent("#facts"),
    (text) => pattern.test(text ?? ""),
    `facts like ${pattern}`,
  );
}

/** A message that is going to be streamed, by hand. */
async function stream(session: string): Promise<{ bot: Client; serial: string }> {
  const bot = await connect(fixture.server, session, AGENT);
  return { bot, serial: await bot.publish("", { role: "assistant", status: "streaming" }) };
}

/** From now on frames come only by `draw`. */
async function holdFrames(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const real = window.requestAnimationFrame.bind(window);
    for (let i = 0; i < 3; i += 1) await new Promise(real);
    window.waiting = new Map();
    let last = 0;
    window.requestAnimationFrame = (call) => {
      last += 1;
      window.waiting.set(last, call);
      return last;
    };
    window.cancelAnimationFrame = (id) => void window.waiting.delete(id);
  });
}

function draw(page: Page): Promise<void> {
  return page.evaluate(() => {
    const calls = [...window.waiting.values()];
    window.waiting.clear();
    for (const call of calls) call(performance.now());
  });
}

function commits(page: Page): Promise<number> {
  return page.evaluate(() => window.seen.commits);
}

/** Waits until the session in the page holds a text, whatever is shown. */
async function holds(page: Page, text: string): Promise<void> {
  await until(
    () => page.evaluate(() => window.seen.session.messages.at(-1)?.data),
    (held) => held === text,
    `the session to hold ${text}`,
  );
}

describe("what sessile/react renders", () => {
  test("the first token at once, without a frame; those after it with the next frame", async () => {
    const session = fixture.session();
    const { page } = await example.open(await example.device(), session);
    await facts(page, / connected /);
    const { bot, serial } = await stream(session);
    await shows(page, [""]);
    await holdFrames(page);
    await bot.appendAll(serial, ["one "], 1);
    await shows(page, ["one "]);
    const first = await commits(page);
    await bot.appendAll(serial, [..."abcdefgh"], 2);
    await holds(page, "one abcdefgh");
    assert.deepEqual(await texts(page), ["one "], "no frame has come yet");
    assert.equal(await commits(page), first);
    await draw(page);
    await shows(page, ["one abcdefgh"]);
    assert.equal(await commits(page), first + 1, "eight of them are one render");
    await draw(page);
    await bot.appendAll(serial, ["two"], 10);
    await shows(page, ["one abcdefghtwo"]);
  });

  test("a page that is hidden before its next frame does not wait for it", async () => {
    const session = fixture.session();
    const { page } = await example.open(await example.device(), session);
    await facts(page, / connected /);
    const { bot, serial } = await stream(session);
    await shows(page, [""]);
    await holdFrames(page);
    await bot.appendAll(serial, ["one "], 1);
    await shows(page, ["one "]);
    await bot.appendAll(serial, ["two "], 2);
    await holds(page, "one two ");
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await shows(page, ["one two "]);
    await bot.appendAll(serial, ["three"], 3);
    await shows(page, ["one two three"]);
  });

  test("while text streams, no more often than the browser draws", async () => {
    const session = fixture.session();
    const { page } = await example.open(await example.device(), session);
    const { bot, serial } = await stream(session);
    await shows(page, [""]);
    await holdFrames(page);
    await page.evaluate((frame) => {
      // So slow a screen that even a busy machine hears more often than it draws.
      setInterval(() => {
        const calls = [...window.waiting.values()];
        window.waiting.clear();
        for (const call of calls) call(performance.now());
      }, frame);
      window.heard = 0;
      window.seen.session.on("message", () => {
        window.heard += 1;
      });
    }, FRAME_MS);
    const count = () =>
      page.evaluate(() => {
        const { frames, commits } = window.seen;
        return { frames, commits, heard: window.heard };
      });
    const before = await count();
    const pieces = tokens(300);
    // One after the other, so that none waits for another and comes along with it.
    for (const [i, data] of pieces.entries()) {
      await bot.ok({ type: "append", serial, data, seq: i + 1 });
    }
    await shows(page, [pieces.join("")]);
    const after = await count();
    const drawn = after.frames - before.frames;
    const rendered = after.commits - before.commits;
    assert.ok(rendered <= drawn + 2, `${rendered} renders, ${drawn} frames`);
    assert.ok(rendered * 2 < after.heard, `${rendered} renders, ${after.heard} messages`);
    assert.ok(rendered > 2, "and it does stream");
  });

  test("no two parts of a page ever show different states", async () => {
    const session = fixture.session();
    const more = { slowly: "yes" };
    const { page } = await example.open(await example.device(), session, { more });
    await facts(page, / connected /);
    const { bot, serial } = await stream(session);
    const pieces = tokens(45);
    await paced(pieces.length, 15, (i) => {
      bot.send({ type: "append", serial, data: pieces[i] ?? "", seq: i + 1 });
    });
    await shows(page, [pieces.join("")]);
    await until(
      () => page.locator(".newest").allTextContents(),
      (all) => all.length === 8 && all.every((text) => text === pieces.join("")),
      "all parts to show all",
    );
    assert.deepEqual(await page.evaluate(() => window.seen.torn), []);
    await until(
      () => page.locator(".newest").first().getAttribute("data-round"),
      (round) => Number(round) > 2,
      "transitions, which were interrupted",
    );
  });
});

describe("the shared state in sessile/react", () => {
  test("P9.2 a component renders for its part of the tree, and for no other", async () => {
    const session = fixture.session();
    const more = { parts: "trip.city,trip.votes,other" };
    const { page } = await example.open(await example.device(), session, { more });
    await facts(page, / connected /);
    const bot = await connect(fixture.server, session, AGENT);
    const change = (ops: object[]) => bot.ok({ type: "state", ops });
    const reads = (id: string, json: string) =>
      until(
        () => page.textContent(`#${id}`),
        (text) => text === json,
        `${id} to be ${json}`,
      );
    await change([{ op: "set", path: ["trip"], value: { city: { name: "Oslo" }, votes: 0 } }]);
    await reads("trip-city", '{"name":"Oslo"}');
    await reads("trip-votes", "0");
    const renders = () => page.evaluate(() => ({ ...window.seen.renders }));
    const before = await renders();
    for (let vote = 1; vote <= 10; vote += 1) {
      await change([{ op: "increment", path: ["trip", "votes"], by: 1 }]);
      await reads("trip-votes", String(vote));
    }
    const after = await renders();
    assert.equal(after["trip.city"], before["trip.city"], "the city did not change");
    assert.equal(after.other, before.other);
    const more10 = (after["trip.votes"] ?? 0) - (before["trip.votes"] ?? 0);
    assert.equal(more10, 10, "each vote is one render");
    // The same value again is none, nor is the whole of it set to what it was.
    await change([{ op: "set", path: ["trip", "city"], value: { name: "Oslo" } }]);
    await change([{ op: "set", path: ["other"], value: 1 }]);
    await reads("other", "1");
    assert.equal((await renders())["trip.city"], before["trip.city"]);
    await bot.close();
  });
});

describe("how long sessile/react is connected", () => {
  async function connected(session: string): Promise<number> {
    const { connections } = await diagnostics(fixture.server, session);
    return connections.filter(({ client }) => client === "ann").length;
  }

  test("over another mount in its place, and no longer than anything is mounted", async () => {
    const session = fixture.session();
    const { page, sockets } = await example.open(await example.device(), session);
    await facts(page, / connected /);
    const writer = await connect(fixture.server, session, USER);
    await writer.publish("hello");
    await shows(page, ["hello"]);
    for (const key of ["second", "third"]) await page.evaluate((it) => window.seen.mount(it), key);
    await writer.publish("again");
    await shows(page, ["hello", "again"]);
    await facts(page, / connected /);
    assert.equal(sockets.length, 1);
    await page.evaluate(() => window.seen.mount());
    await until(
      () => page.locator("#facts").count(),
      (count) => count === 0,
      "nothing mounted",
    );
    await until(
      () => page.evaluate(() => window.seen.session.connection.state),
      (state) => state === "idle",
      "the session to be closed",
    );
    await writer.publish("missed");
    await page.evaluate(() => window.seen.mount("fourth"));
    await shows(page, ["hello", "again", "missed"]);
    assert.equal(sockets.length, 2);
    assert.ok((await connected(session)) <= 2, "the first may be on its way out");
  });

  /** Writes `rendered.html`, with the page as it is for a snapshot; gives its position. */
  async function render(session: string): Promise<string> {
    const options = { url: fixture.server.url, session, token: () => makeToken(USER) };
    const initial = await fetchSnapshot(options);
    const app = { session: createSession({ ...options, initial }), children: createElement(Late) };
    const snapshot = JSON.stringify(initial).replaceAll("<", "\\u003c");
    const empty = readFileSync(join(example.directory, "index.html"), "utf8");
    const script = `<script type="application/json" id="initial">${snapshot}</script>`;
    const html = renderToString(createElement(App, app));
    const whole = empty.replace('<main id="root">', `${script}$&${html}`);
    assert.notEqual(whole, empty);
    writeFileSync(join(example.directory, "rendered.html"), whole);
    return initial.serial;
  }

  test("a page from a server goes on from its snapshot, with one socket and no read", async () => {
    const session = fixture.session();
    const { bot, serial } = await stream(session);
    await bot.appendAll(serial, ["said before"], 1);
    const position = await render(session);
    await bot.appendAll(serial, [", said after"], 2);
    const context = await example.device();
    await context.addInitScript(() => {
      const without: number[] = [];
      Object.assign(window, { without });
      new MutationObserver(() => {
        const list = document.querySelector("#root ol");
        if (window.seen && !list?.textContent?.startsWith("said before")) without.push(1);
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
    const opened = await example.open(context, session, { path: "rendered.html" });
    await shows(opened.page, ["said before, said after"]);
    await facts(opened.page, / connected /);
    assert.deepEqual([opened.sockets.length, opened.reads], [1, []]);
    assert.match(opened.sockets[0] ?? "", new RegExp(`since=${position}`));
    const without = await opened.page.evaluate(
      () => (window as unknown as { without: number[] }).without,
    );
    assert.deepEqual(without, [], "it was never without its text");
    // The part hydrated only now was rendered long ago; React would complain of any other text.
    assert.equal(await opened.page.textContent("#late"), "said before");
    await opened.page.evaluate(() => window.seen.hydrateLate());
    await says(opened.page, "#late", "said before, said after");
  });
});
