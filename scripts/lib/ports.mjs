// The port of a server of ours.
import { createServer, isIP } from "node:net";
import { parseArgs } from "node:util";
import { Refusal } from "./project.mjs";

const FIRST_PORT = 8787;
const PORTS_TRIED = 100;
const LAST_PORT = 65_535;

/** The place in the arguments, if any: `--port N`, `--host ADDRESS`, and nothing else. */
export function wantedPlace(args) {
  const options = { port: { type: "string" }, host: { type: "string" } };
  let values;
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    throw new Refusal(`the options are --port N and --host ADDRESS; ${error.message}`);
  }
  const { host, port } = values;
  if (host !== undefined && host !== "localhost" && isIP(host) === 0) {
    throw new Refusal(`--host takes an address of this machine, or 0.0.0.0 for all, not ${host}`);
  }
  return { host, port: port === undefined ? undefined : portOf(port) };
}

function portOf(text) {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > LAST_PORT) {
    throw new Refusal(`--port takes a number from 1 to ${LAST_PORT}, not ${text}`);
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
