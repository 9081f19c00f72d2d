// Every command of docs/cli.md, by doing what it says.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { useServer } from "../../../../tests/support/fixture.ts";
import { call, getHistory } from "../../../../tests/support/http.ts";
import { ROOT } from "../../../../tests/support/server.ts";
import { SIGNING_KEY } from "../../../../tests/support/token.ts";
import { agent, getTurn, start } from "../../../../tests/support/turns.ts";
import type { Approval } from "../../../src/index.ts";
import { sessile } from "../io.ts";
import { folder, serving } from "../program-process.ts";

const fixture = useServer();
const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");
const PAGE = readFileSync(join(import.meta.dirname, "../../../../docs/cli.md"), "utf8");
const SESSION = "support-42";
const SERVES = /sessile (dev|serve)\b/;

/** The lines of the page's blocks that call the program. */
const lines = [...PAGE.matchAll(/```sh\n(.*?)```/gs)]
  .flatMap(([, block = ""]) => block.split("\n"))
  .filter((line) => line.includes("npx sessile"));

test("each line of the page does what it says", async (t) => {
  const bot = await agent(fixture.server, SESSION);
  const ask = (id: string, fields = {}) =>
    bot.ok({ type: "approval.request", id, title: `${id}?`, ...fields });
  for (const id of ["a1", "a2", "a3"]) await ask(id);
  await ask("a4", { assignees: ["role:supervisor"] });
  await ask("q1", { kind: "question", options: [{ id: "red", label: "Red" }] });
  await ask("q2", { kind: "question" });
  // Longer than all lines take on a busy machine.
  await start(bot, { id: "t1", leaseMs: 600_000 });
  const env = {
    ...process.env,
    SESSILE_URL: fixture.server.url,
    SESSILE_SIGNING_KEY: SIGNING_KEY,
    SESSILE_TOKEN: "",
  };
  // A `tail` without an end is one that ends when it is up to date.
  const cwd = folder(t);
  symlinkSync(join(ROOT, "node_modules"), join(cwd, "node_modules"));
  const npx = `npx() { shift; local more=; [ "$1" = tail ] && more=--no-follow
    "${process.execPath}" "${MAIN}" "$@" $more; }`;
  for (const line of lines) {
    if (SERVES.test(line)) {
      const own = line.replace(/#.*/, "").replace(/--(port|host) \S+/g, "");
      const exec = `npx() { shift; exec "${process.execPath}" "${MAIN}" "$@"; }`;
      const bash = ["bash", "-c", `${exec}\n${own} --port 0`];
      const server = await serving(t, [], cwd, {}, bash);
      assert.equal(await server.stop(), 0, line);
      continue;
    }
    const script = `set -eo pipefail\n${npx}\n${line}`;
    await assert.doesNotReject(
      promisify(execFile)("bash", ["-c", script], { cwd, env, timeout: 30_000 }),
      line,
    );
  }
  const messages = await getHistory(fixture.server, SESSION);
  assert.deepEqual(
    messages.map(({ data }) => data),
    ["When does the tide turn?", "from a pipe", { page: "/tides" }, "shorter, please"],
  );
  assert.equal((await getTurn(fixture.server, SESSION, "t1")).cancel?.by, "cli");
  const { body } = await call(fixture.server, SESSION, "GET", "/approvals?status=all");
  const { approvals } = body as { approvals: Approval[] };
  assert.deepEqual(
    approvals.map(({ id, status, decidedBy }) => `${id} ${status} by ${decidedBy}`).sort(),
    [
      "a1 approved by cli",
      "a2 rejected by cli",
      "a3 approved by cli",
      "a4 approved by sue",
      "q1 answered by cli",
      "q2 answered by cli",
    ],
  );
  await bot.close();
  await fixture.server.evict(SESSION);
});

test("the page has every command", async () => {
  const { out: help } = await sessile(["--help"]);
  const commands = [...help.matchAll(/^ {2}(\w+) (?:\[|.* {2,})/gm)].map(([, name]) => name);
  assert.ok(commands.length >= 10, commands.join());
  for (const name of commands.filter((it) => it !== "help")) {
    assert.ok(
      lines.some((line) => line.includes(`npx sessile ${name}`)),
      `docs/cli.md shows no ${name}`,
    );
  }
});
