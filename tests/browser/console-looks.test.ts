// The console's states as axe sees them, in both themes and on a phone; and texts that mean harm.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { assertAccessible } from "../support/axe.ts";
import { assertNotTooWide } from "../support/fit.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { end } from "../support/turns.ts";
import { ask, type Case, focuses, opens, press, reads, SUE, useConsole } from "./console.ts";

const console = useConsole();
const SCHEMA = {
  type: "object",
  properties: {
    amount: { type: "number" },
    way: { enum: ["card", "cash"] },
    now: { type: "boolean" },
  },
  required: ["amount"],
};

/** A session with something of everything. */
async function full(title: string): Promise<Case> {
  const it = await console.begin(title);
  await it.bot.publish("Let me see, **at once**.\n\n| a | b |\n| - | - |\n| 1 | 2 |", {
    turn: it.turn.id,
    role: "assistant",
  });
  await it.bot.ok({ type: "turn.usage", turn: it.turn.id, usage: { inputTokens: 12_000 } });
  await it.ann.ok({ type: "presence.set", data: {} });
  await ask(it, { title: "Refund?", description: "Twice", data: { amount: 2 }, schema: SCHEMA });
  await ask(it, {
    kind: "question",
    title: "Which?",
    options: [{ id: "a", label: "This" }],
    deadlineMs: 3_600_000,
  });
  await ask(it, { title: "Others?", assignees: ["eve"], data: [1, { deep: [null, true] }] });
  return it;
}

const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1400, height: 860 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1400, height: 860 } },
  { name: "phone, light", colorScheme: "light", viewport: { width: 390, height: 780 } },
  { name: "phone, dark", colorScheme: "dark", viewport: { width: 390, height: 780 } },
] as const;

for (const { name, ...context } of LOOKS) {
  describe(`in ${name}`, () => {
    const look = async (page: Page, state: string) => {
      await assertAccessible(page, `${state}, ${name}`);
      await assertNotTooWide(page, `${state}, ${name},`);
    };

    test("the list: full, searched, empty, and a token that is not good", async () => {
      const it = await full("A list");
      const page = await console.open(SUE, { context });
      await page.locator(".line", { hasText: it.id }).or(page.locator(".line")).first().waitFor();
      await look(page, "the list");
      await press(page, "/");
      await page.keyboard.type("nothing-like-this");
      await reads(page, "Nothing was found");
      await look(page, "a search without a result");
      const none = { ...SUE, role: "supervisor", caps: { nothing: ["supervisor"] } };
      const empty = await console.open(none, { context });
      await reads(empty, "Nothing here yet");
      await look(empty, "the empty list");
      const bad = await console.open({ ...SUE, expiresIn: -600 }, { context });
      await reads(bad, "This console is not connected");
      await look(bad, "a bad token");
      await bad.getByRole("button", { name: "Use another token" }).click();
      await bad.getByLabel("Token").waitFor();
      await look(bad, "the form for a token");
    });

    test("a session: watched, its questions, its details, led, and others'", async () => {
      const it = await full("A session");
      const page = await console.open(SUE, { context, hash: `session=${it.id}` });
      await page.locator(".asking").nth(2).waitFor();
      await look(page, "a session that is watched");
      await page.getByLabel("amount").fill("");
      await page.getByRole("button", { name: "Approve" }).click();
      await page.locator(".answer-breach").waitFor();
      await look(page, "an answer that breaks the schema");
      if (context.viewport.width < 1200) {
        await page.getByRole("button", { name: "Details" }).click();
        await reads(page, "Who is there");
        await look(page, "the details");
        await page.getByRole("button", { name: "Details" }).click();
      }
      for (const [key, title] of [
        ["?", "Keys"],
        ["t", "Take over?"],
        ["x", "Cancel an answer?"],
      ] as const) {
        if (key === "?" && context.viewport.width < 800) continue;
        await opens(page, key);
        await page.getByRole("dialog", { name: title }).waitFor();
        await look(page, `the dialog ${title}`);
        await press(page, "Escape");
      }
      await opens(page, "t");
      await press(page, "Enter");
      await reads(page, "You took over");
      await look(page, "a session that is led");
      await focuses(page, "Your reply");
      await press(page, "Escape");
      await opens(page, "h");
      await look(page, "the dialog of the return");
      await press(page, "Escape");
      await end(it.bot, it.turn.id);
      await page.locator(".settled").first().waitFor();
      await look(page, "a session whose questions are over");
      const other = await console.open(SUE, { context, hash: "session=never-was" });
      await reads(other, "Nothing was said here yet");
      await look(other, "a session that never was");
    });

    test("offline", async () => {
      const it = await full("Away");
      const proxy = await CuttingProxy.start(console.dev.port);
      const page = await console.open(SUE, { context, base: proxy.url, hash: `session=${it.id}` });
      await page.locator(".asking").nth(2).waitFor();
      await page.locator(".line").first().waitFor({ state: "attached" });
      proxy.unplug();
      try {
        await page.locator(".lead-state", { hasText: "Offline" }).waitFor();
        await look(page, "a session without a network");
        await press(page, "Escape");
        await page.locator(".inbox > .note").waitFor();
        await look(page, "the list without a network");
      } finally {
        await proxy.stop();
      }
    });
  });
}

describe("texts that mean harm", () => {
  test("are texts: nothing runs, nothing is hidden, and nothing leaves its place", async () => {
    const harm = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
    const turned = "invoice\u202Efdp.exe\u200B";
    const long = "w".repeat(250);
    const it = await console.begin(`${harm}${long}`.slice(0, 250));
    await it.ann.publish(
      `${harm}\n\n[click](javascript:window.hit=1) ![](https://evil.example/x.png)`,
    );
    await ask(it, {
      title: `${turned} ${long}`.slice(0, 250),
      description: harm.repeat(20),
      data: {
        [harm]: turned,
        __proto__: 1,
        file: turned,
        deep: [[[[[[[[harm]]]]]]]],
        big: long.repeat(40),
      },
      kind: "question",
      options: [{ id: "a", label: turned }],
    });
    await it.ann.ok({ type: "presence.set", data: { device: harm, typing: true } });
    await it.bot.ok({
      type: "turn.usage",
      turn: it.turn.id,
      usage: { [`${long}${harm}`.slice(0, 120)]: 1 },
    });
    const asked: string[] = [];
    for (const width of [1400, 390]) {
      const context = { viewport: { width, height: 780 } };
      const page = await console.open(SUE, { hash: `session=${it.id}`, context });
      page.on("request", (request) => asked.push(request.url()));
      const asking = page.locator(".asking");
      await asking.waitFor();
      const text = (await asking.textContent()) ?? "";
      assert.ok(text.includes("invoiceU+202Efdp.exeU+200B"), "what turns or hides is named");
      assert.ok(text.includes("<img src=x"), "markup is text");
      assert.ok(text.includes("Show all 10000 characters"), "a long text is cut");
      assert.equal(await page.evaluate(() => "hit" in window), false, "nothing ran");
      assert.equal(await page.locator("main img, main script").count(), 0);
      assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
      // Of all boxes, none that does not scroll by itself is wider than its place.
      await assertNotTooWide(page, "a hostile asking");
      const outside = await asking.evaluate((card) => {
        const { right } = card.getBoundingClientRect();
        const all = [...card.querySelectorAll("*")];
        const out = all.filter((each) => {
          const isScrolled = each.closest(".asking-data") !== null;
          return !isScrolled && each.getBoundingClientRect().right > right + 1;
        });
        return out.map(({ outerHTML }) => outerHTML.slice(0, 100));
      });
      assert.deepEqual(outside, []);
    }
    assert.deepEqual(
      asked.filter((url) => url.includes("evil")),
      [],
    );
  });
});
