// `sessile send`: publishes a message (P4.2).

import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { NewMessage, PublishFrame, Role } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";
import { readJson, readText } from "../text.ts";

interface Options extends TargetOptions {
  id?: string;
  name?: string;
  role?: string;
  turn?: string;
  parent?: string;
  header: Record<string, string>;
  data?: boolean;
  interrupt?: true | string;
}

export function send(program: Command, io: Io): void {
  withTarget(program.command("send"))
    .description("publish a message; prints its serial")
    .argument("<session>", "the session's id")
    .argument("<text...>", "the text, or - for standard input")
    .option("--id <id>", "the message's own id: sending it again is safe")
    .option("--name <name>", "the application's event name")
    .option("--role <role>", "user, assistant, system or tool")
    .option("--turn <turn>", "the turn that it belongs to")
    .option("--parent <serial>", "the message that it follows")
    .option("--header <name=value>", "a header; may be repeated", header, {})
    .option("--data", "the text is JSON")
    .option("--interrupt [turn]", "cancel every active turn, or this one, in the same step")
    .action(async (session: string, words: string[], options: Options) => {
      pathOf(session);
      const api = new Api(options, io);
      const text = await readText(words, io);
      const { id = randomUUID(), name, role, turn, parent, interrupt } = options;
      const message: NewMessage = {
        id,
        data: options.data ? readJson(text, "the message") : text,
        ...(name && { name }),
        ...(role && { role: role as Role }),
        ...(turn && { turn }),
        ...(parent && { parent }),
        ...(Object.keys(options.header).length > 0 && { headers: options.header }),
      };
      const frame: PublishFrame = {
        type: "publish",
        messages: [message],
        ...(interrupt && { interrupt }),
      };
      const { messages } = await api.frame(session, frame);
      const [placed] = messages;
      io.out(options.json ? json(placed) : `${placed?.serial}\n`);
    });
}

function header(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new Misuse(`--header takes NAME=VALUE, not ${text}`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
