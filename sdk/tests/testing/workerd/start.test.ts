// `startSessile`: as many as a test likes, gone with it, and honest about what is missing.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { within } from "../../../../tests/support/wait.ts";
import { startSessile, TestingError } from "../../../src/testing/index.ts";
import { shows } from "../../support.ts";
import { page, start } from "../support.ts";

const SOURCE = join(import.meta.dirname, "../../../src");
const ENTRY = join(SOURCE, "testing/index.ts");

/** Runs a script that ends by itself, in a process of its own; resolves to its output. */
async function run(script: string, ...args: string[]): Promise<string> {
  const code = `const { startSessile } = await import(${JSON.stringify(ENTRY)});${script}`;
  const child = spawn(process.execPath, [...args, "--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise((done) => child.once("close", done));
  assert.equal(await within(ended, "the process to end"), 0);
  return said.trim();
}

test("two of them are strangers to each other, and run at once", async (t) => {
  const both = await Promise.all([start(t), start(t)]);
  const pages = await Promise.all(both.map((sessile) => page(t, sessile, "chat")));
  await pages[0]?.send("hello");
  const counts = await Promise.all(
    both.map(async (sessile) => {
      const headers = { authorization: `Bearer ${await sessile.token({ sub: "ada" })}` };
      const read = await fetch(`${sessile.url}/v1/sessions/chat/messages`, { headers });
      return ((await read.json()) as { messages: unknown[] }).messages.length;
    }),
  );
  assert.deepEqual(counts, [1, 0]);
});

test("a token may what its role may, until it expires", async (t) => {
  const sessile = await start(t);
  const status = async (claims: Parameters<typeof sessile.token>[0], method = "GET") => {
    const headers = { authorization: `Bearer ${await sessile.token(claims)}` };
    return (await fetch(`${sessile.url}/v1/sessions/chat`, { method, headers })).status;
  };
  assert.equal(await status({ sub: "ada" }), 200);
  assert.equal(await status({ sub: "ada", expiresIn: -60 }), 401);
  assert.equal(await status({ sub: "ada", caps: { other: ["user"] } }), 403);
  assert.equal(await status({ sub: "ada" }, "DELETE"), 403);
  assert.equal(await status({ sub: "ada", role: "admin" }, "DELETE"), 200);
});

test("limits, variables and settings are those of a deployment", async (t) => {
  const sessile = await start(t, { limits: { dataBytes: 1000 } });
  const ada = await page(t, sessile, "chat");
  await assert.rejects(ada.send("x".repeat(1001)), { code: "too-large" });
  await sessile.configure("chat", { title: "Tides" });
  await assert.rejects(sessile.configure("chat", { title: 7 }), { code: "invalid-frame" });
  await sessile.start({ SESSILE_LIMITS: { dataBytes: 2000 } });
  await ada.send("x".repeat(1001));
});

test("an evicted session keeps its connections, a restarted one does not", async (t) => {
  const sessile = await start(t);
  const ada = await page(t, sessile, "chat");
  const states: string[] = [];
  ada.subscribe(() => states.push(ada.connection.state));
  await ada.send("one");
  assert.equal(await sessile.evict("chat"), true);
  assert.equal(await sessile.evict("chat"), false, "it was not in memory any more");
  await ada.send("two");
  assert.ok(states.every((state) => state === "connected"));
  await sessile.restart("chat");
  await shows(ada, ({ connection }) => connection.state !== "connected", "the connection to break");
  await ada.send("three");
  assert.deepEqual(
    ada.messages.map(({ data }) => data),
    ["one", "two", "three"],
  );
});

test("killed, it refuses; started again, it has everything, at the same address", async (t) => {
  const sessile = await start(t);
  const ada = await page(t, sessile, "chat");
  await ada.send("one");
  await sessile.kill();
  await assert.rejects(fetch(sessile.url));
  await assert.rejects(sessile.evict("chat"), { code: "not-running" });
  const sent = ada.send("two");
  await sessile.start();
  await sent;
  const bob = await page(t, sessile, "chat");
  assert.equal(bob.messages.length, 2);
});

test("a directory of one's own stays, and another one has it", async (t) => {
  const data = mkdtempSync(join(tmpdir(), "sessile-kept-"));
  t.after(() => rmSync(data, { recursive: true }));
  {
    await using sessile = await startSessile({ data });
    await (await page(t, sessile, "chat")).send("one");
  }
  const sessile = await start(t, { data });
  assert.equal((await page(t, sessile, "chat")).messages.length, 1);
});

test("a process that never stops it ends all the same, and leaves nothing", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "sessile-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const said = await run(
    `const { url } = await startSessile();
    const { readdirSync } = await import("node:fs");
    const { tmpdir } = await import("node:os");
    await (await fetch(url)).text();
    const made = readdirSync(tmpdir()).filter((name) => name.startsWith("sessile-testing-"));
    console.log(JSON.stringify({ url, made }));`,
    `--import=data:text/javascript,process.env.TMPDIR="${dir}"`,
  );
  const { url, made } = JSON.parse(said) as { url: string; made: string[] };
  await assert.rejects(fetch(url));
  assert.equal(made.length, 1);
  assert.deepEqual(readdirSync(dir), []);
});

test("a process is kept while it stops, and not longer", async () => {
  const script = "{ await using sessile = await startSessile(); } console.log('stopped');";
  assert.equal(await run(script), "stopped");
});

test("clients that a test forgot do not keep its process", async () => {
  const script = `
    const { createSession } = await import(${JSON.stringify(join(SOURCE, "index.ts"))});
    const agents = await import(${JSON.stringify(join(SOURCE, "agent/index.ts"))});
    const sessile = await startSessile();
    const where = { url: sessile.url, session: "chat" };
    const token = (role) => () => sessile.token({ sub: role, role });
    for (const link of [agents.overSocket, agents.overFetch]) {
      const agent = agents.createAgentSession({ ...where, link, token: token("agent") });
      await agent.startTurn();
    }
    const page = createSession({ ...where, token: token("user") });
    await page.connect();
    await sessile.stop();
    console.log("stopped");`;
  assert.match(await run(script), /^stopped$/m);
});

test("names what is missing, and how to get it", async () => {
  const hook = `import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) {
      if (name !== "miniflare") return next(name, context);
      throw Object.assign(new Error(name), { code: "ERR_MODULE_NOT_FOUND" });
    } });`;
  const without = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
  const script = "await startSessile().catch((e) => console.log(e.code, e.message));";
  assert.match(await run(script, without), /^no-miniflare .*: npm i -D miniflare$/);
  const nowhere = startSessile({ worker: "/nowhere" });
  await assert.rejects(nowhere, (error) => error instanceof TestingError);
  await assert.rejects(nowhere, { code: "no-worker", message: /\/nowhere/ });
});
