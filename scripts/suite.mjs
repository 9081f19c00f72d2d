// Runs one of the suites that need the built Worker: workerd, browser or nightly.
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { build } from "./build.mjs";
import { findChromium } from "./lib/chromium.mjs";
import { filesAtOnce, inRoot, isMain, main, modernNode, Refusal, run } from "./lib/project.mjs";
import { buildSdk, sdkTests } from "./sdk.mjs";
import { setup } from "./setup.mjs";
import { packWorker } from "./worker.mjs";

const SUITES = {
  workerd: {
    // Some tests make a session panic, which only the second variant can do.
    variants: ["release", "faults"],
    limitMs: 600_000,
    atOnce: filesAtOnce,
    // These measure how long something takes, or load the machine so that others are late.
    alone: [
      ...["backlog", "bounds", "children", "crowd", "fuzz", "keys", "reads", "rollup", "room"].map(
        (name) => `tests/workerd/${name}.test.ts`,
      ),
      // Its `wrangler dev` may choose a port that another one is choosing.
      "sdk/tests/cli/workerd/project.test.ts",
      "sdk/tests/tanstack/workerd/pace.test.ts",
      "sdk/tests/workerd/chaos.test.ts",
    ],
  },
  browser: {
    variants: ["release"],
    limitMs: 600_000,
    browser: true,
    // A browser by itself is busier than a Worker.
    atOnce: availableParallelism(),
    // These measure time, load the machine, or install the package.
    alone: ["console-inbox", "inspect-states", "pace", "package", "react-hooks"].map(
      (name) => `tests/browser/${name}.test.ts`,
    ),
  },
  nightly: { variants: ["release"], limitMs: 10_800_000, atOnce: 1 },
};

/** Prepares and runs a suite, or only the files whose name contains one of `words`. */
export async function runSuite(name, words = []) {
  const suite = SUITES[name];
  if (!suite) throw new Refusal(`no suite ${name}; there are ${Object.keys(SUITES).join(", ")}`);
  await setup();
  for (const variant of suite.variants) await build(variant);
  await packWorker();
  const env = {
    // The Node that started npm may be older than the one for the tests, and the SDK runs on both.
    SESSILE_NODE: process.execPath,
    ...(suite.browser && { SESSILE_CHROMIUM: await findChromium() }),
  };
  // The pages of the examples are built on the SDK.
  if (suite.browser && (await buildSdk()) !== 0) return 1;
  const files = readdirSync(inRoot("tests", name))
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `tests/${name}/${file}`)
    .concat(sdkTests(name))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (files.length === 0) throw new Refusal(`no test of ${name} has such a name`);
  const { alone = [] } = suite;
  const groups = [
    [suite.atOnce, files.filter((file) => !alone.includes(file))],
    [1, files.filter((file) => alone.includes(file))],
  ].filter(([, group]) => group.length > 0);
  let code = 0;
  for (const [atOnce, group] of groups) {
    // Without a limit a hang would wait for ever.
    const limits = [`--test-timeout=${suite.limitMs}`, `--test-concurrency=${atOnce}`];
    code = (await run(modernNode(), ["--test", ...limits, ...group], { env, stdout: 1 })) || code;
  }
  return code;
}

if (isMain(import.meta.url)) {
  const [name, ...words] = process.argv.slice(2);
  await main(() => runSuite(name, words));
}
