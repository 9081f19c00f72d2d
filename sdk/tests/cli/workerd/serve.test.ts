// `sessile dev` and `sessile serve` as processes: pages, keys, ports, and a disk that keeps.

import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../../../tests/support/client.ts";
import { Endpoint } from "../../../../tests/support/endpoint.ts";
import { call, getHistory } from "../../../../tests/support/http.ts";
import { SIGNING_KEY } from "../../../../tests/support/token.ts";
import { within } from "../../../../tests/support/wait.ts";
import { sessile } from "../io.ts";
import { folder, refused, serving } from "../program-process.ts";

const KEY = { SESSILE_SIGNING_KEY: SIGNING_KEY };
const ANY = ["--port", "0"];
const FILE = join(".sessile", "variables");

/** The process that has a directory's files open. */
function workerdOf(directory: string): number {
  return JSON.parse(readFileSync(join(directory, "lock"), "utf8")).workerd.pid;
}

/** Whether a process runs; one that has ended may stay listed until its parent asks. */
function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, "utf8"));
}

test("dev serves pages and the API, with keys that it makes once", async (t) => {
  const cwd = folder(t);
  const dev = await serving(t, ["dev", ...ANY], cwd);
  assert.match(dev.url, /^http:\/\/localhost:\d+$/);
  const keys = readFileSync(join(cwd, FILE), "utf8");
  assert.match(keys, /^SESSILE_SIGNING_KEY=.{43}\nSESSILE_VAPID_KEY=.{43}\nSESSILE_VAPID_SUBJ/);
  assert.equal(statSync(join(cwd, FILE)).mode & 0o077, 0, "for nobody else");
  assert.equal(readFileSync(join(cwd, ".sessile", ".gitignore"), "utf8"), "*\n");

  const page = await fetch(dev.url);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.match(await page.text(), /^<!doctype html>/);
  const etag = page.headers.get("etag") ?? "";
  const again = await fetch(dev.url, { headers: { "if-none-match": etag } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  assert.equal((await fetch(`${dev.url}/..%2fmanifest.json`)).status, 404);
  assert.equal((await fetch(`${dev.url}/nowhere`)).status, 404);

  // Commands in this folder need no token: they have the key.
  const given = { cwd, env: { SESSILE_URL: dev.url } };
  const sent = await sessile(["send", "hello", "Hi"], given);
  assert.equal(sent.code, 0, sent.err);
  const { out } = await sessile(["doctor"], given);
  assert.match(out, /^ok +push /m);
  assert.match(out, /^ok +development +SESSILE_DEV/m);
  assert.equal(await dev.stop(), 0);

  const next = await serving(t, ["dev", ...ANY], cwd);
  assert.equal(readFileSync(join(cwd, FILE), "utf8"), keys);
  const tail = ["tail", "hello", "--no-follow", "--url", next.url];
  assert.match((await sessile(tail, { cwd })).out, /Hi/);
  assert.equal(await next.stop(), 0);
});

test("dev takes the keys that a project has", async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, ".dev.vars"), `SESSILE_SIGNING_KEY=${SIGNING_KEY}\n`);
  const dev = await serving(t, ["dev", ...ANY], cwd);
  const client = await connect({ url: dev.url }, "hello");
  await client.close();
  assert.doesNotMatch(readFileSync(join(cwd, FILE), "utf8"), /SIGNING/);
  assert.equal(await dev.stop(), 0);
});

test("a port that is taken is said, and so is a directory that is served", async (t) => {
  const cwd = folder(t);
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const busy = await refused(t, ["dev", "--port", String(port)], cwd);
  assert.equal(busy.code, 3);
  assert.match(busy.err, new RegExp(`port ${port} is taken: give another with --port`));
  const wrong = await refused(t, ["dev", "--port", "eighty"], cwd);
  assert.equal(wrong.code, 2);
  const elsewhere = await refused(t, ["dev", ...ANY, "--host", "192.0.2.1"], cwd);
  assert.match(elsewhere.err, /unable to listen at 192\.0\.2\.1/);

  const serve = ["serve", "--data", "data", ...ANY];
  const first = await serving(t, serve, cwd, KEY);
  const second = await refused(t, serve, cwd, KEY);
  assert.equal(second.code, 3);
  assert.match(second.err, new RegExp(`served already, by process ${first.child.pid}`));
  assert.equal(await first.stop(), 0);
});

test("serve has no open mode, no development addresses, and no key on its disk", async (t) => {
  const cwd = folder(t);
  const serve = ["serve", "--data", "data", ...ANY];
  const keyless = await refused(t, serve, cwd);
  assert.equal(keyless.code, 2);
  assert.match(keyless.err, /SESSILE_SIGNING_KEY=.* >> .*data.variables/);
  assert.ok(!existsSync(join(cwd, "data")));

  const server = await serving(t, serve, cwd, { ...KEY, SESSILE_DEV: "1" });
  const headers = { origin: server.url };
  const asked = await fetch(`${server.url}/v1/dev/tokens`, { method: "POST", headers });
  assert.equal(asked.status, 404);
  const config = readFileSync(join(cwd, "data", "workerd.capnp"), "utf8");
  assert.ok(!config.includes(SIGNING_KEY));
  assert.equal(await server.stop(), 0);

  writeFileSync(join(cwd, "keys"), `SESSILE_SIGNING_KEY=${SIGNING_KEY}\n`);
  const filed = await serving(t, [...serve, "--variables", "keys"], cwd);
  const client = await connect({ url: filed.url }, "hello");
  await client.close();
  assert.equal(await filed.stop(), 0);
});

test("P3.2 kill -9 and a new start lose nothing that was acknowledged", async (t) => {
  const cwd = folder(t);
  const serve = ["serve", "--data", "data", ...ANY];
  const data = join(cwd, "data");
  let acknowledged = "";
  let serial = "";
  for (const killed of ["workerd", "both", "the command alone"]) {
    const server = await serving(t, serve, cwd, KEY);
    const [message] = await getHistory(server, "kept");
    const stored = String(message?.data ?? "");
    assert.ok(stored.startsWith(acknowledged), `after the end of ${killed}`);
    acknowledged = stored;
    // With a reader an append is stored within 40 ms, and without one within 250.
    await connect(server, "kept", { sub: "reader" });
    const writer = await connect(server, "kept", { sub: "writer" });
    serial ||= await writer.publish("", { status: "streaming" });
    let enough = () => {};
    const written = new Promise<void>((done) => {
      enough = done;
    });
    const writing = (async () => {
      for (let seq = acknowledged.split(" ").length; ; seq += 1) {
        await writer.ok({ type: "append", serial, data: `${seq} `, seq });
        acknowledged += `${seq} `;
        if (seq % 20 === 0) enough();
      }
    })().catch(() => {});
    await within(written, "twenty appends");
    const gone = new Promise((done) => server.child.once("exit", done));
    if (killed !== "workerd") server.child.kill("SIGKILL");
    if (killed !== "the command alone") process.kill(workerdOf(data), "SIGKILL");
    await within(gone, "the command to end");
    if (killed === "workerd") assert.match(server.err(), /workerd ended by itself/);
    if (killed === "the command alone") {
      // Its workerd still serves, and still takes appends: the next start ends it, and may have
      // its port.
      const orphan = workerdOf(data);
      const again = serve.map((word) => (word === "0" ? new URL(server.url).port : word));
      const next = await serving(t, again, cwd, KEY);
      assert.equal(next.url, server.url);
      assert.ok(!isRunning(orphan), "nothing else writes to the disk");
      const [last] = await getHistory(next, "kept");
      assert.ok(String(last?.data).startsWith(acknowledged));
      assert.equal(await next.stop(), 0);
    }
    await writing;
  }
});

test("P6.8 a deadline passes after a new start, with nobody connected", async (t) => {
  const cwd = folder(t);
  const endpoint = new Endpoint();
  await endpoint.start();
  t.after(() => endpoint.stop());
  const serve = ["serve", "--data", "data", ...ANY];
  const env = {
    ...KEY,
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_WEBHOOK_SECRETS: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    SESSILE_HOOKS: JSON.stringify([{ url: endpoint.url(), events: ["turn.end", "turn.lost"] }]),
  };
  const first = await serving(t, serve, cwd, env);
  const json = { id: "t1", leaseMs: 5000 };
  const started = await call(first, "lost", "POST", "/turns", { json });
  assert.equal(started.status, 201, started.text);
  const gone = new Promise((done) => first.child.once("exit", done));
  process.kill(workerdOf(join(cwd, "data")), "SIGKILL");
  await within(gone, "the command to end");
  assert.deepEqual(endpoint.calls, []);
  const second = await serving(t, serve, cwd, env);
  await endpoint.called("lost", 1);
  assert.equal(await second.stop(), 0);
});
