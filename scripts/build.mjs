// Builds the Worker to wasm into build/, and with `--faults` a second one into build/faults whose
// sessions can be made to panic. Does nothing if the build is up to date.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprint, withLock } from "./lib/fresh.mjs";
import { nameByLikeness } from "./lib/order.mjs";
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
  "scripts/lib/order.mjs",
];
const OUTPUTS = ["index.js", "index_bg.wasm"];
/** Both variants use the same file of cargo's target directory. */
const LOCK = join(cargoTarget, ".sessile-build");

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
  await withLock(LOCK, () => buildVariant(VARIANTS[name]));
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
 * stay apart, since a body that was merged into another resembles nothing any more; functions that
 * are alike become neighbours, within reach of gzip's window. Nothing lies in the first kilobyte of
 * the memory, where the stack would end. Names go, a tenth of the size, which worker-build would
 * keep: a panic says its file and line without them.
 */
async function optimise(wasm) {
  const features = WASM_FEATURES.map((name) => `--enable-${name}`);
  const terms = ["--one-caller-inline-max-function-size=1", "--low-memory-unused"];
  const passes = ["--reorder-functions-by-name", "--strip-debug", "--strip-producers"];
  const args = [wasm, "-o", wasm, "-O3", ...passes, ...terms, ...features];
  await succeed(run(modernNode(), [join(bin, "wasm-opt"), ...args]));
  // Once more, in order: only functions that are optimised show how much they are alike.
  writeFileSync(wasm, nameByLikeness(readFileSync(wasm)));
  await succeed(run(modernNode(), [join(bin, "wasm-opt"), ...args]));
}

async function succeed(running) {
  if ((await running) === 0) return;
  throw new Refusal("the Worker could not be built; see the messages above");
}

function outputs(directory) {
  return fingerprint(OUTPUTS.map((name) => inRoot(directory, name)));
}

if (isMain(import.meta.url)) {
  await main(async () => {
    // `npm run dev` has already built before wrangler calls this.
    if (process.env.SESSILE_BUILT === "1") return;
    await build();
    if (process.argv.includes("--faults")) await build("faults");
  });
}
