// `sessile fork`: another session that begins as this one was (P11.6).

import type { Command } from "commander";
import type { Forked } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";

/** Milliseconds between two questions whether it is whole. */
const AGAIN_MS = 500;

interface Options extends TargetOptions {
  at?: string;
}

export function fork(program: Command, io: Io): void {
  withTarget(program.command("fork"))
    .description(
      "begin another session as this one is, or was (needs read, and turn on the new one)",
    )
    .argument("<session>", "the session's id")
    .argument("<new>", "the id of the new session")
    .option("--at <serial>", "the place in the log up to which the new one has it")
    .action(async (session: string, to: string, options: Options) => {
      pathOf(to);
      const api = new Api(options, io);
      const init = { method: "POST", body: { to, at: options.at } };
      for (;;) {
        const forked = await api.ask<Forked>(pathOf(session, "fork"), init);
        if (forked.state === "whole") {
          const { serial } = forked.forkedFrom;
          return io.out(options.json ? json(forked) : `${to}: ${session} up to ${serial}\n`);
        }
        await new Promise((done) => setTimeout(done, AGAIN_MS));
        io.signal.throwIfAborted();
      }
    });
}
