// A real Chromium, and pages that were built, served over loopback.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium } from "playwright-core";

const EXECUTABLE = process.env.SESSILE_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};

export function launch(flags: readonly string[] = []): Promise<Browser> {
  assert.ok(existsSync(EXECUTABLE), `no Chromium at ${EXECUTABLE}; name one in SESSILE_CHROMIUM`);
  const args = [...FLAGS, ...flags];
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args });
}

export interface Site {
  url: string;
  close(): void;
}

/** Serves a directory as it is. */
export async function serve(directory: string): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = join(directory, normalize(pathname === "/" ? "/index.html" : pathname));
    if (!existsSync(path)) return response.writeHead(404).end();
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type }).end(readFileSync(path));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
