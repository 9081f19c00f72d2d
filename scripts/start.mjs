// `npm start`: installs, builds and serves the Worker, prints the address of the demo page with
// tokens for two people, and runs a scripted agent in its session. `-- --port N` sets the port.
import { join } from "node:path";
import { build } from "./build.mjs";
import { localVar, makeLocalKey, serve } from "./dev.mjs";
import { freePort, wantedPort } from "./lib/ports.mjs";
import { supervise } from "./lib/processes.mjs";
import { environment, main, modernNode, Refusal, root, say } from "./lib/project.mjs";
import { setup } from "./setup.mjs";

const SESSION = "demo";
const READY_POLL_MS = 200;
const PEOPLE = { ada: "Ada", ben: "Ben" };

await main(async () => {
  // Before any build: the port may be malformed or taken.
  const port = await freePort(wantedPort(process.argv.slice(2)));
  await setup();
  await build();
  makeLocalKey();
  const key = localVar("SESSILE_SIGNING_KEY");
  if (!key) throw new Refusal("the demo needs SESSILE_SIGNING_KEY in .dev.vars to make its tokens");

  const origin = `http://localhost:${port}`;
  const server = serve(["--port", String(port), "--log-level", "warn", "--var", "SESSILE_DEV:1"]);
  let isServing = true;
  const served = server.done.finally(() => {
    isServing = false;
  });
  while (isServing && !(await isReady(origin))) await pause(READY_POLL_MS);
  if (!isServing) return served;

  const agent = supervise(modernNode(), [join("scripts", "agent", "main.mjs")], {
    cwd: root,
    stdio: "inherit",
    env: environment({ SESSILE_ORIGIN: origin, SESSILE_KEY: key, SESSILE_SESSION: SESSION }),
  });
  await printAddresses(origin, key);
  const code = await served;
  agent.end();
  await agent.done;
  return code;
});

async function isReady(origin) {
  try {
    return (await fetch(origin)).ok;
  } catch {
    return false;
  }
}

async function printAddresses(origin, key) {
  // Imported here, since it is not installed yet when this script is loaded.
  const { mintToken } = await import("./agent/token.mjs");
  say("\nThe demo is running; its agent answers you. Open it, reload it in the middle of");
  say("an answer, drop its network, open it on another device:\n");
  for (const [sub, name] of Object.entries(PEOPLE)) {
    const token = await mintToken(key, { sub, name, caps: { [SESSION]: ["user"] } });
    console.log(`${name}: ${origin}/#session=${SESSION}&token=${token}\n`);
  }
  say("Ctrl-C ends it; the next npm start still has all messages.");
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
