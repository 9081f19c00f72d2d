// `npm run bench -- ARGS`: the benchmark against the built Worker. Only results go to stdout.
import { build } from "./build.mjs";
import { main, modernNode, run } from "./lib/project.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup();
  await build();
  return run(modernNode(), ["bench/main.ts", ...process.argv.slice(2)], { stdout: 1 });
});
