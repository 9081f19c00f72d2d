// `sessile import`: a session from the lines of an export (P11.6).

import { openAsBlob } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { Api, pathOf } from "../api.ts";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";

interface Imported {
  lines: number;
  serial: string;
}

export function importSession(program: Command, io: Io): void {
  withTarget(program.command("import"))
    .description("make a session of an export, where there is none (needs admin)")
    .argument("<file>", "the lines of the export")
    .argument("<session>", "the session's id")
    .action(async (file: string, session: string, options: TargetOptions) => {
      const path = pathOf(session, "import");
      const api = new Api(options, io);
      // Read as it is sent, however long it is.
      const body = await opened(resolve(io.cwd, file));
      const response = await api.open(path, { method: "PUT", body });
      const imported = (await response.json()) as Imported;
      io.out(options.json ? json(imported) : `${imported.lines} lines, up to ${imported.serial}\n`);
    });
}

async function opened(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch {
    throw new Misuse(`there is no file ${path}`);
  }
}
