// `sessile export`: all of a session as lines of JSON, page by page, so that its size does not
// matter (P3.9, P11.4). Read by pages, it holds what was there as each page was read.

import type { Command } from "commander";
import type { Snapshot } from "../../index.ts";
import { Api, pathOf } from "../api.ts";
import type { Io } from "../io.ts";
import { type TargetOptions, withTarget } from "../target.ts";

/** Items of a page. */
const LIMIT = 1000;

/** The lists of a session: the parameter that goes on, and the field with the items. */
const LISTS = [
  { list: "messages", cursor: "before", query: `limit=${LIMIT}` },
  { list: "turns", cursor: "before", query: `status=all&limit=${LIMIT}` },
  { list: "approvals", cursor: "before", query: `status=all&limit=${LIMIT}` },
  { list: "calls", cursor: "before", query: `status=all&limit=${LIMIT}` },
  { list: "log", cursor: "after", query: `limit=${LIMIT}`, field: "entries" },
];

interface Page {
  hasMore: boolean;
  next?: string;
  [field: string]: unknown;
}

export function exportSession(program: Command, io: Io): void {
  withTarget(program.command("export"))
    .description("print all of a session as lines of JSON (needs admin)")
    .argument("<session>", "the session's id")
    .addHelpText("after", '\nThe last line is {"end": …}: without it the export was cut off.')
    .action(async (session: string, options: TargetOptions) => {
      const path = pathOf(session);
      const api = new Api(options, io);
      let lines = 0;
      const line = (value: object) => {
        lines += 1;
        io.out(`${JSON.stringify(value)}\n`);
      };
      const snapshot = await api.ask<Snapshot & { marks?: unknown }>(`${path}?rewind=0`);
      const { serial, createdAt, settings, state, usage, marks } = snapshot;
      line({ session, serial, createdAt, settings, state, usage, marks });
      for (const { list, cursor, query, field = list } of LISTS) {
        for (let next = ""; ; ) {
          const rest = next && `&${cursor}=${encodeURIComponent(next)}`;
          const page = await api.ask<Page>(`${path}/${list}?${query}${rest}`);
          for (const item of (page[field] ?? []) as unknown[]) line({ [list]: item });
          if (!page.hasMore || page.next === undefined) break;
          next = page.next;
        }
      }
      io.out(`${JSON.stringify({ end: { lines } })}\n`);
    });
}
