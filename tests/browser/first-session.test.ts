// The page of docs/first-session.md, as it stands there: it follows an agent, and its button stops
// it.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { ROOT } from "../support/server.ts";
import { agent, answer, end, start } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { useExample } from "./example.ts";

/** A map that does as an application's own build does with the name of a package. */
const IMPORTS = `<script type="importmap">{"imports": {"sessile": "./sessile.js"}}</script>`;

const example = useExample(async (directory) => {
  const text = readFileSync(join(ROOT, "docs", "first-session.md"), "utf8");
  const [, page] = /```html as=page.html\n(.*?)```/s.exec(text) ?? [];
  assert.ok(page, "there is a page");
  writeFileSync(join(directory, "index.html"), `<!doctype html>\n${IMPORTS}\n${page}`);
  const outfile = join(directory, "sessile.js");
  const entryPoints = [join(ROOT, "sdk", "src", "index.ts")];
  await build({ entryPoints, bundle: true, format: "esm", outfile });
});

test("the page of the first session shows an answer that streams, and stops it", async () => {
  const { fixture } = example;
  const session = fixture.session();
  const { page } = await example.open(await example.device(), session);
  const bot = await agent(fixture.server, session);
  const { id } = await start(bot);
  const serial = await answer(bot, id);
  const shows = (text: string) =>
    until(
      () => page.textContent("#answers"),
      (shown) => shown === text,
      `the page to show ${text}`,
    );
  await bot.appendAll(serial, ["A tide ", "is"], 1);
  await shows("A tide is");
  await page.click("#stop");
  const { turn } = await bot.next("turn.cancel");
  assert.equal(turn?.id, id);
  await end(bot, id, "cancelled");
  await shows("A tide is");
});
