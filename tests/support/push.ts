// The transports of push in the real runtime, without sessions: a workerd with their Worker.

import { type ChildProcess, spawn } from "node:child_process";
import { createECDH, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { within } from "./wait.ts";

const CONFIG = (bindings: string) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-09-01",
  durableObjectNamespaces = [(className = "Sender", uniqueKey = "sender")],
  durableObjectStorage = (inMemory = void),
  bindings = [(name = "SENDERS", durableObjectNamespace = "Sender"), ${bindings}],
);
`;

export interface Pushed {
  status: number;
  retryAfterMs?: number;
  gone?: true;
  reason?: string;
}

export const NOTICE = {
  type: "approval.request",
  title: "Refund 40 €?",
  body: "The order of Ada Ärmel",
  session: "s 1",
  url: "https://app.example/s/1",
  at: 1_800_000_000_000,
  data: { order: 42 },
  actions: [
    { action: "approve", title: "Approve" },
    { action: "reject", title: "Reject" },
  ],
  decide: { url: "https://sessions.example/v1/sessions/s%201/approvals/a/decide", token: "t.t.t" },
};

export const OPTIONS = { id: "notice-1", collapse: "s 1 approval a", ttlS: 600, urgency: "high" };

export class Pusher {
  #dir = mkdtempSync(join(tmpdir(), "sessile-push-"));
  #child: ChildProcess | undefined;
  #url = "";

  async start(vars: Record<string, string>): Promise<void> {
    await build({
      entryPoints: [join(import.meta.dirname, "push-worker.js")],
      bundle: true,
      format: "esm",
      target: "es2022",
      outfile: join(this.#dir, "worker.js"),
    });
    const text = JSON.stringify;
    const bindings = Object.entries(vars).map(
      ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
    );
    writeFileSync(join(this.#dir, "push.capnp"), CONFIG(bindings.join(", ")));
    const workerd = createRequire(import.meta.url).resolve("workerd/package.json");
    const program = join(dirname(workerd), "bin", "workerd");
    const file = join(this.#dir, "push.capnp");
    const args = ["serve", file, "--control-fd=3", "--socket-addr=http=127.0.0.1:0"];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
    this.#child = child;
    const port = new Promise<number>((done, fail) => {
      child.once("exit", (code) => fail(new Error(`workerd ended with ${code}`)));
      child.stdio[3]?.once("data", (chunk: Buffer) => done(JSON.parse(String(chunk)).port));
    });
    this.#url = `http://127.0.0.1:${await within(port, "workerd to listen")}`;
  }

  stop(): void {
    this.#child?.kill("SIGKILL");
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** One push; `object` says from which object, else the Worker itself pushes. */
  async push(
    device: Record<string, unknown>,
    more: { notice?: object; options?: object; object?: string; ms?: number } = {},
  ): Promise<Pushed> {
    const body = JSON.stringify({
      device,
      notice: { ...NOTICE, ...more.notice },
      options: { ...OPTIONS, ...more.options },
      ms: more.ms ?? 10_000,
    });
    const object = more.object === undefined ? "" : `?object=${more.object}`;
    const answer = fetch(`${this.#url}/${object}`, { method: "POST", body });
    return (await within(answer, "a push")).json() as Promise<Pushed>;
  }

  async ask(path: "/key" | "/under-way"): Promise<Record<string, unknown>> {
    return (await fetch(this.#url + path)).json() as Promise<Record<string, unknown>>;
  }
}

/** A key of VAPID: its private scalar, and the point that belongs to it by Node. */
export function vapidKey(): { scalar: string; point: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { d = "", x = "", y = "" } = privateKey.export({ format: "jwk" });
  const bytes = [Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")];
  return { scalar: d, point: Buffer.concat(bytes).toString("base64url") };
}

/** A subscription as a browser makes one, with what decrypts for it. */
export function subscribe(endpoint: string) {
  const pair = createECDH("prime256v1");
  pair.generateKeys();
  const auth = randomBytes(16);
  const keys = { p256dh: pair.getPublicKey("base64url"), auth: auth.toString("base64url") };
  return { pair, auth, subscription: { endpoint, expirationTime: null, keys } };
}
