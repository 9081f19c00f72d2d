// The port of a server of ours.
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { Refusal } from "./project.mjs";

const FIRST_PORT = 8787;
const PORTS_TRIED = 100;
const LAST_PORT = 65_535;

/** The port in the arguments, if any: `--port N`, and nothing else. */
export function wantedPort(args) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: { port: { type: "string" } } }));
  } catch (error) {
    throw new Refusal(`the only option is --port N; ${error.message}`);
  }
  if (values.port === undefined) return undefined;
  const port = /^\d+$/.test(values.port) ? Number(values.port) : 0;
  if (port < 1 || port > LAST_PORT) {
    throw new Refusal(`--port takes a number from 1 to ${LAST_PORT}, not ${values.port}`);
  }
  return port;
}

/** The port that is wanted, or the first free one from 8787. */
export async function freePort(wanted) {
  if (wanted !== undefined) {
    if (await isFreeHere(wanted)) return wanted;
    throw new Refusal(`port ${wanted} is taken; give another with --port N, or omit it`);
  }
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS_TRIED; port += 1) {
    if (await isFreeHere(port)) return port;
  }
  throw new Refusal(`ports ${FIRST_PORT} to ${FIRST_PORT + PORTS_TRIED - 1} are all taken`);
}

async function isFreeHere(port) {
  return (await isFree(port, "127.0.0.1")) && (await isFree(port, "::1"));
}

function isFree(port, host) {
  return new Promise((resolve) => {
    const probe = createServer();
    // Other errors, as on a machine without IPv6, mean that nobody listens there.
    probe.once("error", ({ code }) => resolve(code !== "EADDRINUSE" && code !== "EACCES"));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
