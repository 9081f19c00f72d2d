// `sessile cancel`: asks for the end of turns (P6.5).

import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { CancelTarget } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";

interface Options extends TargetOptions {
  all?: boolean;
  input?: string;
  reason?: string;
}

export function cancel(program: Command, io: Io): void {
  withTarget(program.command("cancel"))
    .description("ask for the end of a turn, of all that answer an input, or of all")
    .argument("<session>", "the session's id")
    .argument("[turn]", "the turn")
    .option("--input <serial>", "the turns that answer this message")
    .option("--all", "every open turn")
    .option("--reason <text>", "the reason, for people and agents")
    .action(async (session: string, turn: string | undefined, options: Options) => {
      pathOf(session);
      const target = targetOf(turn, options);
      const { reason } = options;
      const result = await new Api(options, io).frame(session, {
        type: "cancel",
        ...target,
        ...(reason && { reason }),
        id: randomUUID(),
      });
      if (options.json) return io.out(json(result));
      const { turns, turnIds = turns?.map(({ id }) => id) ?? [] } = result;
      io.out(turnIds.map((id) => `${id}\n`).join(""));
      if (turnIds.length === 0) io.err("no turn was open\n");
    });
}

function targetOf(turn: string | undefined, { all, input }: Options): CancelTarget {
  const given = [
    ...(turn ? [{ turn }] : []),
    ...(input ? [{ input }] : []),
    ...(all ? [{ all: true } as const] : []),
  ];
  const [target] = given;
  if (given.length === 1 && target) return target;
  throw new Misuse("give one of: a turn, --input SERIAL, --all");
}
