// A Chromium for the browser tests: the one named, the system's, Playwright's, or Debian's.
import { existsSync } from "node:fs";
import { capture, Refusal, run, say } from "./project.mjs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** The path of a Chromium, installed by apt-get where that is possible. */
export async function findChromium() {
  const named = process.env.SESSILE_CHROMIUM;
  if (named) {
    if (existsSync(named)) return named;
    throw new Refusal(`SESSILE_CHROMIUM names ${named}, which does not exist`);
  }
  const found = PLACES.find((place) => existsSync(place)) ?? (await playwrights());
  if (found) return found;
  if (process.getuid?.() === 0 && capture("apt-get", ["--version"]) !== null) {
    say("installing Chromium from Debian");
    await run("apt-get", ["update", "-q"]);
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "chromium"], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    if (existsSync(PLACES[0])) return PLACES[0];
  }
  throw new Refusal(
    "no Chromium was found; install one (apt-get install chromium, or " +
      "npx playwright-core install chromium), or name it in SESSILE_CHROMIUM",
  );
}

async function playwrights() {
  const { chromium } = await import("playwright-core");
  const path = chromium.executablePath();
  return path && existsSync(path) ? path : null;
}
