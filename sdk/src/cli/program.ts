// The program: its commands, and how each run ends.

import { Command, CommanderError } from "commander";
import { approve } from "./commands/approve.ts";
import { cancel } from "./commands/cancel.ts";
import { dev, serve } from "./commands/dev.ts";
import { doctor } from "./commands/doctor.ts";
import { erase } from "./commands/erase.ts";
import { exportSession } from "./commands/export.ts";
import { fork } from "./commands/fork.ts";
import { importSession } from "./commands/import.ts";
import { init } from "./commands/init.ts";
import { inspect } from "./commands/inspect.ts";
import { keys } from "./commands/keys.ts";
import { ls } from "./commands/ls.ts";
import { send } from "./commands/send.ts";
import { steer } from "./commands/steer.ts";
import { tail } from "./commands/tail.ts";
import { token } from "./commands/token.ts";
import { upgrade } from "./commands/upgrade.ts";
import { describeError, EXIT, exitOf, Misuse } from "./exits.ts";
import type { Io } from "./io.ts";
import { safe } from "./print.ts";

const EXITS = `
Exit codes: 0 done; 1 refused; 2 the command line is wrong, or there is no token; 3 unreachable;
4 the token is not accepted, or does not allow it. Address and token: --url or SESSILE_URL, and
SESSILE_TOKEN; for a local Worker the key in .dev.vars is enough.`;

/** Runs a command line, without the program's name; gives the exit code. */
export async function run(args: readonly string[], io: Io, version = "0"): Promise<number> {
  let code: number = EXIT.done;
  const program = new Command("sessile")
    .description("The command line of Sessile: sessions for AI agents.")
    .version(version)
    .addHelpText("after", EXITS)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  const local = [dev, serve, init, upgrade];
  const talk = [tail, send, cancel, steer, approve];
  const whole = [exportSession, importSession, fork];
  const commands = [...local, token, ...talk, ls, inspect, ...whole, erase, keys];
  for (const command of commands) {
    command(program, io);
  }
  doctor(program, io, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    // It has said so itself.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (io.signal.aborted) return EXIT.interrupted;
    report(error, args.includes("--json"), io);
    return exitOf(error);
  }
}

function report(error: unknown, isJson: boolean, io: Io): void {
  // In one line, since `tail` prints lines.
  if (isJson) io.out(`${JSON.stringify(describeError(error))}\n`);
  const isKnown = exitOf(error) !== EXIT.broken;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const text = isKnown ? message : (stack ?? message);
  io.err(`sessile: ${safe(text)}${error instanceof Misuse ? " (see --help)" : ""}\n`);
}
