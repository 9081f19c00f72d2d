// The lists of an inbox, folded from its first frame, its changes, and further pages (P15).

import type {
  Approval,
  InboxChange,
  InboxContent,
  InboxFrame,
  InboxNext,
  InboxSession,
  InboxWork,
} from "../protocol/index.ts";

export type Lists = Readonly<Omit<InboxContent, "serial" | "next">> & { readonly next: InboxNext };

/** The lists of which there may be more. */
export type ListName = "sessions" | "approvals" | "work";

export type Call = InboxContent["calls"][number];

/** A page of a list, as `GET /v1/NAME` gives it. */
export type ListPage = Partial<Pick<Lists, ListName>> & { next?: string };

export const NOTHING: Lists = { sessions: [], approvals: [], calls: [], work: [], next: {} };

interface Item {
  readonly id: string;
  /** The item's session; a session has none. */
  readonly session?: string;
}

/** The lists of a first frame that does not continue after an earlier one. */
export function begun(frame: InboxFrame): Lists {
  const { sessions = [], approvals = [], calls = [], work = [], next = {} } = frame;
  return { sessions, approvals, calls, work, next };
}

/** The lists after a change. */
export function changed(lists: Lists, change: InboxChange): Lists {
  if (change.type === "inbox.session") {
    const { session } = change;
    // The inbox of a role does not know how much the client has read.
    const held = lists.sessions.find((one) => isSame(one, session));
    const unread = held?.unread === undefined ? {} : { unread: held.unread };
    const sessions = put<InboxSession>(lists.sessions, { ...unread, ...session });
    return { ...lists, sessions: sessions.sort(byActivity) };
  }
  if (change.type === "inbox.call") return { ...lists, calls: put<Call>(lists.calls, change.call) };
  if (change.type === "inbox.work") {
    return { ...lists, work: put<InboxWork>(lists.work, change.work).sort(byWait) };
  }
  const { approval } = change;
  const { id, session } = approval;
  const isPending = "gone" in approval || approval.status === "pending";
  const item = isPending ? approval : ({ id, session, gone: true } as const);
  return { ...lists, approvals: put<Approval>(lists.approvals, item).sort(byAge) };
}

/** The lists with one more page of one of them. */
export function grown(lists: Lists, name: ListName, page: ListPage): Lists {
  const { [name]: _, ...others } = lists.next;
  const next = page.next ? { ...others, [name]: page.next } : others;
  const { sessions = [], approvals = [], work = [] } = page;
  return {
    ...lists,
    ...(sessions.length > 0 && { sessions: joined(lists.sessions, sessions).sort(byActivity) }),
    ...(approvals.length > 0 && { approvals: joined(lists.approvals, approvals).sort(byAge) }),
    ...(work.length > 0 && { work: joined(lists.work, work).sort(byWait) }),
    next,
  };
}

function byActivity(a: InboxSession, b: InboxSession): number {
  return b.lastActivityAt - a.lastActivityAt;
}

function byAge(a: Approval, b: Approval): number {
  return b.createdAt - a.createdAt || (a.version < b.version ? 1 : -1);
}

function byWait(a: InboxWork, b: InboxWork): number {
  return a.at - b.at;
}

function put<T extends Item>(list: readonly T[], item: T | (Item & { gone: true })): T[] {
  const others = list.filter((one) => !isSame(one, item));
  return "gone" in item ? others : [...others, item];
}

/** Items that are held already are newer than those of a page. */
function joined<T extends Item>(held: readonly T[], page: readonly T[]): T[] {
  return [...held, ...page.filter((item) => !held.some((one) => isSame(one, item)))];
}

/** An id of an approval or a call is one of its session's. */
function isSame(one: Item, other: Item): boolean {
  return one.id === other.id && one.session === other.session;
}
