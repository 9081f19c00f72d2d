// `sessile inspect`: a session's diagnostics, or its record, for a terminal (P11.4).

import type { Command } from "commander";
import type { Snapshot } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import type { Io } from "../io.ts";
import { json, oneLine, table, time } from "../print.ts";
import { type Diagnostics, report } from "../report.ts";
import { type TargetOptions, withTarget } from "../target.ts";
import { readNumber } from "../text.ts";

/** The longest page of the record. */
const PAGE = 1000;

interface Options extends TargetOptions {
  log?: boolean;
  after?: string;
  limit: number;
}

interface Entry {
  serial: string;
  type: string;
  at: number;
  client?: string;
  [field: string]: unknown;
}

interface Entries {
  entries: Entry[];
  hasMore: boolean;
  next?: string;
}

export function inspect(program: Command, io: Io): void {
  withTarget(program.command("inspect"))
    .description("show how a session is, or with --log what happened in it (needs admin)")
    .argument("<session>", "the session's id")
    .option("--log", "its record: every entry in order, with who and when")
    .option("--after <serial>", "the record after this entry")
    .option("--limit <number>", "entries at most", readNumber("--limit", 1, 100_000), 100)
    .action(async (session: string, options: Options) => {
      const path = pathOf(session);
      const api = new Api(options, io);
      if (options.log) return showLog(api, path, options, io);
      const snapshot = await api.ask<Snapshot>(`${path}?rewind=0`);
      const diagnostics = await api.ask<Diagnostics>(`${path}/diagnostics`);
      if (options.json) {
        const { messages: _messages, hasOlder: _hasOlder, ...rest } = snapshot;
        return io.out(json({ snapshot: rest, diagnostics }));
      }
      io.out(report(snapshot, diagnostics, io));
    });
}

async function showLog(api: Api, path: string, options: Options, io: Io): Promise<void> {
  const entries: Entry[] = [];
  let next = options.after;
  let hasMore = true;
  while (hasMore && entries.length < options.limit) {
    const limit = Math.min(options.limit - entries.length, PAGE);
    const after = next === undefined ? "" : `&after=${encodeURIComponent(next)}`;
    const page = await api.ask<Entries>(`${path}/log?limit=${limit}${after}`);
    entries.push(...page.entries);
    hasMore = page.hasMore && page.next !== undefined;
    next = page.next;
  }
  if (options.json) return io.out(json({ entries, hasMore, ...(hasMore && { next }) }));
  if (entries.length === 0) return io.err("the record has no entries here\n");
  const rows = entries.map(({ serial, type, at, client, ...rest }) => [
    serial,
    time(at),
    type,
    oneLine(client ?? "-", 24),
    oneLine(Object.keys(rest).length === 0 ? "" : rest, 100),
  ]);
  io.out(table(["serial", "at", "type", "client", "about"], rows));
  if (hasMore) io.err(`there are more: --after ${next}\n`);
}
