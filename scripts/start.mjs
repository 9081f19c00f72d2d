// `npm start`: installs, builds and serves the Worker, prints the address of the demo page with
// tokens for two people, and runs a scripted agent in its session.
import { createServer } from "node:net";
import { join } from "node:path";
import { build } from "./build.mjs";
import { localVar, makeLocalKey, serve } from "./dev.mjs";
import { supervise } from "./lib/processes.mjs";
import { environment, main, modernNode, Refusal, root, say } from "./lib/project.mjs";
import { setup } from "./setup.mjs";

const SESSION = "demo";
const FIRST_PORT = 8787;
const PORTS_TRIED = 100;
const READY_POLL_MS = 200;
const PEOPLE = { ada: "Ada", ben: "Ben" };

await main(async () => {
  await setup();
  await build();
  makeLocalKey();
  const key = localVar("SESSILE_SIGNING_KEY");
  if (!key) throw new Refusal("the demo needs SESSILE_SIGNING_KEY in .dev.vars to make its tokens");

  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const server = serve(["--port", String(port), "--log-level", "warn"]);
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

/** The first port from 8787 on that nobody listens on. */
async function freePort() {
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS_TRIED; port += 1) {
    if ((await isFree(port, "127.0.0.1")) && (await isFree(port, "::1"))) return port;
  }
  throw new Refusal(`ports ${FIRST_PORT} to ${FIRST_PORT + PORTS_TRIED - 1} are all taken`);
}

function isFree(port, host) {
  return new Promise((resolve) => {
    const probe = createServer();
    // A machine without IPv6 has nobody listening there.
    probe.once("error", (error) => resolve(error.code !== "EADDRINUSE"));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

async function isReady(origin) {
  try {
    return (await fetch(origin)).ok;
  } catch {
    return false;
  }
}

async function printAddresses(origin, key) {
  // Imported here, since it is not installed yet when this script is read.
  const { mintToken } = await import("./agent/token.mjs");
  say("\nThe demo runs; its agent answers what you write. Open it, reload it in the middle of an");
  say("answer, drop its network, open it again elsewhere:\n");
  for (const [sub, name] of Object.entries(PEOPLE)) {
    const token = await mintToken(key, { sub, name, caps: { [SESSION]: ["user"] } });
    console.log(`${name}: ${origin}/#session=${SESSION}&token=${token}\n`);
  }
  say("Ctrl-C ends it; what was said is still there after the next npm start.");
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
