// Plain `workerd serve`, the same way for both sides: same binary, same compatibility date and
// flags, SQLite on disk in a directory of its own, a free port on 127.0.0.1.

import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";

const ROOT = join(import.meta.dirname, "..");
const workerd = createRequire(import.meta.url)("workerd") as { default: string; version: string };

export const WORKERD_VERSION = workerd.version;

/** A file of the Worker that is measured: of `build/`, or of the build that `--build` names. */
export function buildFile(name: string): string {
  return resolve(ROOT, process.env.SESSILE_BUILD ?? "build", name);
}

/** The differences between the sides. */
export interface Site {
  /** Module name in the Worker and its file; the first is the entry. */
  modules: { name: string; file: string; kind: "esModule" | "wasm" }[];
  binding: string;
  className: string;
  /** Another class beside it, if there is one. */
  beside?: { binding: string; className: string };
  vars: Record<string, string>;
}

const alive = new Set<ChildProcess>();
const directories = new Set<string>();
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(1));
}

/** The compatibility settings of the deployment, for both sides. */
function compatibility(): string {
  const toml = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  const date = /^compatibility_date\s*=\s*"([^"]+)"/m.exec(toml)?.[1];
  if (date === undefined) throw new Error("wrangler.toml has no compatibility_date");
  const flags = /^compatibility_flags\s*=\s*(\[[^\]]*\])/m.exec(toml)?.[1] ?? "[]";
  return `compatibilityDate = ${JSON.stringify(date)}, compatibilityFlags = ${flags},`;
}

function config(site: Site): string {
  const modules = site.modules.map(
    ({ name, kind }, index) =>
      `(name = ${JSON.stringify(name)}, ${kind} = embed "module-${index}")`,
  );
  const vars = Object.entries(site.vars).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`,
  );
  const classes = site.beside === undefined ? [site] : [site, site.beside];
  const objects = classes.map(
    ({ binding, className }) => `(name = "${binding}", durableObjectNamespace = "${className}")`,
  );
  const namespaces = classes.map(
    ({ className }, index) =>
      `(className = "${className}", uniqueKey = "bench${index || ""}", enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "store", writable = true)),
  ],
  sockets = [(name = "entry", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  ${compatibility()}
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [${[...objects, ...vars].join(", ")}],
);
`;
}

export class Server {
  port = 0;
  private child: ChildProcess | undefined;
  private readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(site: Site): Promise<Server> {
    const directory = mkdtempSync(join(tmpdir(), "sessile-bench-"));
    directories.add(directory);
    site.modules.forEach(({ file }, index) => {
      copyFileSync(resolve(ROOT, file), join(directory, `module-${index}`));
    });
    writeFileSync(join(directory, "config.capnp"), config(site));
    mkdirSync(join(directory, "store"));
    const server = new Server(directory);
    await server.run();
    return server;
  }

  /** Starts workerd on what is stored; the port may be another one. */
  async run(): Promise<void> {
    const child = spawn(workerd.default, ["serve", "--control-fd=3", "config.capnp"], {
      cwd: this.directory,
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    alive.add(child);
    child.on("exit", () => alive.delete(child));
    this.child = child;
    this.port = await listening(child);
  }

  /** CPU seconds that workerd has used so far (Linux; 0 elsewhere). */
  cpuSeconds(): number {
    try {
      const stat = readFileSync(`/proc/${this.child?.pid}/stat`, "utf8").split(") ")[1] ?? "";
      const fields = stat.split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      return 0;
    }
  }

  /** Ends workerd without a word, as a power cut would. */
  kill(): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }
}

function listening(child: ChildProcess): Promise<number> {
  const control = child.stdio[3] as Readable;
  return new Promise((resolve, reject) => {
    let text = "";
    control.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const port = /"event":"listen".*?"port":(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once("exit", (code) =>
      reject(new Error(`workerd ended with ${code} before it listened`)),
    );
  });
}
