// The built Worker beside an agent's, with a service binding, a Queue and a Workflow between them:
// in Miniflare, which runs workerd with the parts that it has not by itself.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { freePort } from "./port.ts";
import { ROOT } from "./server.ts";
import { SIGNING_KEY } from "./token.ts";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const COMPATIBILITY = { compatibilityDate: "2026-09-01" };

const text = (value: string) => ({ type: "text" as const, value });

/** The agent's Worker with the SDK, as one module. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "woken-worker.js")],
    bundle: true,
    format: "esm",
    target: "es2022",
    external: ["cloudflare:workers"],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

function main(vars: Record<string, string>) {
  const dir = resolve(ROOT, process.env.SESSILE_BUILD ?? "build");
  const module = (name: string, type: "esm" | "wasm") => {
    const file = readFileSync(join(dir, name));
    return { type, contents: type === "esm" ? file.toString("utf8") : new Uint8Array(file) };
  };
  const object = { type: "durable-object" as const, storage: "sqlite" as const };
  const bound = (exportName: string) => ({
    type: "durable-object" as const,
    worker: "main",
    exportName,
  });
  const texts = Object.entries({ SESSILE_SIGNING_KEY: SIGNING_KEY, ...vars });
  return {
    name: "main",
    ...COMPATIBILITY,
    manifest: {
      mainModule: "index.js",
      modulesRoot: "/",
      modules: {
        "index.js": module("index.js", "esm"),
        "index_bg.wasm": module("index_bg.wasm", "wasm"),
      },
    },
    exports: { SessionObject: object, InboxObject: object },
    env: {
      SESSIONS: bound("SessionObject"),
      INBOXES: bound("InboxObject"),
      BOT: { type: "worker" as const, worker: "agent" },
      JOBS: { type: "queue" as const, name: "jobs" },
      FLOW: { type: "workflow" as const, name: "answers", worker: "agent", exportName: "Answer" },
      ...Object.fromEntries(texts.map(([name, value]) => [name, text(value)])),
    },
  };
}

export interface Platform {
  readonly url: string;
  stop(): Promise<void>;
}

/** `DOWN` of `vars` is the agent's. */
export async function startPlatform(vars: Record<string, string> = {}): Promise<Platform> {
  const dir = mkdtempSync(join(tmpdir(), "sessile-platform-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { DOWN = "0", ...own } = vars;
  const agent = {
    name: "agent",
    ...COMPATIBILITY,
    manifest: {
      mainModule: "worker.js",
      modulesRoot: "/",
      modules: { "worker.js": { type: "esm" as const, contents: await bundle() } },
    },
    env: { URL: text(url), SECRET: text(SECRET), DOWN: text(DOWN) },
    triggers: [{ type: "queue" as const, name: "jobs", maxBatchTimeout: 0.05 }],
  };
  const miniflare = new Miniflare({
    workers: [{ config: main({ SESSILE_WEBHOOK_SECRETS: SECRET, ...own }) }, { config: agent }],
    resourcePersistencePath: dir,
    host: "127.0.0.1",
    port,
  });
  await miniflare.ready;
  return {
    url,
    async stop() {
      await miniflare.dispose();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
