// Builds the Worker to wasm into build/, and with `--faults` a second one into build/faults whose
// sessions can be made to panic. Does nothing if the build is up to date.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  bin,
  cargoTarget,
  inRoot,
  isMain,
  main,
  modernNode,
  Refusal,
  run,
  say,
} from "./lib/project.mjs";
import { findTools } from "./lib/tools.mjs";
import { buildSite } from "./site.mjs";

const SOURCES = [
  "src",
  "build.rs",
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  "scripts/build.mjs",
];
const OUTPUTS = ["index.js", "index_bg.wasm"];
const LOCK_RETRY_MS = 200;

const VARIANTS = {
  release: { directory: "build", args: [], isOptimised: true },
  faults: { directory: "build/faults", args: ["--features", "faults"], isOptimised: false },
};

// Features that rustc and wasm-bindgen emit and workerd supports; Binaryen has more.
const WASM_FEATURES = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
];

/** Builds a variant of the Worker, unless it is up to date. */
export async function build(name = "release") {
  await withLock(() => buildVariant(VARIANTS[name]));
  await buildSite();
}

async function buildVariant({ directory, args, isOptimised }) {
  const stamp = inRoot(directory, ".stamp");
  const sources = fingerprint(SOURCES.map((source) => inRoot(source)));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources + outputs(directory)) return;

  const tools = findTools();
  if (!tools.workerBuild) throw new Refusal("worker-build is missing; run: npm run setup");
  say(`building the Worker into ${directory}/`);
  rmSync(stamp, { force: true });
  const command = ["--release", "--no-opt", "--out-dir", directory, ...args];
  await succeed(run(tools.workerBuild, command, { env: tools.env }));
  if (isOptimised) await optimise(inRoot(directory, "index_bg.wasm"));
  // The sources as they were before the build: later changes are built the next time.
  writeFileSync(stamp, sources + outputs(directory));
}

/**
 * Makes the module small for what is counted: its size after compression. Functions with one caller
 * stay apart, since a body that was merged into another resembles nothing any more; those of one
 * generic function become neighbours, within reach of gzip's window. Nothing lies in the first
 * kilobyte of the memory, where the stack would end. Names go last, a tenth of the size, which
 * worker-build would keep: a panic says its file and line without them.
 */
async function optimise(wasm) {
  const features = WASM_FEATURES.map((name) => `--enable-${name}`);
  const passes = ["-O3", "--reorder-functions-by-name", "--strip-debug", "--strip-producers"];
  const terms = ["--one-caller-inline-max-function-size=1", "--low-memory-unused"];
  const args = [wasm, "-o", wasm, ...passes, ...terms, ...features];
  await succeed(run(modernNode(), [join(bin, "wasm-opt"), ...args]));
}

async function succeed(running) {
  if ((await running) === 0) return;
  throw new Refusal("the Worker could not be built; see the messages above");
}

/** One build at a time: both variants use the same file of cargo's target directory. */
async function withLock(action) {
  mkdirSync(cargoTarget, { recursive: true });
  const lock = join(cargoTarget, ".sessile-build");
  while (!take(lock)) await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  try {
    await action();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Takes the lock, unless a live process holds it. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    if (!isHeld(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock) {
  try {
    const holder = Number(readFileSync(lock, "utf8"));
    // Empty for a moment after its creation.
    return holder === 0 || process.kill(holder, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

function outputs(directory) {
  return fingerprint(OUTPUTS.map((name) => inRoot(directory, name)));
}

/** A hash over the names and contents of files and folders. */
function fingerprint(paths) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap((path) => files(path))) {
    const content = readFileSync(path);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function files(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => files(join(path, name)));
}

if (isMain(import.meta.url)) {
  await main(async () => {
    // `npm run dev` has already built before wrangler calls this.
    if (process.env.SESSILE_BUILT === "1") return;
    await build();
    if (process.argv.includes("--faults")) await build("faults");
  });
}
