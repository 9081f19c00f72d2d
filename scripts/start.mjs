// `npm start`: installs, builds and serves the Worker, and prints the address of the demo. Its page
// has its tokens from the local Worker, and runs the scripted agents. `-- --port N` sets the port,
// `-- --host 0.0.0.0` serves your network, too, for a phone.
import { networkInterfaces } from "node:os";
import { build } from "./build.mjs";
import { makeLocalVars, serve } from "./dev.mjs";
import { freePort, wantedPlace } from "./lib/ports.mjs";
import { main, say } from "./lib/project.mjs";
import { setup } from "./setup.mjs";

const READY_POLL_MS = 200;
/** Served to every device that reaches this machine. */
const EVERYWHERE = ["0.0.0.0", "::"];

await main(async () => {
  // Before any build: the port may be malformed or taken.
  const { host = "localhost", ...wanted } = wantedPlace(process.argv.slice(2));
  const port = await freePort(wanted.port);
  await setup();
  await build();
  makeLocalVars();
  const [here, ...others] = addresses(host, port);
  const place = ["--port", String(port), ...(host === "localhost" ? [] : ["--ip", host])];
  const server = serve([...place, "--log-level", "warn", "--var", "SESSILE_DEV:1"]);
  let isServing = true;
  const served = server.done.finally(() => {
    isServing = false;
  });
  while (isServing && !(await isReady(here))) await pause(READY_POLL_MS);
  if (!isServing) return served;

  say("\nTwo devices, one session, and agents that answer:\n");
  console.log(`  ${here}\n`);
  for (const address of others) console.log(`  ${address}   on your network: join with a phone\n`);
  say("Ctrl-C ends it; the next npm start still has all messages.");
  return served;
});

/** Where the page is: on this machine first. */
function addresses(host, port) {
  const at = (name) => `http://${name.includes(":") ? `[${name}]` : name}:${port}/`;
  if (!EVERYWHERE.includes(host)) return [at(host)];
  const near = Object.values(networkInterfaces())
    .flat()
    .filter(({ family, internal }) => family === "IPv4" && !internal);
  return [at("localhost"), ...near.map(({ address }) => at(address))];
}

async function isReady(address) {
  try {
    return (await fetch(address)).ok;
  } catch {
    return false;
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
