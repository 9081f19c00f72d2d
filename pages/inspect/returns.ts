// Clients that came back: which connection followed which, how long nobody was there, and what the
// replay brought. The session knows connections and clients, not pages; so a connection is taken to
// follow the last one of its client that had ended.

import { indexAt, indexOf } from "./record.ts";
import type { Diagnostics, Entry, Gone, Trace } from "./shapes.ts";

/** A connection of a client that had lost one. */
export interface Return {
  client: string;
  /** The connection that had ended. */
  before: Gone;
  connection: string;
  trace: Trace;
  attachedAt: number;
  awayMs: number;
  /** Entries of the log meanwhile, as far as they were read. */
  missed: number;
}

/** The returns, the latest first. */
export function returnsOf(
  { connections, traces }: Diagnostics,
  entries: readonly Entry[],
  own: string | undefined,
): Return[] {
  const all = [...connections, ...traces.gone].filter(({ connection }) => connection !== own);
  const begun = all.flatMap(({ client, connection, trace }) =>
    trace?.attachedAt === undefined
      ? []
      : [{ client, connection, trace, attachedAt: trace.attachedAt }],
  );
  const followed = new Set<Gone>();
  const returns: Return[] = [];
  for (const it of begun.sort((one, other) => one.attachedAt - other.attachedAt)) {
    const before = traces.gone
      .filter((gone) => gone.client === it.client && gone.goneAt <= it.attachedAt)
      .filter((gone) => !followed.has(gone) && gone.connection !== it.connection)
      .sort((one, other) => one.goneAt - other.goneAt)
      .at(-1);
    if (before === undefined) continue;
    followed.add(before);
    // By its place in the log, since an entry may be as old as the end of the connection.
    const from = indexOf(entries, `${before.serial}\0`);
    const missed = indexAt(entries, it.attachedAt + 1) - from;
    const awayMs = it.attachedAt - before.goneAt;
    returns.push({ ...it, before, awayMs, missed: Math.max(missed, 0) });
  }
  return returns.reverse();
}
