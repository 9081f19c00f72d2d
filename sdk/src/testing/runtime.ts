// workerd with the built Worker, by the Miniflare that the test's project has: version 4 or 5.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TestingError } from "./errors.ts";
import { ADVANCES, AROUND, CONTROL, MAIN } from "./modules.ts";
import { begun, holding } from "./unheld.ts";

/** The Worker's own; an older workerd knows none that is later than itself. */
export const DATE = "2026-09-01";
const NAME = "sessile";
const WASM = "index_bg.wasm";
/** The classes of objects by their bindings. */
export const CLASSES = { SESSIONS: "SessionObject", INBOXES: "InboxObject" };

export type Binding = keyof typeof CLASSES;
/** An advance of the clock: from which real moment on, and by how many milliseconds. */
export type Advance = [from: number, by: number];

export interface RuntimeOptions {
  worker: string | undefined;
  data: string;
  vars: Record<string, string>;
  advances: readonly Advance[];
  log: (line: string) => void;
}

/** The used part of Miniflare, of which each version has types of its own. */
interface Miniflare {
  readonly ready: Promise<URL>;
  unsafeGetDirectURL(worker: string): Promise<URL>;
  dispose(): Promise<void>;
}
interface Package {
  Miniflare: new (options: object) => Miniflare;
  NoOpLog: new () => object;
  /** Version 4. */
  supportedCompatibilityDate?: string;
  /** From version 5 on, which has options of another form. */
  convertV4MiniflareOptions?(options: object): object;
}

async function load(): Promise<Package> {
  try {
    return (await import("miniflare")) as unknown as Package;
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw cause;
    const remedy = "sessile/testing runs the session layer on it: npm i -D miniflare";
    throw new TestingError("no-miniflare", `the package miniflare is missing; ${remedy}`, {
      cause,
    });
  }
}

/** The directory of the built Worker: that of a clone of the repository, or of the package. */
function findWorker(given: string | undefined): string {
  // In a clone, the package's may be of some days ago.
  const near = ["../../../build/", "../worker/"].map((path) => new URL(path, import.meta.url));
  const places = given === undefined ? near.map((url) => fileURLToPath(url)) : [given];
  const found = places.find((place) => existsSync(join(place, WASM)));
  if (found !== undefined) return found;
  const remedy = "in a clone, npm run build makes it";
  throw new TestingError("no-worker", `no built Worker in ${places.join(" or ")}; ${remedy}`);
}

/** One worker of the options of version 4. */
function worker(name: string, date: string, modules: object[], more: object): object {
  const classes = Object.entries(CLASSES).map(([binding, className]) => [
    binding,
    { className, useSQLite: true, ...(name !== NAME && { scriptName: NAME }) },
  ]);
  return {
    name,
    modules,
    modulesRoot: "/",
    compatibilityDate: date,
    cache: false,
    durableObjects: Object.fromEntries(classes),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    ...more,
  };
}

function module(type: string, name: string, contents: string | Uint8Array): object {
  return { type, path: `/${name}`, contents };
}

function configure(found: Package, options: RuntimeOptions): object {
  const { NoOpLog, convertV4MiniflareOptions, supportedCompatibilityDate = DATE } = found;
  const dir = findWorker(options.worker);
  const modules = [
    module("ESModule", "around.js", AROUND),
    module("ESModule", MAIN, readFileSync(join(dir, MAIN), "utf8")),
    module("CompiledWasm", WASM, readFileSync(join(dir, WASM))),
  ];
  const date = supportedCompatibilityDate < DATE ? supportedCompatibilityDate : DATE;
  const control = [module("ESModule", "control.js", CONTROL)];
  const shared = {
    log: new NoOpLog(),
    host: "127.0.0.1",
    port: 0,
    // Else it asks a server of Cloudflare.
    cf: false,
    handleStructuredLogs: ({ message }: { message: string }) => options.log(message),
    workers: [
      worker(NAME, date, modules, {
        bindings: { ...options.vars, [ADVANCES]: JSON.stringify(options.advances) },
      }),
      worker("control", date, control, {
        compatibilityFlags: ["unsafe_module", "experimental"],
        serviceBindings: { CLOCK: { name: NAME, entrypoint: "Clock" } },
      }),
    ],
  };
  if (convertV4MiniflareOptions === undefined) {
    return { ...shared, durableObjectsPersist: join(options.data, "do") };
  }
  // It adds `do` by itself.
  return convertV4MiniflareOptions({ ...shared, resourcePersistencePath: options.data });
}

export class Runtime {
  readonly port: number;
  readonly #miniflare: Miniflare;
  readonly #control: URL;
  readonly #data: string;

  private constructor(miniflare: Miniflare, main: URL, control: URL, data: string) {
    this.#miniflare = miniflare;
    this.port = Number(main.port);
    this.#control = control;
    this.#data = data;
  }

  static async start(options: RuntimeOptions): Promise<Runtime> {
    const found = await load();
    const given = configure(found, options);
    return begun(async () => {
      const miniflare = new found.Miniflare(given);
      try {
        await miniflare.ready;
        const main = await miniflare.unsafeGetDirectURL(NAME);
        const control = await miniflare.unsafeGetDirectURL("control");
        return new Runtime(miniflare, main, control, options.data);
      } catch (cause) {
        await miniflare.dispose().catch(() => {});
        throw new TestingError("no-start", `workerd did not start: ${String(cause)}`, { cause });
      }
    });
  }

  async control(path: string, query: Record<string, string> = {}, body?: string): Promise<string> {
    const url = new URL(`${path}?${new URLSearchParams(query)}`, this.#control);
    const response = await fetch(url, body === undefined ? {} : { method: "POST", body });
    const text = await response.text();
    if (response.ok) return text;
    throw new TestingError("refused", `unable to do ${path}: ${text}`);
  }

  /** Every object that has rows, by its binding and its id. */
  objects(): { binding: Binding; id: string }[] {
    return Object.entries(CLASSES).flatMap(([binding, className]) => {
      const dir = join(this.#data, "do", `${NAME}-${className}`);
      const files = existsSync(dir) ? readdirSync(dir) : [];
      return files.flatMap((file) => {
        const [, id] = /^([0-9a-f]{64})\.sqlite$/.exec(file) ?? [];
        return id === undefined ? [] : [{ binding: binding as Binding, id }];
      });
    });
  }

  /** SIGKILL: nothing is flushed, nothing says goodbye. */
  async kill(): Promise<void> {
    await holding(this.#miniflare.dispose());
  }
}
