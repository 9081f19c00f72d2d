// The built Worker in a workerd of its own, with a second Worker that evicts objects for real.

import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SIGNING_KEY } from "./token.ts";
import { within } from "./wait.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

/** The classes of objects: the binding of each, and where its databases lie. */
const CLASSES = {
  session: { className: "SessionObject", binding: "SESSIONS" },
  inbox: { className: "InboxObject", binding: "INBOXES" },
};
export type Kind = keyof typeof CLASSES;

/** Every class as it stands in the configuration, in one way or another. */
function eachClass(write: (one: (typeof CLASSES)[Kind]) => string): string {
  return Object.values(CLASSES).map(write).join(",\n    ");
}

function uniqueKey(kind: Kind): string {
  return `sessile-${CLASSES[kind].className}`;
}

/** A stand-in for a dataset of Workers Analytics Engine. */
const DATASET = `export default () => ({
  writeDataPoint(point) {
    console.log("point " + JSON.stringify(point));
  },
});
`;

export interface ServerOptions {
  /** A build directory; the plain build unless told. */
  build?: string;
  /** Text bindings; the signing key is among them unless `vars` names it. */
  vars?: Record<string, string | undefined>;
  /** Whether there is a dataset ANALYTICS, whose points are printed. */
  analytics?: boolean;
  /** Whether there is a bucket FILES (`bucket-worker.js`). */
  files?: boolean;
}

/** Sockets of workerd: the Worker, the control Worker and the bucket. */
interface Ports {
  http: number;
  control: number;
  bucket: number;
}

function workerdPath(): string {
  const named = process.env.MINIFLARE_WORKERD_PATH;
  if (named !== undefined) return named;
  const require = createRequire(join(ROOT, "package.json"));
  const main = require.resolve("workerd/package.json");
  return join(dirname(main), "bin", "workerd");
}

function text(value: string): string {
  return JSON.stringify(value);
}

/** `embed` wants paths relative to the configuration, so the build is copied beside it. */
function configure(dir: string, options: ServerOptions): void {
  const build = resolve(ROOT, options.build ?? process.env.SESSILE_BUILD ?? "build");
  if (!existsSync(join(build, "index.js"))) {
    throw new Error(`no Worker in ${build}; run \`npm run build\` first`);
  }
  const files = readdirSync(build).filter((name) => /\.(js|mjs|wasm)$/.test(name));
  for (const name of files) copyFileSync(join(build, name), join(dir, name));
  const control = join(import.meta.dirname, "control-worker.js");
  copyFileSync(control, join(dir, "control-worker.js"));
  writeFileSync(join(dir, "dataset.js"), DATASET);
  const main = files.filter((name) => name === "index.js");
  const rest = files.filter((name) => name !== "index.js");
  const modules = [...main, ...rest].map((name) => {
    const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
    const as = kind === "wasm" || name !== "index.js" ? `./${name}` : name;
    return `(name = ${text(as)}, ${kind} = embed ${text(name)})`;
  });
  const vars = { SESSILE_SIGNING_KEY: SIGNING_KEY, ...options.vars };
  const bindings = Object.entries(vars).flatMap(([name, value]) =>
    value === undefined ? [] : [`(name = ${text(name)}, text = ${text(value)})`],
  );
  if (options.analytics) {
    bindings.push('(name = "ANALYTICS", wrapped = (moduleName = "test:dataset"))');
  }
  if (options.files) bindings.push('(name = "FILES", r2Bucket = "bucket")');
  copyFileSync(join(import.meta.dirname, "bucket-worker.js"), join(dir, "bucket-worker.js"));
  writeFileSync(
    join(dir, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .mainWorker),
    (name = "control", worker = .controlWorker),
    (name = "bucket", worker = .bucketWorker),
    (name = "internet", network = (allow = ["public", "private", "local"])),
    (name = "store", disk = (path = ${text(join(dir, "store"))}, writable = true)),
  ],
  extensions = [
    (modules = [(name = "test:dataset", internal = true, esModule = embed "dataset.js")]),
  ],
  sockets = [
    (name = "http", http = (), service = "main"),
    (name = "control", http = (), service = "control"),
    (name = "bucket", http = (), service = "bucket"),
  ],
);
const bucketWorker :Workerd.Worker = (
  modules = [(name = "bucket-worker.js", esModule = embed "bucket-worker.js")],
  compatibilityDate = "2026-09-01",
  compatibilityFlags = ["nodejs_compat"],
  durableObjectNamespaces = [
    (className = "Bucket", uniqueKey = "sessile-Bucket", enableSql = true)
  ],
  durableObjectStorage = (localDisk = "store"),
  bindings = [(name = "BUCKET", durableObjectNamespace = "Bucket")],
);
const mainWorker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-09-01",
  durableObjectNamespaces = [
    ${eachClass(
      ({ className }) =>
        `(className = "${className}", uniqueKey = "sessile-${className}", enableSql = true)`,
    )}
  ],
  durableObjectStorage = (localDisk = "store"),
  bindings = [
    ${eachClass(
      ({ className, binding }) => `(name = "${binding}", durableObjectNamespace = "${className}")`,
    )},
    ${bindings.join(",\n    ")}
  ],
);
const controlWorker :Workerd.Worker = (
  modules = [(name = "control-worker.js", esModule = embed "control-worker.js")],
  compatibilityDate = "2026-09-01",
  compatibilityFlags = ["unsafe_module", "experimental"],
  bindings = [
    ${eachClass(
      ({ className, binding }) =>
        `(name = "${binding}",
      durableObjectNamespace = (className = "${className}", serviceName = "main"))`,
    )},
  ],
);
`,
  );
}

export class Server {
  readonly dir: string;
  readonly output: string[] = [];
  #child: ChildProcess | undefined;
  #ports: Ports | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  get port(): number {
    return this.#need().http;
  }

  /** The base of all addresses, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("workerd does not run");
    return pid;
  }

  get storage(): string {
    return join(this.dir, "store", uniqueKey("session"));
  }

  #need(): Ports {
    if (this.#ports === undefined) throw new Error("workerd has not started");
    return this.#ports;
  }

  /** Starts workerd; a second start takes the ports of the first. */
  async start(): Promise<void> {
    const { http, control, bucket } = this.#ports ?? { http: 0, control: 0, bucket: 0 };
    const child = spawn(
      workerdPath(),
      [
        "serve",
        join(this.dir, "config.capnp"),
        "--experimental",
        "--control-fd=3",
        `--socket-addr=http=127.0.0.1:${http}`,
        `--socket-addr=control=127.0.0.1:${control}`,
        `--socket-addr=bucket=127.0.0.1:${bucket}`,
      ],
      { stdio: ["ignore", "pipe", "pipe", "pipe"], env: { HOME: this.dir } },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => this.#log(chunk));
    }
    const ports = new Promise<Ports>((done, fail) => {
      const found: Partial<Ports> = {};
      let buffered = "";
      child.once("exit", (code, signal) =>
        fail(new Error(`workerd ended (${code ?? signal}):\n${this.output.join("")}`)),
      );
      const fd = child.stdio[3];
      if (fd === null || fd === undefined) return fail(new Error("workerd has no control pipe"));
      fd.on("data", (chunk: Buffer) => {
        buffered += chunk.toString("utf8");
        for (;;) {
          const end = buffered.indexOf("\n");
          if (end < 0) break;
          const event = JSON.parse(buffered.slice(0, end));
          buffered = buffered.slice(end + 1);
          if (event.event === "listen" && event.socket === "http") found.http = event.port;
          if (event.event === "listen" && event.socket === "control") found.control = event.port;
          if (event.event === "listen" && event.socket === "bucket") found.bucket = event.port;
          const { http, control, bucket } = found;
          if (http !== undefined && control !== undefined && bucket !== undefined) {
            done({ http, control, bucket });
          }
        }
      });
    });
    this.#ports = await within(ports, "workerd to listen");
  }

  #log(chunk: string): void {
    this.output.push(chunk);
    if (this.output.length > 400) this.output.shift();
    if (process.env.SESSILE_VERBOSE !== undefined) process.stderr.write(chunk);
  }

  /** SIGKILL: nothing is flushed, nothing says goodbye. Resolves when the process is gone. */
  async kill9(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill("SIGKILL");
    await within(gone, "workerd to die");
  }

  /** Starts again on the same disk and ports; with other settings, if there are any. */
  async restart(options?: ServerOptions): Promise<void> {
    await this.kill9();
    if (options !== undefined) configure(this.dir, options);
    await this.start();
  }

  async stop(): Promise<void> {
    await this.kill9();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #control(path: string): Promise<string> {
    const url = `http://127.0.0.1:${this.#need().control}${path}`;
    const response = await within(
      fetch(url, { headers: { connection: "close" } }),
      `the control Worker (${path})`,
      40_000,
    );
    const body = await response.text();
    if (!response.ok) throw new Error(`${path}: ${body}`);
    return body;
  }

  /**
   * Real eviction: memory goes, sockets stay. Fails if anything pins the object for 30 s.
   * Tells whether there was anything to evict: false means that the object was asleep.
   */
  async evict(name: string, kind: Kind = "session"): Promise<boolean> {
    const { binding } = CLASSES[kind];
    try {
      await this.#control(`/evict?name=${encodeURIComponent(name)}&binding=${binding}`);
      return true;
    } catch (error) {
      if (String(error).includes("not currently running")) return false;
      throw error;
    }
  }

  async abortAll(): Promise<void> {
    await this.#control("/abort-all");
  }

  /** The keys of all objects in the bucket. */
  async keys(): Promise<string[]> {
    return JSON.parse(await this.#bucket("/keys"));
  }

  /** Lets the bucket fail, or work again. */
  async setBucket(state: "up" | "down"): Promise<void> {
    await this.#bucket(`/${state}`);
  }

  async #bucket(path: string): Promise<string> {
    const url = `http://127.0.0.1:${this.#need().bucket}${path}`;
    const answer = fetch(url, { headers: { connection: "close" } });
    return (await within(answer, `the bucket (${path})`)).text();
  }

  async objectId(session: string): Promise<string> {
    return this.#control(`/id?name=${encodeURIComponent(session)}&binding=SESSIONS`);
  }

  /** The session's database as it lies on disk, or undefined if there is no file. */
  async databaseFile(session: string): Promise<string | undefined> {
    const file = join(this.storage, `${await this.objectId(session)}.sqlite`);
    return existsSync(file) ? file : undefined;
  }

  /** Runs one query on the session's database, from outside and read-only. */
  async query(session: string, sql: string): Promise<Record<string, unknown>[]> {
    const file = await this.databaseFile(session);
    if (file === undefined) return [];
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  }

  /** The session's own tables; the platform's begin with `_cf_`, SQLite's with `sqlite_`. */
  async tables(session: string): Promise<string[]> {
    const rows = await this.query(
      session,
      "SELECT name FROM sqlite_master WHERE type = 'table'" +
        " AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    );
    return rows.map((row) => String(row.name));
  }

  async databaseBytes(session: string): Promise<number> {
    const file = await this.databaseFile(session);
    return file === undefined ? 0 : statSync(file).size;
  }
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), "sessile-test-"));
  mkdirSync(join(dir, "store"));
  configure(dir, options);
  const server = new Server(dir);
  await server.start();
  return server;
}
