// `npm test`: installs missing tools and runs everything, from the fastest to the most real.
import { join } from "node:path";
import { build } from "./build.mjs";
import { checkSize, checks } from "./check.mjs";
import { runGroups } from "./lib/groups.mjs";
import { main, modernNode, nodeModules, run } from "./lib/project.mjs";
import { packageChecks } from "./sdk.mjs";
import { setup } from "./setup.mjs";
import { runSuite } from "./suite.mjs";

await main(async () => {
  await setup();
  return runGroups([
    ...checks,
    ["build of the Worker", buildWorker],
    ["size of the wasm", checkSize],
    ...packageChecks,
    ["wrangler deploy --dry-run", dryRun],
    ["tests in workerd", () => runSuite("workerd")],
    ["tests in Chromium", () => runSuite("browser")],
  ]);
});

async function buildWorker() {
  await build();
  return 0;
}

/** The upload of `wrangler deploy`, from the same files. */
function dryRun() {
  const wrangler = join(nodeModules, "wrangler", "bin", "wrangler.js");
  const env = { WRANGLER_SEND_METRICS: "false" };
  return run(modernNode(), [wrangler, "deploy", "--dry-run"], { env });
}
