// The lines of the list: the sessions of the inbox, and those that were opened by their id.

import type { Approval, InboxSession } from "sessile";
import type { InboxSnapshot } from "sessile/inbox";
import type { Opened } from "./opened.ts";

/** A session as a line shows it. */
export interface Row extends Partial<Omit<InboxSession, "id">> {
  id: string;
  /** The approvals that wait for this person, the newest first. */
  asked: readonly Approval[];
  /** Whether it is in the inbox: only then it is known how the session stands. */
  isListed: boolean;
}

/** The lines that are asked for. */
export type Filter = "all" | "decide" | "open" | "unread";

const IS: Record<Filter, (row: Row) => boolean> = {
  all: () => true,
  decide: ({ asked, pendingApprovals = 0 }) => asked.length > 0 || pendingApprovals > 0,
  open: ({ openTurns = 0 }) => openTurns > 0,
  unread: ({ unread = 0 }) => unread > 0,
};

/** All lines, the newest activity first. */
export function rowsOf(
  { sessions, approvals }: Pick<InboxSnapshot, "sessions" | "approvals">,
  opened: readonly Opened[],
): Row[] {
  const asked = new Map<string, Approval[]>();
  for (const approval of approvals) {
    const list = asked.get(approval.session);
    if (list) list.push(approval);
    else asked.set(approval.session, [approval]);
  }
  const rows = sessions.map(
    (session): Row => ({ ...session, asked: asked.get(session.id) ?? [], isListed: true }),
  );
  const listed = new Set(sessions.map(({ id }) => id));
  // Its session may be on a later page.
  for (const [id, list] of asked) {
    const lastActivityAt = list[0]?.createdAt ?? 0;
    if (!listed.has(id)) rows.push({ id, lastActivityAt, asked: list, isListed: true });
    listed.add(id);
  }
  for (const { id, title, at } of opened) {
    if (listed.has(id)) continue;
    rows.push({ id, ...(title && { title }), lastActivityAt: at, asked: [], isListed: false });
  }
  return rows.sort((a, b) => (b.lastActivityAt ?? 0) - (a.lastActivityAt ?? 0));
}

/** The lines of a filter with all of the words in their title or id. */
export function found(rows: readonly Row[], filter: Filter, search: string): readonly Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (!IS[filter](row)) return false;
    const text = `${row.title ?? ""} ${row.id}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** How many lines each filter has. */
export function counts(rows: readonly Row[]): Record<Filter, number> {
  const count = (filter: Filter) => rows.filter(IS[filter]).length;
  return {
    all: rows.length,
    decide: count("decide"),
    open: count("open"),
    unread: count("unread"),
  };
}
