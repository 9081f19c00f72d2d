// The demo's scripted agent: it answers in turns, and one that is killed goes on where it stopped.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { ROOT } from "../../../tests/support/server.ts";
import { SIGNING_KEY } from "../../../tests/support/token.ts";
import { within } from "../../../tests/support/wait.ts";
import { open, shows } from "../support.ts";

const fixture = useServer();

/** The agent as `npm start` runs it. */
function agent(t: TestContext, session: string): ChildProcess {
  const child = spawn(process.execPath, [join(ROOT, "scripts", "agent", "main.mjs")], {
    env: {
      ...process.env,
      SESSILE_ORIGIN: fixture.server.url,
      SESSILE_KEY: SIGNING_KEY,
      SESSILE_SESSION: session,
    },
    stdio: "inherit",
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

test("it greets, answers in a turn, and goes on in the middle of a word when killed", async (t) => {
  const name = fixture.session();
  const first = agent(t, name);
  const page = await open(t, fixture.server, name, { sub: "ada", caps: { "*": ["user"] } });
  const greeting = () => page.messages.find(({ turn }) => turn === "greeting");
  await shows(page, () => greeting()?.status === "complete", "the greeting", 30_000);
  const { serial } = await page.send("Why?");
  const turn = () => page.turns.find(({ input }) => input === serial);
  const answers = () => page.messages.filter((it) => it.turn === turn()?.id && it.role !== "user");
  const length = () => String(answers()[0]?.data ?? "").length;
  await shows(page, () => length() > 60, "a part of the answer");
  const gone = new Promise((done) => first.once("exit", done));
  first.kill("SIGKILL");
  await within(gone, "the agent to die");
  const before = String(answers()[0]?.data);
  agent(t, name);
  await shows(page, () => length() > before.length + 60, "more of the answer", 30_000);
  assert.equal(answers().length, 1, "in the same message");
  assert.ok(String(answers()[0]?.data).startsWith(before));
  assert.equal(turn()?.attempt, 2);
  await page.cancel({ input: serial });
  await shows(page, () => turn()?.status === "cancelled", "the end", 30_000);
});
