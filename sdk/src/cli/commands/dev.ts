// `sessile dev` and `sessile serve`: the Worker and its pages on this machine, with Node alone.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { findDevVars, LOCAL_DIRECTORY, VARIABLES } from "../dev-vars.ts";
import { Misuse, Unable } from "../exits.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { serve as begin, type Served } from "../serve/serve.ts";
import { hasKey, makeKeys, readVariables } from "../serve/variables.ts";
import { readNumber } from "../text.ts";

const LAST_PORT = 65_535;
const PORT = 8787;

interface Options {
  port: number;
  host: string;
  data: string;
  variables?: string;
  json?: boolean;
}

function withAddress(command: Command): Command {
  return command
    .option(
      "--port <port>",
      "the port; 0 for any free one",
      readNumber("--port", 0, LAST_PORT),
      PORT,
    )
    .option("--host <host>", "0.0.0.0: for other machines, too", "localhost")
    .option("--json", "print JSON: the address and the directory");
}

export function dev(program: Command, io: Io): void {
  withAddress(program.command("dev"))
    .description("serve everything on this machine, to develop with: the API and its pages")
    .option("--data <directory>", "where sessions and keys are kept", LOCAL_DIRECTORY)
    .action(async (options: Options) => {
      const directory = resolve(io.cwd, options.data);
      const file = join(directory, VARIABLES);
      mkdirSync(directory, { recursive: true });
      const ignored = join(directory, ".gitignore");
      if (!existsSync(ignored)) writeFileSync(ignored, "*\n");
      const variables = readVariables(io, findDevVars(io.cwd), file);
      const made = makeKeys(variables, file);
      if (made.length > 0) io.err(`made ${made.join(", ")} in ${file}\n`);
      const served = await begin(directory, options, { ...variables, SESSILE_DEV: "1" }, io);
      await show(served, directory, options, io);
    });
}

export function serve(program: Command, io: Io): void {
  withAddress(program.command("serve"))
    .description("serve on this machine for good: no Cloudflare account, one process, a local disk")
    .requiredOption("--data <directory>", "where sessions are kept")
    .option("--variables <file>", `lines NAME=VALUE (default: ${VARIABLES} in that directory)`)
    .action(async (options: Options) => {
      const directory = resolve(io.cwd, options.data);
      const given = options.variables && resolve(io.cwd, options.variables);
      if (given && !existsSync(given)) throw new Misuse(`there is no file ${given}`);
      const file = given ?? join(directory, VARIABLES);
      const variables = readVariables(io, file);
      if (!hasKey(variables)) {
        throw new Misuse(
          "there is no key for tokens: set SESSILE_SIGNING_KEY, or write it once with " +
            `echo "SESSILE_SIGNING_KEY=$(npx sessile keys make signing)" >> ${file}`,
        );
      }
      mkdirSync(directory, { recursive: true });
      await show(await begin(directory, options, variables, io), directory, options, io);
    });
}

/** Prints the address, and waits for the end. */
async function show({ port, ended }: Served, data: string, options: Options, io: Io) {
  const { host } = options;
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const own = isEverywhere ? "localhost" : host.includes(":") ? `[${host}]` : host;
  const url = `http://${own}:${port}`;
  if (options.json) io.out(json({ url, data }));
  else io.out(`${url}\n`);
  if (isEverywhere) {
    for (const address of otherAddresses()) io.err(`on this network: http://${address}:${port}\n`);
  }
  io.err(`sessions are kept in ${data}; Ctrl-C ends it\n`);
  if (!(await ended)) throw new Unable("workerd ended by itself; its last words are above");
}

/** The addresses of this machine that others reach. */
function otherAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  return all
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}
