// The command line in a test: its whole process, given and recorded.

import { fileURLToPath } from "node:url";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/program.ts";

const SDK = fileURLToPath(new URL("../..", import.meta.url));

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface Given {
  env?: Record<string, string>;
  cwd?: string;
  /** The directory of the package; this one unless told. */
  root?: string;
  isTty?: boolean;
  stdin?: string;
  signal?: AbortSignal;
  /** Called with each piece of the output. */
  onOut?: (all: string) => void;
}

/** Runs a command line in this process, in a directory without variables unless told. */
export async function sessile(args: readonly string[], given: Given = {}): Promise<Ran> {
  const { env = {}, cwd = "/", root = SDK, isTty = false, stdin = "", onOut } = given;
  const ran: Ran = { code: 0, out: "", err: "" };
  const io: Io = {
    env,
    cwd,
    root,
    isTty,
    signal: given.signal ?? new AbortController().signal,
    out: (text) => {
      ran.out += text;
      onOut?.(ran.out);
    },
    err: (text) => {
      ran.err += text;
    },
    stdin: async () => stdin,
    line: async () => stdin.split("\n")[0] ?? "",
  };
  ran.code = await run(args, io, "1.2.3");
  return ran;
}
