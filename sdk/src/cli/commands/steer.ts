// `sessile steer`: instructs a running turn (P6.7).

import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { Api, pathOf } from "../api.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";
import { readJson, readText } from "../text.ts";

interface Options extends TargetOptions {
  data?: boolean;
}

export function steer(program: Command, io: Io): void {
  withTarget(program.command("steer"))
    .description("instruct a running turn; prints the serial of the instruction")
    .argument("<session>", "the session's id")
    .argument("<turn>", "the turn")
    .argument("<text...>", "the instruction, or - for standard input")
    .option("--data", "the text is JSON")
    .action(async (session: string, turn: string, words: string[], options: Options) => {
      pathOf(session);
      const api = new Api(options, io);
      const text = await readText(words, io);
      const data = options.data ? readJson(text, "the instruction") : text;
      const frame = { type: "steer", id: randomUUID(), turn, data } as const;
      const result = await api.frame(session, frame);
      io.out(options.json ? json(result) : `${result.serial}\n`);
    });
}
