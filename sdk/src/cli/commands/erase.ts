// `sessile erase`: deletes a client, with every session that it came to (P11.10).

import type { Command } from "commander";
import { Api } from "../api.ts";
import { Misuse, Refused } from "../exits.ts";
import type { Io } from "../io.ts";
import { json, safe } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";

const ASK_MS = 500;

interface Options extends TargetOptions {
  yes?: boolean;
  wait: boolean;
}

interface Report {
  client: string;
  state: "none" | "erasing" | "done";
  sessions: number;
  deleted: number;
  failing: number;
}

export function erase(program: Command, io: Io): void {
  withTarget(program.command("erase"))
    .description("delete a client and every session that it came to (needs admin for *)")
    .argument("<client>", "the client's id, the sub of its tokens")
    .option("--yes", "do not ask")
    .option("--no-wait", "begin it, and do not wait for its end")
    .action(async (client: string, options: Options) => {
      if (client === "") throw new Misuse("a client's id has 1 to 128 characters");
      const api = new Api(options, io);
      const path = `clients/${encodeURIComponent(client)}`;
      if (!options.yes) await confirm(io, client, await api.ask<Report>(`${path}/erasure`));
      let report = await api.ask<Report>(path, { method: "DELETE" });
      while (options.wait && report.state === "erasing") {
        const { sessions, deleted, failing } = report;
        const trouble = failing > 0 ? `, ${failing} calls failed and are repeated` : "";
        if (io.isTty) io.err(`\r\x1b[K${deleted} deleted, ${sessions} left${trouble}`);
        await new Promise((done) => setTimeout(done, ASK_MS));
        io.signal.throwIfAborted();
        report = await api.ask<Report>(`${path}/erasure`);
      }
      if (io.isTty) io.err("\r\x1b[K");
      if (options.json) return io.out(json(report));
      const { state, sessions, deleted } = report;
      const said =
        state === "done"
          ? `erased, and ${many(deleted)} with it`
          : `being erased: ${many(deleted)} deleted, ${sessions} left`;
      io.out(`${safe(client)} is ${said}\n`);
    });
}

function many(count: number): string {
  return count === 1 ? "1 session" : `${count} sessions`;
}

async function confirm(io: Io, client: string, { state, sessions }: Report): Promise<void> {
  if (state === "erasing") return;
  io.err(
    `This deletes ${safe(client)} and ${many(sessions)}, with what others wrote there.\n` +
      "It cannot be undone. Type the client's id and Enter to go on: ",
  );
  if ((await io.line()).trim() !== client) throw new Refused("nothing was erased");
}
