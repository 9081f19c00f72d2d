// `npm run pictures`: the pictures of README and docs/, taken by Chromium from the pages as the
// local Worker serves them, in both themes. `npm run pictures -- NAME` takes those of one page.
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { serve } from "./dev.mjs";
import { findChromium } from "./lib/chromium.mjs";
import { freePort } from "./lib/ports.mjs";
import { inRoot, isMain, main, Refusal, say } from "./lib/project.mjs";
import { SCENES } from "./lib/scenes.mjs";
import { setup } from "./setup.mjs";

const FOLDER = ["docs", "pictures"];
const THEMES = ["light", "dark"];
const QUALITY = 0.75;
const PATIENCE_MS = 30_000;

/** Every picture that the script makes, as a file of docs/pictures/. */
export const PICTURES = Object.keys(SCENES).flatMap((name) => THEMES.map((it) => fileOf(name, it)));

function fileOf(name, theme) {
  return `${name}-${theme}.webp`;
}

/** Takes the pictures of the named pages, or all. */
async function takePictures(names) {
  const unknown = names.filter((name) => !Object.hasOwn(SCENES, name));
  if (unknown.length > 0) throw new Refusal(`there is no ${unknown}, but ${Object.keys(SCENES)}`);
  await setup();
  await build();
  const executablePath = await findChromium();
  // Imported here, since it may not be installed yet when this script is loaded.
  const { chromium } = await import("playwright-core");
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "sessile-pictures-"));
  const variables = [
    `SESSILE_SIGNING_KEY:${randomBytes(32).toString("base64url")}`,
    `SESSILE_WEBHOOK_SECRETS:whsec_${randomBytes(32).toString("base64")}`,
    "SESSILE_LOCAL_TARGETS:1",
    "SESSILE_DEV:1",
  ];
  const options = ["--port", String(port), "--persist-to", directory, "--log-level", "warn"];
  const server = serve([...options, ...variables.flatMap((it) => ["--var", it])]);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const origin = `http://localhost:${port}`;
    await ready(origin);
    for (const name of names.length > 0 ? names : Object.keys(SCENES)) {
      for (const theme of THEMES) await take(browser, name, { origin, theme });
    }
  } finally {
    await browser.close();
    server.end();
    await server.done;
    rmSync(directory, { recursive: true, force: true });
  }
  return 0;
}

async function ready(origin) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const answer = await fetch(origin).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Refusal(`${origin} does not answer`);
}

async function take(browser, name, place) {
  const { theme } = place;
  const { width, show } = SCENES[name];
  const viewport = { width, height: SCENES[name].height };
  const context = await browser.newContext({
    viewport,
    deviceScaleFactor: 1.5,
    colorScheme: theme,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  try {
    const page = await context.newPage();
    const shown = { page, height: viewport.height, ...(await show(page, place)) };
    const clip = { x: 0, y: 0, width, height: shown.height };
    const bytes = await encode(context, await shown.page.screenshot({ clip }));
    mkdirSync(inRoot(...FOLDER), { recursive: true });
    writeFileSync(inRoot(...FOLDER, fileOf(name, theme)), bytes);
    say(`docs/pictures/${fileOf(name, theme)} has ${Math.round(bytes.length / 1024)} KB`);
  } finally {
    await context.close();
  }
}

/** A picture as WebP, by the browser itself: a tenth of the size. */
async function encode(context, png) {
  const page = await context.newPage();
  const address = `data:image/png;base64,${png.toString("base64")}`;
  const encoded = await page.evaluate(
    async ([from, quality]) => {
      const bitmap = await createImageBitmap(await (await fetch(from)).blob());
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      const blob = await canvas.convertToBlob({ type: "image/webp", quality });
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    },
    [address, QUALITY],
  );
  await page.close();
  return Buffer.from(encoded, "base64");
}

if (isMain(import.meta.url)) await main(() => takePictures(process.argv.slice(2)));
