// The SDK: its build into sdk/dist, its tests without a Worker, and the promises of the package:
// sizes, exports and types. `node scripts/sdk.mjs build` only builds, `pack` also puts the built
// Worker into it, `docs` writes sdk/docs.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { gzipSync } from "node:zlib";
import { fingerprint, replaceFolder, withLock } from "./lib/fresh.mjs";
import { runGroups } from "./lib/groups.mjs";
import {
  bin,
  filesAtOnce,
  inRoot,
  isMain,
  main,
  modernNode,
  read,
  run,
  say,
} from "./lib/project.mjs";
import { checkApp } from "./package.mjs";
import { installPackages, setup } from "./setup.mjs";
import { packWorker } from "./worker.mjs";

const KB = 1024;
const CORE = { name: "core", from: "index.ts", imports: "createSession", most: 10 * KB };
/**
 * The limit of each entry point in bytes, minified and gzipped, by what an app imports; with
 * `isMore`, beyond the core. An app's own packages do not count.
 */
const SIZES = [
  CORE,
  { name: "agent", from: "agent/index.ts", imports: "createAgentSession, text", most: 16.75 * KB },
  { name: "files", from: "files/index.ts", imports: "*", most: 2.5 * KB },
  { name: "inbox", from: "inbox/index.ts", imports: "createInbox", most: 7.75 * KB },
  // The whole agent is in it, with both of its links, and a verifier of 5 KB.
  { name: "wake", from: "wake/index.ts", imports: "*", most: 26.25 * KB },
  { name: "push", from: "push/index.ts", imports: "registerPush, pushState", most: 2.75 * KB },
  { name: "push/worker", from: "push/worker.ts", imports: "*", most: 1.5 * KB },
  { name: "push/react", from: "push/react.ts", imports: "*", most: 3.25 * KB },
  // A page does not ship the hooks that it does not import, nor what they bring.
  {
    name: "react",
    from: "react/index.ts",
    imports: "useSession, useMessages, useTurns, useConnection",
    most: 1.75 * KB,
    isMore: true,
  },
  { name: "react", from: "react/index.ts", imports: "*", most: 9.5 * KB, isMore: true },
  {
    name: "ai-sdk",
    from: "ai-sdk/index.ts",
    imports: "SessileChatTransport",
    most: 10.5 * KB,
    isMore: true,
  },
  {
    name: "ai-sdk/react",
    from: "ai-sdk/react.ts",
    imports: "useSessileChat",
    most: 13.5 * KB,
    isMore: true,
  },
  {
    name: "tanstack",
    from: "tanstack/index.ts",
    imports: "sessileConnection",
    most: 16.5 * KB,
    isMore: true,
  },
];
const BROUGHT = ["react", "ai", "@ai-sdk/*", "@tanstack/*"];

/** Examples whose types are those of the built SDK. */
const EXAMPLES = [
  "agent-inbox",
  "approvals/agent",
  "approvals/pages",
  "testing-vitest",
  "trip-planner",
];

/** The files that sdk/dist is made of. */
const SOURCES = [
  "sdk/src",
  "sdk/package.json",
  "sdk/tsconfig.json",
  "sdk/tsconfig.build.json",
  "sdk/tsconfig.testing.json",
  "tsconfig.json",
  "package-lock.json",
  "scripts/sdk.mjs",
];
const DIST = inRoot("sdk", "dist");
/** The next sdk/dist. Its maps name their sources as those of sdk/dist do. */
const NEXT = inRoot("sdk", ".dist");
/** The part of sdk/dist that `packWorker` makes. */
const WORKER = "worker";
/** The sources of the last build, and its files. */
const STAMP = inRoot("sdk", ".dist.stamp");

/** Directories of tests that need more than Node. */
const KINDS = ["workerd", "browser"];

/** Checks that need nothing but npm's packages. */
export const sdkChecks = [
  ["types of the SDK", () => tool("tsc", ["--noEmit", "-p", "sdk"])],
  ["tests of the SDK", testSdk],
  ["build of the SDK", buildSdk],
  ["types of the examples on the SDK", checkExamples],
  ["sizes of the SDK", checkSizes],
  ["documentation of the SDK", () => document("--emit", "none")],
];

/** Checks of the package, which has the built Worker in it. */
export const packageChecks = [
  ["package of the SDK", checkPackage],
  ["the SDK in an app of its own", checkApp],
];

function tool(name, args) {
  return run(modernNode(), [join(bin, name), ...args]);
}

async function checkExamples() {
  for (const name of EXAMPLES) {
    const code = await tool("tsc", ["--noEmit", "-p", `examples/${name}`]);
    if (code !== 0) return code;
  }
  return 0;
}

/**
 * JavaScript and declarations, file by file: a bundler takes what it needs. Does nothing if they
 * are up to date; otherwise whoever reads sdk/dist meanwhile finds every file whole.
 */
export function buildSdk() {
  return withLock(inRoot("sdk", ".dist.lock"), async () => {
    const sources = fingerprint(SOURCES.map((source) => inRoot(source)));
    const isFresh = existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources + outputs();
    if (isFresh) return 0;
    rmSync(NEXT, { recursive: true, force: true });
    // Only the entry for tests may know of Node.
    for (const config of ["tsconfig.build.json", "tsconfig.testing.json"]) {
      const code = await tool("tsc", ["-p", join("sdk", config), "--outDir", NEXT]);
      if (code !== 0) return code;
    }
    await bundleWorker();
    await bundleCli();
    replaceFolder(NEXT, DIST, [WORKER]);
    writeFileSync(STAMP, sources + outputs());
    return 0;
  });
}

function outputs() {
  if (!existsSync(DIST)) return "";
  const names = readdirSync(DIST).filter((name) => name !== WORKER);
  return fingerprint(names.sort().map((name) => join(DIST, name)));
}

/** The command line is one script for Node, whose types no app sees. */
async function bundleCli() {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [inRoot("sdk", "src", "cli", "main.ts")],
    outfile: join(NEXT, "cli", "sessile.js"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    // It says each mistake itself, so that the SDK need not warn of it.
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
  });
}

/** The service worker is one script in a directory of its own: a site puts it beside its pages. */
async function bundleWorker() {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [inRoot("sdk", "src", "push", "worker.ts")],
    outfile: join(NEXT, "push", "worker", "push-worker.js"),
    bundle: true,
    format: "iife",
    target: "es2022",
    logLevel: "warning",
  });
  for (const end of [".js", ".js.map"]) rmSync(join(NEXT, "push", `worker${end}`));
}

/** The SDK's tests of a kind: those in directories of that name, or in none of them. */
export function sdkTests(kind) {
  const files = readdirSync(inRoot("sdk", "tests"), { recursive: true });
  const kindOf = (file) => KINDS.find((name) => file.split(sep).includes(name));
  const tests = files.filter((file) => file.endsWith(".test.ts") && kindOf(file) === kind);
  return tests.sort().map((file) => `sdk/tests/${file.split(sep).join("/")}`);
}

function testSdk() {
  const limits = ["--test-timeout=60000", `--test-concurrency=${filesAtOnce}`];
  const args = ["--test", ...limits, ...sdkTests()];
  return run(modernNode(), args, { stdout: 1 });
}

async function checkSizes() {
  let code = 0;
  for (const entry of SIZES) {
    const { name, most, isMore } = entry;
    const size = isMore
      ? (await measure([CORE, entry])) - (await measure([CORE]))
      : await measure([entry]);
    say(`${name} has ${size} bytes, minified and gzipped; the limit is ${most}`);
    if (size > most) code = 1;
    if (!isDocumented(entry)) {
      say(`the row of ${name} in sdk/README.md must say ${most / KB} KB`);
      code = 1;
    }
  }
  return code;
}

/** Whether the README has the limit of an entry. */
function isDocumented({ name, most, isMore }) {
  const entry = name === CORE.name ? "sessile" : `sessile/${name}`;
  const size = ` ${most / KB} KB${isMore ? " more" : ""} |`;
  const rows = read("sdk/README.md").split("\n");
  return rows.some(
    (row) => /^\| \[?`/.test(row) && row.includes(`\`${entry}\``) && row.endsWith(size),
  );
}

async function measure(entries) {
  const { build } = await import("esbuild");
  const lines = entries.map(({ from, imports }) => {
    const names = imports === "*" ? imports : `{ ${imports} }`;
    return `export ${names} from "./sdk/src/${from}";`;
  });
  const { outputFiles } = await build({
    stdin: { contents: lines.join("\n"), resolveDir: inRoot() },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: BROUGHT,
    write: false,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

/** The package as npm packs it, with the Worker: the state before `npm pack`. */
export async function buildPackage() {
  await setup();
  const code = await buildSdk();
  if (code === 0) await packWorker();
  return code;
}

async function checkPackage() {
  const built = await buildPackage();
  if (built !== 0) return built;
  const code = await tool("publint", ["sdk", "--strict"]);
  if (code !== 0) return code;
  return tool("attw", ["--pack", "sdk", "--profile", "esm-only", "--no-emoji", "--quiet"]);
}

/** Pages about everything that the SDK exports, from its types, into sdk/docs. */
function document(...args) {
  const typedoc = inRoot("sdk", "node_modules", "typedoc", "bin", "typedoc");
  const options = ["--options", inRoot("sdk", "typedoc.json"), "--logLevel", "Warn"];
  return run(modernNode(), [typedoc, ...options, ...args]);
}

const COMMANDS = { build: buildSdk, pack: buildPackage, docs: document };

if (isMain(import.meta.url)) {
  const { [process.argv[2]]: command = () => runGroups([...sdkChecks, ...packageChecks]) } =
    COMMANDS;
  await main(async () => {
    // This may be the first command in a clone.
    await installPackages();
    return command();
  });
}
