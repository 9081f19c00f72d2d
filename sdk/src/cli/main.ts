#!/usr/bin/env node
// `npx sessile`: the process around the program.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Io } from "./io.ts";
import { run } from "./program.ts";

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => ending.abort());
}
// `| head` has read enough.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code !== "EPIPE") throw new Error(`unable to write: ${code}`);
  ending.abort();
});

// From the source and from the package alike it is two folders up.
const root = fileURLToPath(new URL("../..", import.meta.url));

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  root,
  isTty: process.stdout.isTTY === true,
  signal: ending.signal,
  out: (piece) => void process.stdout.write(piece),
  err: (piece) => void process.stderr.write(piece),
  stdin: () => {
    ending.signal.addEventListener("abort", () => process.stdin.destroy());
    return text(process.stdin);
  },
  line: async () => {
    const lines = createInterface({ input: process.stdin, signal: ending.signal });
    for await (const line of lines) {
      lines.close();
      return line;
    }
    return "";
  },
};

const about = readFileSync(join(root, "package.json"), "utf8");
const { version } = JSON.parse(about) as { version: string };

process.exitCode = await run(process.argv.slice(2), io, version);
