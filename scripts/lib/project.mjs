// Paths of the repository, and how the scripts run other programs.
// Plain Node 20 without a single package: these run before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { supervise } from "./processes.mjs";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const nodeModules = join(root, "node_modules");
export const bin = join(nodeModules, ".bin");
export const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
export const cargoTarget = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** Files of tests that run at once: they mostly wait, so that a core has room for more than one. */
export const filesAtOnce = availableParallelism() + 1;

/** An error that the user of the script can act on; printed without a stack. */
export class Refusal extends Error {}

/** The path of a file in the repository. */
export function inRoot(...parts) {
  return join(root, ...parts);
}

/** A file of the repository as text. */
export function read(name) {
  return readFileSync(inRoot(name), "utf8");
}

/** The environment in which cargo, npm's tools and Node 24 are found. */
export function environment(extra = {}) {
  const path = [bin, join(cargoHome, "bin"), process.env.PATH ?? ""].join(delimiter);
  return { ...process.env, PATH: path, ...extra };
}

/** The Node that tests and wrangler need: the installed one, or this one if it is new enough. */
export function modernNode() {
  const installed = join(bin, "node");
  if (existsSync(installed)) return installed;
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  throw new Refusal(
    `no Node 24 for ${process.platform}-${process.arch} was installed; install Node 24 or newer`,
  );
}

/**
 * Runs a program in the repository and resolves to its exit code. Its output goes to stderr,
 * unless its stdout is a result (1).
 */
export function run(command, args, { env, stdout = 2 } = {}) {
  const stdio = ["inherit", stdout, "inherit"];
  return supervise(command, args, { cwd: root, stdio, env: environment(env) }).done;
}

/** Runs a program quietly; returns its trimmed output, or `null` if it is missing or fails. */
export function capture(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", env: environment() });
  return result.status === 0 ? result.stdout.trim() : null;
}

/** Prints a line of progress on stderr: stdout belongs to results. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs a script's main function; a refusal is printed as one line, anything else whole. */
export async function main(action) {
  try {
    process.exitCode = (await action()) ?? 0;
  } catch (error) {
    say(error instanceof Refusal ? `sessile: ${error.message}` : String(error?.stack ?? error));
    process.exitCode = 1;
  }
}

/** Whether the given module is the one that was started. */
export function isMain(url) {
  return process.argv[1] === fileURLToPath(url);
}
