// The configuration of workerd: the Worker, its objects on the local disk, and its pages.

import { join } from "node:path";
import type { Manifest } from "./manifest.ts";
import type { Pages } from "./pages.ts";

export interface Serving {
  manifest: Manifest;
  pages: Pages;
  /** The directory of the built Worker, in which modules and pages lie. */
  worker: string;
  /** The directory of the sessions. */
  store: string;
  /** The names of variables, whose values workerd takes from its environment. */
  variables: readonly string[];
  /** Whether the Worker may call addresses of this machine and of its network. */
  callsLocal: boolean;
}

/** A text in the configuration's own notation, which takes JSON's. */
const text = (value: string) => JSON.stringify(value);

/**
 * Values of variables are not in it, since it lies on the disk. Modules are found below the
 * directory that is given as `--import-path`.
 */
export function configOf(serving: Serving): string {
  const { manifest, pages, worker, store, variables, callsLocal } = serving;
  const objects = Object.entries(manifest.objects);
  const networks = ["public", ...(callsLocal ? ["private", "local"] : [])];
  const lines = (all: readonly string[]) => all.map((line) => `    ${line},`).join("\n");
  return `# Written anew at each start by npx sessile.
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "pages", worker = .pages),
    (name = "internet", network = (
      allow = [${networks.map(text).join(", ")}], tlsOptions = (trustBrowserCas = true))),
    (name = "store", disk = (path = ${text(store)}, writable = true)),
    (name = "files", disk = (path = ${text(join(worker, "assets"))})),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "/index.js"),
    (name = "./index_bg.wasm", wasm = embed "/index_bg.wasm"),
  ],
  compatibilityDate = ${text(manifest.compatibilityDate)},
  durableObjectNamespaces = [
${lines(
  objects.map(
    ([, name]) => `(className = ${text(name)}, uniqueKey = "sessile-${name}", enableSql = true)`,
  ),
)}
  ],
  durableObjectStorage = (localDisk = "store"),
  bindings = [
    (name = "ASSETS", service = "pages"),
${lines(
  objects.map(
    ([binding, name]) => `(name = ${text(binding)}, durableObjectNamespace = ${text(name)})`,
  ),
)}
${lines(variables.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`))}
  ],
);
const pages :Workerd.Worker = (
  modules = [(name = "pages.js", esModule = embed "/pages.js")],
  compatibilityDate = ${text(manifest.compatibilityDate)},
  bindings = [
    (name = "PAGES", json = ${text(JSON.stringify(pages))}),
    (name = "DISK", service = "files"),
  ],
);
`;
}
