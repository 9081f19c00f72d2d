// Text that grows at an even pace, in a real Chromium: windows of 250 ms look like smaller ones,
// nothing is more than one window behind or ahead of what is stored, and the end is the same.

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { createAgentSession, text } from "../../sdk/src/agent/index.ts";
import type { Seen } from "../../sdk/tests/react/page/main.ts";
import { connect } from "../support/client.ts";
import { tokens } from "../support/random.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { AGENT } from "../support/turns.ts";
import { paced, sleep, until } from "../support/wait.ts";
import { useExample } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

/** The text that a page has shown in each frame, and that its session held, with the times. */
interface Watched {
  frames: { at: number; text: string }[];
  held: { at: number; text: string }[];
}

declare global {
  interface Window {
    seen: Seen;
    watched: Watched;
  }
}

const WINDOW_MS = 250;
const TOKENS = tokens(400);
const WHOLE = TOKENS.join("");
const PER_SECOND = 100;
/** Less than half of a window. */
const MOMENT_MS = 80;
/** The part of a text that a busy machine may show late; without a pace it would be nearly all. */
const MOST_UNEVEN = 0.3;

const pageOf = (...folder: string[]) =>
  useExample((directory) => buildForDevelopment(join(ROOT, "sdk", "tests", ...folder), directory));
const hooks = pageOf("react", "page");
const chat = pageOf("ai-sdk", "page");

/** From now on notes the last line of the page in each frame. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const watched: Watched = { frames: [], held: [] };
    window.watched = watched;
    const look = () => {
      const line = document.querySelector("#messages > li:last-child");
      watched.frames.push({ at: performance.now(), text: line?.textContent ?? "" });
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    window.seen?.session.subscribe(() => {
      const text = String(window.seen.session.messages.at(-1)?.data ?? "");
      if (text !== watched.held.at(-1)?.text) watched.held.push({ at: performance.now(), text });
    });
  });
}

function watchedIn(page: Page): Promise<Watched> {
  return page.evaluate(() => window.watched);
}

function comes(page: Page, line: string): Promise<unknown> {
  return until(
    async () => (await watchedIn(page)).frames.at(-1)?.text,
    (shown) => shown === line,
    "the whole answer",
  );
}

/** The part of a text that came when a moment had more than twice its even share. */
function unevenIn(frames: Watched["frames"], perMs: number): number {
  let uneven = 0;
  let all = 0;
  frames.slice(1).forEach(({ at, text }, index) => {
    const more = text.length - (frames[index]?.text.length ?? 0);
    // One frame alone says little: a busy machine draws one late, and the next one early.
    const then = frames.findLast((it) => it.at <= at - MOMENT_MS) ?? frames[0];
    const isMuch = text.length - (then?.text.length ?? 0) > 2 * perMs * (at - (then?.at ?? 0));
    all += more;
    if (isMuch) uneven += more;
  });
  return uneven / all;
}

/** Text in each millisecond. */
const PER_MS = (WHOLE.length / TOKENS.length) * (PER_SECOND / 1000);

describe("text at an even pace", () => {
  const stream = async (t: TestContext, more: Record<string, string>) => {
    const session = hooks.fixture.session();
    const { page } = await hooks.open(await hooks.device(), session, { more });
    await until(
      () => page.textContent("#facts"),
      (facts) => / connected /.test(facts ?? ""),
      "the page to be connected",
    );
    const bot = await connect(hooks.fixture.server, session, AGENT);
    t.after(() => bot.close());
    const serial = await bot.publish("", { role: "assistant", status: "streaming" });
    await watch(page);
    await paced(TOKENS.length, PER_SECOND, (at) =>
      bot.send({ type: "append", serial, data: TOKENS[at], seq: at + 1 }),
    );
    return { page, bot, serial, session };
  };

  test("comes evenly from windows of 250 ms, by the hooks", async (t) => {
    const { page, bot, serial } = await stream(t, { rollup: String(WINDOW_MS) });
    await comes(page, WHOLE);
    const { frames, held } = await watchedIn(page);
    t.diagnostic(`${held.length} windows, ${frames.length} frames`);
    assert.ok(held.length < TOKENS.length / 10, `${held.length} windows`);
    const uneven = unevenIn(frames, PER_MS);
    t.diagnostic(`${Math.round(uneven * 100)} % of the text came unevenly`);
    assert.ok(uneven < MOST_UNEVEN, `${uneven} of the text came at once`);
    const steps = new Set(frames.map(({ text }) => text)).size;
    assert.ok(steps > 3 * held.length, `${steps} steps from ${held.length} windows`);
    frames.forEach(({ at, text }, index) => {
      const now = held.findLast((it) => it.at <= at)?.text ?? "";
      assert.ok(now.startsWith(text), `"${text}" is not stored`);
      // A page looks at a window in its next frame, and what it then shows is there in another.
      const seenAt = frames[index - 3]?.at ?? 0;
      const due = held.findLast((it) => it.at <= seenAt - WINDOW_MS)?.text ?? "";
      assert.ok(text.length >= due.length, `${text.length} of ${due.length} at ${at}`);
    });
    // The end, with a text that no window had brought, comes with its status, and at once.
    await bot.ok({ type: "append", serial, data: "the end", seq: TOKENS.length + 1 });
    await bot.ok({ type: "append", serial, status: "complete", seq: TOKENS.length + 2 });
    await comes(page, `${WHOLE}the end`);
    await until(
      () => page.evaluate(() => window.seen.session.messages.at(-1)?.status),
      (status) => status === "complete",
      "the end",
    );
  });

  test("is whole at once for somebody who joins in the middle", async (t) => {
    const { session } = await stream(t, { rollup: String(WINDOW_MS) });
    const { page } = await hooks.open(await hooks.device(), session, { more: { rollup: "250" } });
    await page.waitForSelector("#messages > li");
    const first = await page.textContent("#messages > li");
    assert.equal(first, WHOLE);
  });

  test("comes evenly from the windows that useSessileChat asks for", async (t) => {
    const session = chat.fixture.session();
    const { page, sockets } = await chat.open(await chat.device(), session);
    await page.waitForSelector("#status");
    const agent = createAgentSession({
      url: chat.fixture.server.url,
      session,
      token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
      onInput: (_, start) => void agent.answer(start, (turn) => turn.stream(words(), text())),
    });
    t.after(() => agent.close());
    async function* words(): AsyncGenerator<string> {
      const begun = performance.now();
      for (const [at, token] of TOKENS.entries()) {
        await sleep(Math.max(0, begun + (at * 1000) / PER_SECOND - performance.now()));
        yield token;
      }
    }
    await watch(page);
    await page.fill("input", "Say something long");
    await page.press("input", "Enter");
    await comes(page, WHOLE);
    assert.ok(sockets[0]?.includes("rollup=320"), sockets[0]);
    const { frames } = await watchedIn(page);
    const answer = frames.filter((it) => it.text.startsWith(TOKENS[0] ?? "none"));
    const steps = new Set(answer.map((it) => it.text)).size;
    t.diagnostic(`${steps} steps, ${answer.length} frames`);
    assert.ok(steps > 3 * (TOKENS.length / PER_SECOND / 0.32), `${steps} steps`);
    // The rest that the last window held comes with the end.
    const uneven = unevenIn(answer, PER_MS);
    t.diagnostic(`${Math.round(uneven * 100)} % of the text came unevenly`);
    assert.ok(uneven < MOST_UNEVEN, `${uneven} of the text came at once`);
  });
});
