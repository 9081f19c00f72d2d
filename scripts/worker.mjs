// The Worker in the SDK's package, in sdk/dist/worker: its built module and types, the pages and
// the script that serves them without Cloudflare, and a manifest that tells `npx sessile` the rest.
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { replaceFolder, withLock } from "./lib/fresh.mjs";
import { inRoot, Refusal, read } from "./lib/project.mjs";

const MODULES = ["index.js", "index_bg.wasm"];
/** The next sdk/dist/worker. */
const NEXT = inRoot("sdk", ".dist-worker");

/** Builds the Worker and its pages, unless they are up to date, and puts them into the package. */
export async function packWorker() {
  await build();
  await withLock(inRoot("sdk", ".dist-worker.lock"), async () => {
    rmSync(NEXT, { recursive: true, force: true });
    mkdirSync(NEXT, { recursive: true });
    for (const name of MODULES) copyFileSync(inRoot("build", name), join(NEXT, name));
    copyFileSync(inRoot("sdk", "src", "worker.d.ts"), join(NEXT, "index.d.ts"));
    copyFileSync(inRoot("sdk", "src", "cli", "serve", "pages-worker.js"), join(NEXT, "pages.js"));
    cpSync(inRoot("site"), join(NEXT, "assets"), { recursive: true });
    writeFileSync(join(NEXT, "manifest.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
    replaceFolder(NEXT, inRoot("sdk", "dist", "worker"));
  });
}

/** The facts of wrangler.toml and of the sources that a project elsewhere needs. */
function manifest() {
  const config = read("wrangler.toml");
  const find = (pattern) => {
    const found = pattern.exec(config);
    if (!found) throw new Refusal(`wrangler.toml has nothing like ${pattern}`);
    return found;
  };
  const all = (pattern) => [...config.matchAll(pattern)];
  const { devDependencies } = JSON.parse(read("package.json"));
  return {
    version: JSON.parse(read("sdk/package.json")).version,
    schema: Math.max(...readdirSync(inRoot("src", "store", "schema")).map(Number)),
    compatibilityDate: find(/^compatibility_date = "([^"]+)"/m)[1],
    workerd: devDependencies.workerd,
    objects: Object.fromEntries(
      all(/^\[\[durable_objects\.bindings\]\]\nname = "(\w+)"\nclass_name = "(\w+)"/gm).map(
        ([, binding, name]) => [binding, name],
      ),
    ),
    migrations: all(/^\[\[migrations\]\]\ntag = "([^"]+)"\nnew_sqlite_classes = (\[.*\])/gm).map(
      ([, tag, classes]) => ({ tag: `sessile-${tag}`, classes: JSON.parse(classes) }),
    ),
  };
}
