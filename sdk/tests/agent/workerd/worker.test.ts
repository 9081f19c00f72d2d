// `sessile/agent` where there is neither Node nor a browser: in a Worker of its own.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join as path } from "node:path";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { connect } from "../../../../tests/support/client.ts";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { within } from "../../../../tests/support/wait.ts";
import { contents } from "./agent.ts";

const fixture = useServer();
let child: ChildProcess | undefined;
let worker = "";

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "agent-worker.js")],
      compatibilityDate = "2026-09-01",
    )),
    (name = "internet", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);
`;

async function serve(): Promise<void> {
  const { dir } = fixture.server;
  await build({
    entryPoints: [path(import.meta.dirname, "worker.js")],
    bundle: true,
    format: "esm",
    target: "es2022",
    outfile: path(dir, "agent-worker.js"),
  });
  writeFileSync(path(dir, "agent.capnp"), CONFIG);
  const workerd = createRequire(import.meta.url).resolve("workerd/package.json");
  const args = [
    "serve",
    path(dir, "agent.capnp"),
    "--control-fd=3",
    "--socket-addr=http=127.0.0.1:0",
  ];
  const running = spawn(path(dirname(workerd), "bin", "workerd"), args, {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  child = running;
  const port = new Promise<number>((done, fail) => {
    running.once("exit", (code) => fail(new Error(`workerd ended with ${code}`)));
    running.stdio[3]?.once("data", (chunk: Buffer) => done(JSON.parse(String(chunk)).port));
  });
  worker = `http://127.0.0.1:${await within(port, "workerd to listen")}`;
}

after(() => {
  child?.kill("SIGKILL");
});

describe("an agent in a Worker", () => {
  before(serve);

  for (const link of ["socket", "fetch"]) {
    test(`answers over ${link === "fetch" ? "fetch alone" : "a WebSocket"}`, async () => {
      const session = fixture.session();
      const user = await connect(fixture.server, session, { sub: "alice" });
      const input = await user.publish("hello");
      const token = await makeToken({ sub: "agent", caps: { "*": ["agent"] } });
      const { url } = fixture.server;
      const body = JSON.stringify({ url, session, token, input, link });
      const response = await within(fetch(worker, { method: "POST", body }), "the Worker");
      const turn = await response.json();
      assert.equal(turn.status, "complete", JSON.stringify(turn));
      assert.deepEqual(await contents(fixture.server, session), [
        ["message", "hello"],
        ["message", "A Worker heard “hello”."],
      ]);
      await user.close();
    });
  }
});
