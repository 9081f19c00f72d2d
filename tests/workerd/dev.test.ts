// The same through `npm run dev`, as people run it: wrangler, its workerd, and a disk that stays.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { Dev } from "../support/dev.ts";
import { call, getHistory } from "../support/http.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { tokens } from "../support/random.ts";
import { EventReader, Reader } from "../support/reader.ts";
import { ROOT } from "../support/server.ts";
import { assertText } from "../support/text.ts";
import { makeToken } from "../support/token.ts";
import { within } from "../support/wait.ts";

describe("npm run dev", () => {
  let dev: Dev;
  before(async () => {
    dev = await Dev.begin();
  });
  after(async () => {
    await dev?.end();
  });

  test("serves the page, and the protocol beside it", async () => {
    const page = await fetch(`${dev.url}/`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    assert.match(await page.text(), /id="app"/);
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'self'"]) {
      assert.ok(policy.split("; ").includes(rule), `${rule} in ${policy}`);
    }
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
    const answer = await call(dev, "none", "GET", "/messages", { token: null });
    assert.equal(answer.status, 401);
  });

  test("P3.5 a stream through a proxy that cuts reaches both kinds of readers whole", async () => {
    const proxy = await CuttingProxy.start(dev.port);
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
        assertText(fold.text(serial), pieces.join(""));
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

describe("npm start", () => {
  test("serves the port that it is given, or says why not before it builds anything", async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const { port } = taken.address() as AddressInfo;
    const cases: [string[], RegExp][] = [
      [["--port", String(port)], new RegExp(`port ${port} is taken`)],
      [[`--port=${port}`], new RegExp(`port ${port} is taken`)],
      [["--port", "eighty"], /--port takes a number from 1 to 65535, not eighty/],
      [["--port"], /the options are --port N and --host ADDRESS/],
      [["--prot", "80"], /the options are --port N and --host ADDRESS/],
      [["--host", "my machine"], /--host takes an address of this machine/],
    ];
    try {
      for (const [args, sentence] of cases) {
        const script = join(ROOT, "scripts", "start.mjs");
        const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
          encoding: "utf8",
        });
        assert.equal(status, 1, args.join(" "));
        assert.match(stdout + stderr, sentence);
      }
    } finally {
      await new Promise((done) => taken.close(done));
    }
  });
});
