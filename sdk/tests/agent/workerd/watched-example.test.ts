// examples/agent-watched as its README says, in a process of its own with the built package: what
// it spends while somebody is there, and while nobody is.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join as path } from "node:path";
import { before, type TestContext, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { ROOT } from "../../../../tests/support/server.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { presenceOf } from "../../../src/index.ts";
import { open } from "../../support.ts";

const fixture = useServer();
/** Of the example: eight steps of fifty words. */
const STEP = 50;
const ALL = 8 * STEP;

before(async () => {
  const build = spawn(process.execPath, [path(ROOT, "scripts", "sdk.mjs"), "build"]);
  await within(new Promise((done) => build.once("exit", done)), "the build of the SDK", 120_000);
});

/** Starts the example; returns what it has said so far, once it has joined. */
async function run(t: TestContext, session: string, more = {}): Promise<() => string> {
  const TOKEN = await makeToken({ sub: "agent", caps: { "*": ["agent"] } });
  const given = { URL: fixture.server.url, SESSION: session, TOKEN, DELAY_MS: "2", ...more };
  const env = { ...process.env, ...given };
  const child = spawn(process.execPath, ["agent.mjs"], {
    cwd: path(ROOT, "examples", "agent-watched"),
    env,
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
  }
  const saying = () => said;
  await until(saying, (text) => text.includes("connected\n"), "the example to join");
  return saying;
}

/** A page whose reader is there. */
async function enters(t: TestContext, session: string, data = {}) {
  const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
  await presenceOf(page).enter(data);
  return page;
}

/** The tokens spent so far, by what the agent last said. */
function spent(said: string): number {
  return Number(said.match(/\d+(?= tokens)/g)?.at(-1) ?? 0);
}

const ends = (saying: () => string, text: string) =>
  until(saying, (said) => said.includes(text), text);

test("P7.4 an agent spends a step on one who leaves, the rest on one who returns", async (t) => {
  const [session, other] = [fixture.session(), fixture.session()];
  const saying = await run(t, session);
  const always = await run(t, other, { ALWAYS: "1" });
  const page = await enters(t, session);
  const elsewhere = await enters(t, other);
  // Both leave in the middle of a step.
  for (const one of [page, elsewhere]) {
    await one.send("What is a tide?");
    await until(
      () => JSON.stringify(one.messages),
      (text) => text.includes("finding 10"),
      "a step",
    );
    one.close();
  }
  await ends(saying, "nobody is there");
  await ends(always, `complete after ${ALL} tokens`);
  const saved = ALL - spent(saying());
  t.diagnostic(`${saved} of ${ALL} tokens saved`);
  assert.ok(saved >= ALL - 2 * STEP, `saved ${saved} of ${ALL}: ${saying()}`);
  const hidden = await enters(t, session, { hidden: true });
  const [turn] = hidden.turns;
  assert.equal(turn?.status, "active", "it waits, with its lease");
  assert.ok(spent(saying()) <= 2 * STEP, "a page that is hidden is nobody who looks");
  await presenceOf(hidden).enter({ hidden: false });
  await ends(saying, `complete after ${ALL} tokens`);
});

test("P6.5 a cancel ends the wait, and what was saved stays saved", async (t) => {
  const session = fixture.session();
  const saying = await run(t, session);
  const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
  await page.send("What is a tide?");
  await until(
    () => page.turns,
    (turns) => turns[0]?.status === "active",
    "a turn",
  );
  await page.cancel({ all: true });
  await ends(saying, "cancelled after 0 tokens");
});
