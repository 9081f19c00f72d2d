// Who is there, folded from `attached` and presence frames (P7).

import type { Member, MemberList, PresenceFrame } from "../protocol/index.ts";

/** Who is there; a new object at each change. */
export interface Presence {
  /** At most 200 (P7.3). */
  readonly members: readonly Member[];
  /** How many there are in all. */
  readonly count: number;
}

export const NOBODY: Presence = { members: [], count: 0 };

export function presenceOf({ presence = [], presenceCount }: MemberList): Presence {
  return { members: presence, count: presenceCount ?? presence.length };
}

export function foldPresence(held: Presence, { type, member }: PresenceFrame): Presence {
  const members = [...held.members];
  const index = members.findIndex(({ connection }) => connection === member.connection);
  const isLeave = type === "presence.leave";
  // Who changes stays in place.
  const at = index < 0 ? members.length : index;
  members.splice(at, 1, ...(isLeave ? [] : [member]));
  // A list may not hold all.
  const count = held.count + (isLeave ? -1 : index < 0 ? 1 : 0);
  return { members, count: Math.max(count, members.length) };
}
