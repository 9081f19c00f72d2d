// The examples of tests pass, in the runners that they are for.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import { ROOT } from "../support/server.ts";
import { within } from "../support/wait.ts";

/** Runs a script of Node to its end; fails with what it says. */
async function run(cwd: string, args: string[]): Promise<void> {
  // Neither runner is to take itself for a part of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
  }
  const done = new Promise((resolve) => child.once("close", resolve));
  assert.equal(await within(done, args.join(" "), 120_000), 0, said);
}

before(() => run(ROOT, [join(ROOT, "scripts", "sdk.mjs"), "build"]));

test("examples/testing-node passes", async () => {
  await run(join(ROOT, "examples", "testing-node"), ["--test"]);
});

test("examples/testing-vitest passes", async () => {
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  await run(join(ROOT, "examples", "testing-vitest"), [vitest, "run"]);
});
