// The pages as the Worker serves them, in site/: each directory of pages/ with an index.html is a
// page, its main.tsx with all that it imports a script and a style sheet.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inRoot, isMain, main, read } from "./lib/project.mjs";

const PAGES = inRoot("pages");
const SITE = inRoot("site");
/** The page that is served at `/`; another one at its name. */
const FIRST = "demo";
/** The script of a page. */
const MAIN = "main.tsx";
/** Scripts that run beside a page: its directory's name is theirs. */
const WORKER = "worker.ts";

/** Writes what differs alone, since `wrangler dev` watches the directory, and removes the rest. */
export async function buildSite() {
  const files = new Map([...documents(), ...(await scripts())]);
  for (const [name, bytes] of files) {
    const path = join(SITE, name);
    if (existsSync(path) && readFileSync(path).equals(bytes)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  for (const entry of readdirSync(SITE, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(SITE.length + 1).replaceAll("\\", "/");
    if (entry.isFile() && !files.has(name)) rmSync(path);
  }
}

/** The directories of pages/ that have a file. */
function having(file) {
  return readdirSync(PAGES).filter((name) => existsSync(join(PAGES, name, file)));
}

function* documents() {
  for (const name of having("index.html")) {
    const path = name === FIRST ? "index.html" : `${name}.html`;
    yield [path, readFileSync(join(PAGES, name, "index.html"))];
  }
  // Read by the platform.
  for (const name of ["_headers", "_redirects"]) yield [name, readFileSync(join(PAGES, name))];
}

/** How esbuild makes the script of a page. */
export function pageOptions() {
  return {
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    alias: { ...ours(), ...preact() },
    loader: { ".md": "text" },
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
  };
}

/** The scripts of the pages: React's components drawn by preact, which is a tenth of its size. */
async function scripts() {
  // Imported here, since it may not be installed yet when this file is read.
  const { build } = await import("esbuild");
  const pages = having(MAIN).map((name) => [name, join(PAGES, name, MAIN)]);
  const workers = having(WORKER).map((name) => [`${name}-worker`, join(PAGES, name, WORKER)]);
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries([...pages, ...workers]),
    ...pageOptions(),
    outdir: SITE,
    entryNames: "assets/[name]",
    chunkNames: "assets/[name]-[hash]",
    splitting: true,
    write: false,
  });
  const push = await build({
    entryPoints: [inRoot("sdk", "src", "push", "worker.ts")],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    write: false,
  });
  const named = outputFiles.map((file) => [
    file.path.slice(SITE.length + 1).replaceAll("\\", "/"),
    Buffer.from(file.contents),
  ]);
  return [...named, ["push-worker.js", Buffer.from(push.outputFiles[0].contents)]];
}

/** The entries of the SDK, from their sources: a page imports them as any app does. */
function ours() {
  const { exports } = JSON.parse(read("sdk/package.json"));
  const entries = Object.entries(exports).filter(([, to]) => typeof to === "object");
  // The longer names first: an alias also takes what is below it.
  return Object.fromEntries(
    entries
      .sort(([one], [other]) => other.length - one.length)
      .map(([name, { types }]) => [
        name.replace(/^\./, "sessile"),
        inRoot("sdk", types.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts")),
      ]),
  );
}

function preact() {
  return {
    "react/jsx-runtime": "preact/jsx-runtime",
    "react-dom/client": "preact/compat/client",
    "react-dom": "preact/compat",
    react: "preact/compat",
  };
}

if (isMain(import.meta.url)) await main(() => buildSite().then(() => 0));
