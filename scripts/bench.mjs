// `npm run bench -- ARGS`: the benchmark against the built Worker. Only results go to stdout.
import { build } from "./build.mjs";
import { main, modernNode, run } from "./lib/project.mjs";
import { setup } from "./setup.mjs";

/** What is measured elsewhere, or was. */
const NEEDS_NO_BUILD = /^--(build|compare)\b/;

await main(async () => {
  const args = process.argv.slice(2);
  await setup();
  if (!args.some((arg) => NEEDS_NO_BUILD.test(arg))) await build();
  return run(modernNode(), ["bench/main.ts", ...args], { stdout: 1 });
});
