// The examples of agents that run only when there is work do what their README says.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Turn } from "../support/frames.ts";
import { getHistory } from "../support/http.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { getTurns, settings, USER } from "../support/turns.ts";
import { until, within } from "../support/wait.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const fixture = useServer({
  vars: { SESSILE_WEBHOOK_SECRETS: SECRET, SESSILE_LOCAL_TARGETS: "1" },
});
const LONG = Array.from({ length: 400 }, (_, i) => `word${i}`).join(" ");
let agents = 0;

before(async () => {
  const built = spawn(process.execPath, [join(ROOT, "scripts", "sdk.mjs"), "build"]);
  const done = new Promise((resolve) => built.once("exit", resolve));
  assert.equal(await within(done, "the build of the SDK", 120_000), 0);
});

/** A client for an agent that no other test has. */
function agentName(): string {
  agents += 1;
  return `agent-${agents}`;
}

/** A process of an example; `says` resolves with what it prints. */
async function run(t: TestContext, command: string[], sub: string, more = {}) {
  const [program = "", ...args] = command;
  const TOKEN = await makeToken({ sub, caps: { "*": ["agent"] } });
  const env = { ...process.env, URL: fixture.server.url, TOKEN, SECRET, ...more };
  const cwd = join(ROOT, "examples");
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  const says = (what: RegExp) =>
    until(
      () => what.exec(said),
      (found) => found !== null,
      `${program} to say ${what}`,
    );
  const kill9 = async () => {
    child.kill("SIGKILL");
    await within(gone, `${program} to die`);
  };
  t.after(kill9);
  return { says, kill9, said: () => said };
}

/** A session with an agent, and somebody in it. */
async function room(t: TestContext, agent: object, onInput = "queue") {
  const session = fixture.session("woken");
  await settings(fixture.server, session, { agent, onInput });
  const user = await connect(fixture.server, session, USER);
  t.after(() => user.close());
  return { session, user };
}

async function say(user: Client, count: number): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, at) => `number ${at}`);
  for (const text of texts) await user.publish(text);
  return texts;
}

/** Waits until every turn is over, of which there are to be so many; the oldest is first. */
async function over(session: string, count: number): Promise<Turn[]> {
  const all = async () => (await getTurns(fixture.server, session, "?status=all")).turns;
  const isOver = (turns: Turn[]) => turns.length >= count && turns.every((it) => it.endedAt);
  const turns = await until(all, isOver, `${count} turns to end`, 60_000);
  return turns.toReversed();
}

/** The answers, in order. */
async function answers(session: string): Promise<string[]> {
  const messages = await getHistory(fixture.server, session);
  const said = messages.filter(({ role, deletedAt }) => role === "assistant" && !deletedAt);
  return said.map(({ data }) => String(data).trim()).reverse();
}

/** Each input has one turn and one answer, and they came in order. */
async function assertInOrder(session: string, texts: string[]): Promise<void> {
  const turns = await over(session, texts.length);
  assert.deepEqual(
    turns.map(({ status, attempt }) => [status, attempt]),
    texts.map(() => ["complete", 1]),
  );
  const said = await answers(session);
  assert.deepEqual(
    said.toSorted(),
    texts.map((text) => `You said: ${text}`),
  );
  const begun = turns.map(({ startedAt = 0 }) => startedAt);
  assert.deepEqual(begun, begun.toSorted());
}

/** One turn in its second attempt, and one answer. */
async function assertOneAnswer(session: string): Promise<void> {
  const [turn, ...more] = await over(session, 1);
  assert.deepEqual([turn?.status, turn?.attempt, more.length], ["complete", 2, 0]);
  assert.deepEqual(await answers(session), [`You said: ${LONG}`]);
}

const half = (session: string) =>
  until(
    () => answers(session),
    ([first = ""]) => first.includes("word20"),
    "some of the answer",
  );

describe("agent-webhook", () => {
  const NODE = [process.execPath, "agent-webhook/server.mjs"];

  test("P10.3 what is said while it is away waits, and is answered in order", async (t) => {
    const first = await run(t, NODE, "caller", { PORT: "0" });
    const [, url = ""] = (await first.says(/waiting at (\S+)/)) ?? [];
    const { session, user } = await room(t, { url });
    await first.kill9();
    const texts = await say(user, 4);
    await run(t, NODE, "caller", { PORT: new URL(url).port });
    await assertInOrder(session, texts);
  });

  test("P6.8 killed in the middle of an answer, it is called for the next attempt", async (t) => {
    const first = await run(t, NODE, "caller", { PORT: "0" });
    const [, url = ""] = (await first.says(/waiting at (\S+)/)) ?? [];
    const { session, user } = await room(t, { url });
    await user.publish(LONG);
    await half(session);
    await first.kill9();
    await run(t, NODE, "caller", { PORT: new URL(url).port });
    await assertOneAnswer(session);
  });

  test("as a Worker", async (t) => {
    const { outputFiles } = await build({
      entryPoints: [join(ROOT, "examples", "agent-webhook", "worker.mjs")],
      bundle: true,
      format: "esm",
      external: ["cloudflare:workers"],
      write: false,
    });
    const text = (value: string) => ({ type: "text" as const, value });
    const TOKEN = await makeToken({ sub: "caller", caps: { "*": ["agent"] } });
    const contents = outputFiles[0]?.text ?? "";
    const modules = { "worker.js": { type: "esm" as const, contents } };
    const config = {
      name: "agent",
      compatibilityDate: "2026-09-01",
      manifest: { mainModule: "worker.js", modulesRoot: "/", modules },
      env: { SESSILE_URL: text(fixture.server.url), TOKEN: text(TOKEN), SECRET: text(SECRET) },
    };
    const worker = new Miniflare({ workers: [{ config }] });
    t.after(() => worker.dispose());
    const { session, user } = await room(t, { url: (await worker.ready).href });
    await assertInOrder(session, await say(user, 3));
  });
});

describe("agent-inbox", () => {
  const NODE = [process.execPath, "agent-inbox/agent.ts"];
  const PYTHON = ["python3", "agent-inbox/agent.py"];

  test("P15.3 three processes and ten inputs: each is answered once, in order", async (t) => {
    const bot = agentName();
    const { session, user } = await room(t, { inbox: bot });
    const processes = await Promise.all([NODE, NODE, PYTHON].map((it) => run(t, it, bot)));
    const texts = await say(user, 10);
    await assertInOrder(session, texts);
    const took = processes.map(({ said }) => said().split("answering").length - 1);
    assert.equal(
      took.reduce((sum, count) => sum + count),
      10,
      took.join(),
    );
  });

  for (const [name, command] of [
    ["agent.ts", NODE],
    ["agent.py", PYTHON],
  ] as const) {
    test(`P15.3 ${name} is killed in the middle: another gives the one answer`, async (t) => {
      const bot = agentName();
      const { session, user } = await room(t, { inbox: bot });
      const dying = await run(t, command, bot);
      await user.publish(LONG);
      await half(session);
      await dying.kill9();
      await run(t, command, bot, { DELAY_MS: "1" });
      await assertOneAnswer(session);
    });
  }
});
