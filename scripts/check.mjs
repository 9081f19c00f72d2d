// `npm run check`: the fast loop. Formats, lints on both targets, native tests, types, size.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { runGroups } from "./lib/groups.mjs";
import { bin, inRoot, isMain, main, modernNode, run, say } from "./lib/project.mjs";
import { sdkChecks } from "./sdk.mjs";
import { setup } from "./setup.mjs";

const WASM_LIMIT_KB = 600;
const WASM_ENV = { WASM_BINDGEN_USE_JS_SYS: "1" };

/** Checks without a built Worker; a group is a name and a function that returns an exit code. */
export const checks = [
  ["format of Rust", () => run("cargo", ["fmt", "--check"])],
  ["format and lints of JavaScript", () => run(modernNode(), [join(bin, "biome"), "ci", "."])],
  ["types", () => run(modernNode(), [join(bin, "tsc"), "--noEmit"])],
  ["types of the pages", () => run(modernNode(), [join(bin, "tsc"), "--noEmit", "-p", "pages"])],
  ...sdkChecks,
  // On the built SDK.
  ["tests of the pages", pagesTests],
  ["lints of Rust", () => clippy(["--all-targets"])],
  ["lints of the Worker", () => clippy(["--lib", "--target", "wasm32-unknown-unknown"])],
  ["schemas in JavaScript", judgeTests],
  ["cargo test", () => run("cargo", ["test", "--quiet"], { stdout: 1 })],
];

/** The module that judges by schemas, as the Worker bundles it. */
function judgeTests() {
  return run(modernNode(), ["--test", "tests/schema/judge.test.js"], { stdout: 1 });
}

/** Checks the size of the wasm, if it is built. */
export function checkSize() {
  const wasm = inRoot("build", "index_bg.wasm");
  if (!existsSync(wasm)) return 0;
  const size = gzipSync(readFileSync(wasm), { level: 9 }).length / 1024;
  say(`the wasm has ${size.toFixed(0)} KB gzipped; the limit is ${WASM_LIMIT_KB} KB`);
  return size <= WASM_LIMIT_KB ? 0 : 1;
}

/** The logic of the pages, without a browser. */
function pagesTests() {
  const files = readdirSync(inRoot("tests", "pages")).map((file) => `tests/pages/${file}`);
  return run(modernNode(), ["--test", "--test-timeout=60000", ...files], { stdout: 1 });
}

function clippy(args) {
  const command = ["clippy", "--quiet", ...args, "--features", "faults", "--", "-D", "warnings"];
  return run("cargo", command, { env: WASM_ENV });
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setup();
    return runGroups([...checks, ["size of the wasm", checkSize]]);
  });
}
