// The command line as a process of its own: what people start, stop and kill.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { within } from "../../../tests/support/wait.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** A folder that is gone after the test. */
export function folder(t: Pick<TestContext, "after">): string {
  const made = mkdtempSync(join(tmpdir(), "sessile-cli-"));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export interface Begun {
  child: ChildProcess;
  /** The first line of its output: the address. */
  url: string;
  /** All that it has written to standard error. */
  err: () => string;
  /** Ends it as Ctrl-C does; gives the exit code. */
  stop: () => Promise<number | null>;
}

export interface Ended {
  code: number | null;
  err: string;
}

/** Starts a command that serves; gives its end, if it does not come so far. */
export async function begin(
  t: Pick<TestContext, "after">,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
  program: readonly string[] = [process.execPath, MAIN],
): Promise<Begun | Ended> {
  const { SESSILE_SIGNING_KEY: _, ...given } = process.env;
  const [command = "", ...before] = program;
  const child = spawn(command, [...before, ...args], {
    cwd,
    env: { ...given, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGTERM"));
  let [out, err] = ["", ""];
  const gone = new Promise<number | null>((done) => child.once("close", done));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const first = new Promise<string>((done) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      const [line, rest] = out.split("\n");
      if (line !== undefined && rest !== undefined) done(line);
    });
  });
  const url = await within(Promise.race([first, gone]), `${args.join(" ")}: ${err}`, 120_000);
  if (typeof url !== "string") return { code: url, err };
  const stop = () => {
    child.kill("SIGINT");
    return within(gone, "the end after Ctrl-C");
  };
  return { child, url, err: () => err, stop };
}

/** The same, where it has to serve. */
export async function serving(...how: Parameters<typeof begin>): Promise<Begun> {
  const begun = await begin(...how);
  if ("url" in begun) return begun;
  throw new Error(`it ended with ${begun.code}: ${begun.err}`);
}

/** The same, where it has to end by itself. */
export async function refused(...how: Parameters<typeof begin>): Promise<Ended> {
  const begun = await begin(...how);
  if ("code" in begun) return begun;
  throw new Error(`it serves ${begun.url}`);
}
