// The package in an empty folder of a machine with Node and npm: installed from the tarball,
// served, opened, answered by an agent in Python, bundled into an app of its own.

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { ANSWER, type Joined, joinAgent } from "../../sdk/tests/ai-sdk/agent.ts";
import { launch, serve } from "../support/browser.ts";
import { call } from "../support/http.ts";
import { blocksOf } from "../support/pages.ts";
import { ROOT } from "../support/server.ts";
import { SIGNING_KEY } from "../support/token.ts";
import { until, within } from "../support/wait.ts";
import { Demo } from "./demo.ts";

const exec = promisify(execFile);
/** The first start installs workerd, which is as quick as the network. */
const INSTALL_MS = 240_000;

let folder: string;
let browser: Browser;
let tarball: string;
const children: ChildProcess[] = [];
let env: NodeJS.ProcessEnv;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sessile-empty-"));
  const { SESSILE_WORKERD: _, MINIFLARE_WORKERD_PATH: __, ...given } = process.env;
  // No program of the clone is in the path.
  const path = [dirname(process.execPath), ...(given.PATH ?? "").split(delimiter)];
  env = {
    ...given,
    PATH: path.filter((part) => !part.includes(join("node_modules", ".bin"))).join(delimiter),
    XDG_CACHE_HOME: join(folder, ".cache"),
    SESSILE_SIGNING_KEY: SIGNING_KEY,
  };
  for (const name of Object.keys(env)) if (/^npm_/i.test(name)) delete env[name];
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout } = await exec("npm", pack, { cwd: join(ROOT, "sdk"), env });
  tarball = join(folder, JSON.parse(stdout)[0].filename);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await exec("npm", ["install", "--no-audit", "--no-fund", tarball], { cwd: folder, env });
  browser = await launch();
});

after(async () => {
  for (const child of children) signal(child, "SIGKILL");
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
}

interface Served {
  url: string;
  err: () => string;
  stop: () => Promise<unknown>;
}

/** `npx sessile dev`, once it has printed its address. */
async function dev(more: Record<string, string> = {}): Promise<Served> {
  // A group of its own, as a terminal gives it: Ctrl-C reaches npx and all that it started.
  const options = { cwd: folder, env: { ...env, ...more }, detached: true };
  const child = spawn("npx", ["--no", "sessile", "dev", "--port", "0"], options);
  children.push(child);
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const gone = new Promise((done) => child.once("exit", done));
  const first = new Promise<string>((done) => {
    child.stdout.setEncoding("utf8").once("data", (text: string) => done(text.trim()));
  });
  const failed = gone.then((code) => Promise.reject(new Error(`it ended with ${code}: ${err}`)));
  const url = await within(Promise.race([first, failed]), "an address", INSTALL_MS);
  failed.catch(() => {});
  const stop = () => {
    signal(child, "SIGINT");
    return within(gone, "npx sessile dev to end");
  };
  return { url, err: () => err, stop };
}

/** A token as the command line makes it. */
async function token(client: string, cap: string): Promise<string> {
  const args = ["--no", "sessile", "token", client, "--cap", cap];
  return (await exec("npx", args, { cwd: folder, env })).stdout.trim();
}

test("dev installs workerd once, and its page streams, reloads, stops, asks", async () => {
  const first = await dev();
  assert.match(first.err(), /installing workerd 1\.\d+\.\d+, which runs the Worker, once into/);
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  context.setDefaultTimeout(30_000);
  const page = new Demo(await context.newPage());
  await page.page.goto(first.url);
  await page.stands("Laptop", /^Connected/);
  await page.write("Laptop", "Tell me a long story");
  await page.delivers("Phone", 40);
  await page.page.reload();
  await page.stands("Laptop", /^Connected/);
  await until(
    () => page.answers("Phone"),
    (texts) => texts.join("").length > 200,
    "the answer after a reload",
  );
  await page.device("Phone").getByRole("button", { name: "Stop this answer" }).click();
  await page
    .device("Laptop")
    .getByText(/^Stopped by/)
    .waitFor();
  await page.rests("Laptop");
  await page.write("Laptop", "Refund the order 4711");
  const approve = page.device("Phone").getByRole("button", { name: "Approve", exact: true });
  await approve.click();
  await page
    .device("Laptop")
    .getByText(/^Refunded/)
    .waitFor();
  await page.settles();
  const session = new URL(page.page.url()).searchParams.get("session");
  assert.ok(session);
  for (const path of ["/console", `/inspect/${session}`]) {
    const other = await context.newPage();
    const errors: string[] = [];
    other.on("pageerror", (error) => errors.push(error.message));
    const answer = await other.goto(`${first.url}${path}`);
    assert.equal(answer?.status(), 200);
    await other.getByText(session).first().waitFor();
    assert.deepEqual(errors, []);
    await other.close();
  }
  assert.deepEqual(page.errors, []);
  await first.stop();

  // Without a network, and without a word of installing.
  const offline = { npm_config_registry: "http://127.0.0.1:1", npm_config_offline: "true" };
  const second = await dev(offline);
  assert.doesNotMatch(second.err(), /installing/);
  const kept = await call(second, session, "GET", "/messages");
  assert.match(kept.text, /Refunded/);
  await context.close();
  await second.stop();
});

test("an agent in Python answers what dev serves", async () => {
  const served = await dev();
  const python = readFileSync(join(ROOT, "docs", "python-agent.md"), "utf8");
  const block = blocksOf(python).find(({ does }) => does.includes("as=agent.py"));
  assert.ok(block);
  writeFileSync(join(folder, "agent.py"), block.code);
  const session = { url: served.url };
  const SESSION = `${served.url}/v1/sessions/python`;
  const BOT = await token("bot", "python=agent");
  const agent = spawn("python3", ["agent.py"], {
    cwd: folder,
    env: { ...env, SESSION, BOT },
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(agent);
  await within(new Promise((done) => agent.stdout.once("data", done)), "the agent to read");
  const ask = ["--no", "sessile", "send", "python", "What is a tide?", "--url", served.url];
  await exec("npx", ask, { cwd: folder, env });
  const { text } = await until(
    () => call(session, "python", "GET", "/messages"),
    ({ text }) => text.includes("Let me think about that. ") && text.includes('"complete"'),
    "the answer",
  );
  assert.match(text, /You asked: What is a tide\?/);
  signal(agent, "SIGKILL");
  await served.stop();
});

test("the packed SDK in an app of its own, with useChat", async () => {
  const served = await dev();
  const app = join(folder, "app");
  cpSync(join(ROOT, "examples", "use-chat"), app, { recursive: true });
  writeFileSync(
    join(app, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { jsx: "react-jsx" } }),
  );
  // The app's other packages, as it would install them beside sessile.
  for (const name of ["ai", "@ai-sdk", "react", "react-dom", "vite"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  const outDir = join(folder, "app-built");
  await build({ root: app, logLevel: "error", build: { outDir, emptyOutDir: true } });
  const site = await serve(outDir);
  const chat = "chat-1";
  let agent: Joined | undefined;
  try {
    agent = joinAgent(served.url, chat, 30);
    const context = await browser.newContext();
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    page.on("pageerror", (error) => assert.fail(error));
    const ann = await token("ann", "chat-*=user");
    const hash = new URLSearchParams({ url: served.url, chat, token: ann });
    await page.goto(`${site.url}#${hash}`);
    await page.getByLabel("Message").fill("Hello");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Here is").waitFor();
    await page.reload();
    await page.getByText(ANSWER).waitFor();
    assert.equal(agent.calls, 1, "the model ran once");
    await context.close();
  } finally {
    agent?.close();
    site.close();
  }
  await served.stop();
});
