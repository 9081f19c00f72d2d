// The SDK in a real Chromium: what was said offline is in IndexedDB and survives a reload, and the
// network coming back is noticed at once.

import assert from "node:assert/strict";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { type Server, startServer } from "../../../tests/support/server.ts";
import { makeToken } from "../../../tests/support/token.ts";
import type { Outbox, Session } from "../../src/index.ts";
import { history } from "../support.ts";

const EXECUTABLE = process.env.SESSILE_CHROMIUM ?? "/usr/bin/chromium";
const HTML = `<!doctype html><script type="module">
import { createSession, indexedDbOutbox } from "/sdk.js";
const { timing, ...options } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
window.outbox = indexedDbOutbox();
window.session = createSession({ ...options, timing, outbox });
session.connect();
</script>`;

let server: Server;
let pages: HttpServer;
let browser: Browser;

before(async () => {
  server = await startServer();
  const entry = new URL("../../src/index.ts", import.meta.url).pathname;
  const options = { bundle: true, format: "esm", target: "es2022", write: false } as const;
  const { outputFiles } = await build({ entryPoints: [entry], ...options });
  pages = createServer((request, response) => {
    const isScript = request.url === "/sdk.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? outputFiles[0]?.text : HTML);
  });
  await new Promise<void>((done) => pages.listen(0, "127.0.0.1", done));
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args });
});

after(async () => {
  await browser?.close();
  pages?.close();
  await server?.stop();
});

async function open(url: string, session: string, timing: object): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await visit(page, "alice", { url, session, timing });
  await becomes(page, "connected");
  return page;
}

async function visit(page: Page, sub: string, options: object): Promise<void> {
  const token = await makeToken({ sub, caps: { "*": ["user"] } });
  const hash = encodeURIComponent(JSON.stringify({ ...options, token }));
  // Another hash alone is not another page.
  await page.goto("about:blank");
  await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/#${hash}`);
}

type Shown = { session: Session; outbox: Outbox };

async function becomes(page: Page, state: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => (globalThis as unknown as Shown).session?.connection.state === wanted,
    state,
  );
}

function deliveries(page: Page): Promise<unknown[]> {
  return page.evaluate(() =>
    (globalThis as unknown as Shown).session.messages.map((it) => [it.data, it.delivery ?? "sent"]),
  );
}

test("sent while offline, reloaded, back: every message arrives once, in order", async (t) => {
  const wire = await CuttingProxy.start(server.port);
  t.after(() => wire.stop());
  const page = await open(wire.url, "outbox", { backoffMs: 50, backoffMostMs: 200 });
  await page.evaluate(() => (globalThis as unknown as Shown).session.send("online"));
  wire.unplug();
  await page.waitForFunction(
    () => (globalThis as unknown as Shown).session.connection.state !== "connected",
  );
  await page.evaluate(() => {
    const { session } = globalThis as unknown as Shown;
    session.send("offline 1");
    session.send({ offline: 2 });
  });
  assert.deepEqual(await deliveries(page), [
    ["online", "sent"],
    ["offline 1", "pending"],
    [{ offline: 2 }, "pending"],
  ]);
  // A page that is gone within the same instant may take with it what the disk has not yet.
  await page.waitForFunction(async () => {
    const { session, outbox } = globalThis as unknown as Shown;
    return (await outbox.load(session.link.address, "alice")).length === 2;
  });
  await page.reload();
  wire.plug();
  await becomes(page, "connected");
  await page.waitForFunction(() => {
    const { messages } = (globalThis as unknown as Shown).session;
    return messages.length === 3 && messages.every(({ delivery }) => delivery === undefined);
  });
  const arrived = await history(server, "outbox");
  assert.deepEqual(
    arrived.map(({ data }) => data),
    ["online", "offline 1", { offline: 2 }],
  );
  await page.reload();
  await becomes(page, "connected");
  assert.equal((await deliveries(page)).length, 3);
  assert.equal((await history(server, "outbox")).length, 3, "and is not sent again");
});

test("what one person wrote before they were let in waits for them, not the next", async (t) => {
  const wire = await CuttingProxy.start(server.port);
  t.after(() => wire.stop());
  const options = { url: wire.url, session: "shared", timing: { backoffMs: 50 } };
  wire.unplug();
  const page = await (await browser.newContext()).newPage();
  await visit(page, "alice", options);
  await page.evaluate(() => void (globalThis as unknown as Shown).session.send("alice's"));
  await page.waitForFunction(async () => {
    const { session, outbox } = globalThis as unknown as Shown;
    return (await outbox.load(session.link.address, "alice")).length === 1;
  });
  wire.plug();
  await visit(page, "bob", options);
  await becomes(page, "connected");
  await page.evaluate(() => (globalThis as unknown as Shown).session.send("bob's"));
  assert.deepEqual(await deliveries(page), [["bob's", "sent"]]);
  await visit(page, "alice", options);
  await becomes(page, "connected");
  await page.waitForFunction(() => {
    const { messages } = (globalThis as unknown as Shown).session;
    return messages.length === 2 && messages.every(({ delivery }) => delivery === undefined);
  });
  const arrived = await history(server, "shared");
  assert.deepEqual(
    arrived.map(({ client, data }) => [client, data]),
    [
      ["bob", "bob's"],
      ["alice", "alice's"],
    ],
  );
});

test("the network that comes back ends the longest pause", async (t) => {
  const wire = await CuttingProxy.start(server.port);
  t.after(() => wire.stop());
  const hour = 3_600_000;
  const page = await open(wire.url, "online", { backoffMs: hour, backoffMostMs: hour });
  await page.context().setOffline(true);
  wire.cut();
  await becomes(page, "waiting");
  await page.context().setOffline(false);
  await becomes(page, "connected");
});
