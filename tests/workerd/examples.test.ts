// The examples do what their README says.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { address } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Message } from "../support/frames.ts";
import { ROOT } from "../support/server.ts";
import { SIGNING_KEY } from "../support/token.ts";
import { within } from "../support/wait.ts";

type Follow = (address: string, token: string, show: (messages: Message[]) => void) => WebSocket;

const fixture = useServer();
const QUICKSTART = join(ROOT, "examples", "quickstart");
const ANSWER = "Here is an answer, 🌊 word by word, as a model would give it.";

async function run(script: string, args: string[], env: Record<string, string>): Promise<string> {
  const options = { env: { ...process.env, ...env } };
  const ran = promisify(execFile)(process.execPath, [join(QUICKSTART, script), ...args], options);
  return (await within(ran, script)).stdout.trim();
}

test("quickstart: a page follows what an agent streams with nothing but fetch", async () => {
  const session = fixture.session();
  const SESSION = address(fixture.server, session);
  const key = { SESSILE_SIGNING_KEY: SIGNING_KEY };
  const [userToken, TOKEN] = await Promise.all([
    run("token.mjs", ["ada", session, "user"], key),
    run("token.mjs", ["scribe", session, "agent"], key),
  ]);
  const source = readFileSync(join(QUICKSTART, "reader.js"), "utf8");
  const follow = runInNewContext(`${source};follow`, { WebSocket, setTimeout }) as Follow;

  const shown: string[] = [];
  const whole = new Promise<Message>((resolve) => {
    const socket = follow(SESSION, userToken, (messages) => {
      const newest = messages.at(-1);
      if (typeof newest?.data !== "string") return;
      if (shown.at(-1) !== newest.data) shown.push(newest.data);
      if (newest.status !== "complete") return;
      resolve(newest);
      socket.onclose = null;
      socket.close();
    });
  });
  const said = await run("agent.mjs", [], { SESSION, TOKEN });
  const message = await within(whole, "the whole answer");
  assert.equal(message.data, ANSWER);
  assert.equal(message.client, "scribe");
  assert.equal(said, `message ${message.serial} is complete`);
  assert.ok(shown.length > 2, `the answer grew before it was whole: ${JSON.stringify(shown)}`);
});
