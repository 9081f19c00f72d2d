// An agent in a Worker of its own, woken by a webhook, a Queue and a Workflow of Cloudflare,
// in Miniflare.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { connect } from "../../../../tests/support/client.ts";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { getTurns, USER } from "../../../../tests/support/turns.ts";
import { until } from "../../../../tests/support/wait.ts";
import type { Waking } from "../../../src/wake/index.ts";
import { contents } from "../../agent/workerd/agent.ts";
import { SECRET, signed } from "../signed.ts";

const fixture = useServer();
const dir = mkdtempSync(join(tmpdir(), "sessile-wake-"));
let worker: Miniflare | undefined;

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "worker.js")],
    bundle: true,
    format: "esm",
    target: "es2022",
    external: ["cloudflare:workers"],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

async function begin(): Promise<void> {
  const contents = await bundle();
  const TOKEN = await makeToken({ sub: "bot", caps: { "*": ["agent"] } });
  const text = (value: string) => ({ type: "text" as const, value });
  const agent = {
    name: "agent",
    compatibilityDate: "2026-09-01",
    manifest: {
      mainModule: "worker.js",
      modulesRoot: "/",
      modules: { "worker.js": { type: "esm" as const, contents } },
    },
    env: {
      URL: text(fixture.server.url),
      TOKEN: text(TOKEN),
      SECRET: text(SECRET),
      JOBS: { type: "queue" as const, name: "jobs" },
      FLOW: { type: "workflow" as const, name: "answers", worker: "agent", exportName: "Answer" },
    },
    triggers: [{ type: "queue" as const, name: "jobs", maxBatchTimeout: 0.05 }],
  };
  worker = new Miniflare({ workers: [{ config: agent }], resourcePersistencePath: dir });
  await worker.ready;
}

after(async () => {
  await worker?.dispose();
  rmSync(dir, { recursive: true, force: true });
});

async function asked(t: TestContext, text: string) {
  const session = fixture.session("platform");
  const user = await connect(fixture.server, session, USER);
  t.after(() => user.close());
  const input = await user.publish(text);
  const waking: Waking = { id: `${session}-${input}`, session, input, at: Date.now() };
  return { session, waking };
}

async function hand(path: string, waking: Waking): Promise<number> {
  const request = path === "/wake" ? signed(waking) : undefined;
  const body = request ? await request.text() : JSON.stringify(waking);
  const headers = Object.fromEntries(request?.headers ?? []);
  const init = { method: "POST", headers, body };
  const response = await worker?.dispatchFetch(`http://localhost${path}`, init);
  await response?.text();
  return response?.status ?? 0;
}

async function answered(session: string, text: string): Promise<void> {
  const turns = async () => (await getTurns(fixture.server, session, "?status=all")).turns;
  await until(turns, (all) => all[0]?.endedAt !== undefined, "the turn to end");
  const [turn, ...more] = await turns();
  assert.deepEqual([turn?.status, more.length], ["complete", 0], JSON.stringify(turn?.error));
  assert.deepEqual(await contents(fixture.server, session), [
    ["message", text],
    ["message", `You said: ${text}`],
  ]);
}

describe("in Cloudflare's own runtime", () => {
  before(begin);

  test("a webhook is answered at once, and the Worker works on", async (t) => {
    const { session, waking } = await asked(t, "by webhook");
    assert.equal(await hand("/wake", waking), 202);
    await answered(session, "by webhook");
    assert.equal(await hand("/wake", waking), 200, "a repeat");
  });

  test("a Queue brings each input, twice or not, to one answer", async (t) => {
    const all = await Promise.all(["one", "two", "three"].map((text) => asked(t, text)));
    for (const { waking } of [...all, ...all]) await hand("/queue", waking);
    for (const [at, text] of ["one", "two", "three"].entries()) {
      await answered(all[at]?.session ?? "", text);
    }
  });

  test("a Workflow answers, and a step that was cut off takes its own turn over", async (t) => {
    const quick = await asked(t, "quickly");
    assert.equal(await hand("/workflow", quick.waking), 200);
    await answered(quick.session, "quickly");
    const slow = await asked(t, "stay a while");
    assert.equal(await hand("/workflow", slow.waking), 200);
    const half = async () => (await contents(fixture.server, slow.session)).at(-1)?.[1];
    await until(half, (said) => said === "You ", "half an answer");
    await answered(slow.session, "stay a while");
    const { turns } = await getTurns(fixture.server, slow.session, "?status=all");
    assert.equal(turns[0]?.attempt, 2);
  });
});
