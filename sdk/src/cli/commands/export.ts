// `sessile export`: all of a session as lines of JSON, as they come (P11.6).

import type { Command } from "commander";
import { SessileError } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import type { Io } from "../io.ts";
import { type TargetOptions, withTarget } from "../target.ts";

/** The beginning of the last line. */
const END = '{"type":"end"';

export function exportSession(program: Command, io: Io): void {
  withTarget(program.command("export"))
    .description("print all of a session as lines of JSON (needs admin)")
    .argument("<session>", "the session's id")
    .addHelpText("after", `\nThe last line is ${END}…}: without it the export was cut off.`)
    .action(async (session: string, options: TargetOptions) => {
      const { body } = await new Api(options, io).open(pathOf(session, "export"));
      const decoder = new TextDecoder();
      let end = "";
      for await (const chunk of body ?? []) {
        const text = decoder.decode(chunk, { stream: true });
        end = (end + text).slice(-100);
        io.out(text);
      }
      if (end.trimEnd().split("\n").at(-1)?.startsWith(END)) return;
      throw new SessileError("unreachable", "the export was cut off, ask again");
    });
}
