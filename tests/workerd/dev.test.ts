// The same through `npm run dev`, as people run it: wrangler, its workerd, and a disk that stays.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { call, getHistory } from "../support/http.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { tokens } from "../support/random.ts";
import { EventReader, Reader } from "../support/reader.ts";
import { ROOT } from "../support/server.ts";
import { makeToken, SIGNING_KEY } from "../support/token.ts";
import { until, within } from "../support/wait.ts";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** The process and all that it started, by parent ids. */
function family(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  const all = [pid];
  for (let at = 0; at < all.length; at += 1) all.push(...(children.get(all[at] ?? 0) ?? []));
  return all;
}

class Dev {
  readonly url: string;
  readonly #port: number;
  readonly #dir: string;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(port: number, dir: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#dir = dir;
  }

  async start(): Promise<void> {
    const child = spawn(
      "npm",
      [
        "run",
        "dev",
        "--",
        "--port",
        String(this.#port),
        "--ip",
        "127.0.0.1",
        "--persist-to",
        this.#dir,
        "--var",
        `SESSILE_SIGNING_KEY:${SIGNING_KEY}`,
      ],
      { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CI: "1" } },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        this.#output = (this.#output + chunk).slice(-5000);
      });
    }
    const answers = () =>
      call(this, "ready", "GET", "/messages").then(
        ({ status }) => status,
        () => 0,
      );
    await until(answers, (status) => status === 200, "wrangler dev to answer", 90_000).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n${this.#output}`);
      },
    );
  }

  family(): number[] {
    return this.#child?.pid === undefined ? [] : family(this.#child.pid);
  }

  workerd(): number {
    const pid = this.family().find((one) => /\/workerd(\.exe)? serve/.test(commandOf(one)));
    assert.ok(pid, "wrangler has a workerd");
    return pid;
  }

  /** SIGTERM to npm alone, as a service manager sends it; everything below must end. */
  async stop(): Promise<void> {
    const all = this.family();
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const isGone = new Promise<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) done();
      else child.once("exit", () => done());
    });
    child.kill("SIGTERM");
    try {
      await within(isGone, "npm run dev to end");
      await until(
        () => all.filter((pid) => /workerd|wrangler|dev\.mjs/.test(commandOf(pid))),
        (left) => left.length === 0,
        "nothing to be orphaned",
      );
    } finally {
      for (const pid of all) {
        if (commandOf(pid) !== "") process.kill(pid, "SIGKILL");
      }
    }
  }
}

describe("npm run dev", () => {
  const dir = mkdtempSync(join(tmpdir(), "sessile-dev-"));
  let dev: Dev;
  before(async () => {
    dev = new Dev(await freePort(), dir);
    await dev.start();
  });
  after(async () => {
    await dev.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test("serves the page, and the protocol beside it", async () => {
    const page = await fetch(`${dev.url}/`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    assert.match(await page.text(), /id="messages"/);
    const answer = await call(dev, "none", "GET", "/messages", { token: null });
    assert.equal(answer.status, 401);
  });

  test("P3.5 a stream through a proxy that cuts reaches WebSocket and SSE readers whole", async () => {
    const proxy = await CuttingProxy.start(Number(new URL(dev.url).port));
    try {
      const agent = await connect(dev, "cuts", { sub: "agent" });
      const serial = await agent.publish("", { status: "streaming" });
      const reader = new Reader({ url: proxy.url }, "cuts", { sub: "reader" });
      const sse = new EventReader({ url: proxy.url }, "cuts", { sub: "sse" });
      await reader.attach();
      await sse.attach();
      proxy.delay(5);
      const pieces = tokens(200);
      for (const [i, data] of pieces.entries()) {
        await agent.ok({ type: "append", serial, data, seq: i + 1 });
        if (i % 50 !== 49) continue;
        proxy.cut();
        await reader.client?.closed;
        await within(sse.events?.ended ?? Promise.resolve(), "the cut of SSE");
        await reader.attach();
        await sse.attach();
      }
      await agent.ok({ type: "append", serial, data: "", seq: 201, status: "complete" });
      await reader.holdsStatus(serial, "complete");
      await sse.holds((fold) => fold.messages.get(serial)?.status === "complete", "the end");
      for (const { fold } of [reader, sse]) {
        assert.equal(fold.text(serial), pieces.join(""));
        fold.assertSound();
      }
      await reader.close();
      await sse.cut();
      await agent.close();
    } finally {
      await proxy.stop();
    }
  });

  test("P2.4 the platform's own WebSocket speaks it too", async () => {
    const token = await makeToken({ sub: "browser" });
    const url = `${dev.url.replace("http", "ws")}/v1/sessions/native/connect`;
    const socket = new WebSocket(url, ["sessile.v1", `sessile.token.${token}`]);
    const text = await within(
      new Promise<string>((done, fail) => {
        socket.onmessage = (event) => done(String(event.data));
        socket.onerror = () => fail(new Error("the WebSocket failed"));
      }),
      "the first frame",
    );
    assert.match(text, /"attached"/);
    assert.equal(socket.protocol, "sessile.v1");
    socket.close();
  });

  test("P3.2 kill -9 of its workerd loses nothing, and a new start goes on", async () => {
    const writer = await connect(dev, "kept", { sub: "writer" });
    const reader = new Reader(dev, "kept", { sub: "reader" });
    await reader.attach();
    const serial = await writer.publish("", { id: "s", status: "streaming" });
    const sent: string[] = [];
    const publishing = (async () => {
      for (let seq = 1; ; seq += 1) {
        await writer.ok({ type: "append", serial, data: `${seq} `, seq });
        sent.push(`${seq} `);
      }
    })().catch(() => {});
    await reader.holds((fold) => fold.text(serial).length > 200, "some text");
    process.kill(dev.workerd(), "SIGKILL");
    await publishing;
    await dev.stop();
    await dev.start();
    const [message] = await getHistory(dev, "kept");
    const stored = String(message?.data);
    assert.ok(stored.startsWith(sent.join("")), "what was acknowledged is there");
    assert.ok(stored.startsWith(reader.fold.text(serial)), "what was seen is there");
    await reader.attach();
    assert.equal(reader.fold.attached?.resumed, true);
    assert.equal(reader.fold.text(serial), stored);
    reader.fold.assertSound();
    const again = await connect(dev, "kept", { sub: "writer" });
    const next = await again.publish("next");
    assert.ok(next > (message?.version ?? "~"), "serials go on increasing");
  });
});
