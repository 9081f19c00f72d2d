// `sessile ls`: the sessions of the token's client (P11.3).

import type { Command } from "commander";
import type { InboxSession, InboxSessionsResult } from "../../index.ts";
import { Api } from "../api.ts";
import type { Io } from "../io.ts";
import { json, oneLine, table, time } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";
import { readNumber } from "../text.ts";

/** The longest page (P15.1). */
const PAGE = 1000;

interface Options extends TargetOptions {
  limit: number;
}

export function ls(program: Command, io: Io): void {
  withTarget(program.command("ls"))
    .description("list the sessions of the token's client, the newest activity first")
    .option("--limit <number>", "how many at most", readNumber("--limit", 1, 100_000), 100)
    .action(async (options: Options) => {
      const api = new Api(options, io);
      const found: InboxSession[] = [];
      let next: string | undefined;
      do {
        const limit = Math.min(options.limit - found.length, PAGE);
        const cursor = next === undefined ? "" : `&cursor=${encodeURIComponent(next)}`;
        const page = await api.ask<InboxSessionsResult>(`sessions?limit=${limit}${cursor}`);
        found.push(...page.sessions);
        next = page.next;
      } while (next !== undefined && found.length < options.limit);
      if (options.json) return io.out(json({ sessions: found, ...(next && { next }) }));
      if (found.length === 0) return io.err("this client takes part in no session\n");
      io.out(
        table(["session", "last activity", "turns", "approvals", "unread", "title"], rows(found)),
      );
      if (next !== undefined) io.err("there are more: raise --limit\n");
    });
}

function rows(sessions: readonly InboxSession[]): string[][] {
  return sessions.map((it) => [
    it.id,
    time(it.lastActivityAt),
    String(it.openTurns),
    String(it.pendingApprovals),
    it.unread === undefined ? "-" : it.unread >= 100 ? "100+" : String(it.unread),
    oneLine(it.title ?? ""),
  ]);
}
