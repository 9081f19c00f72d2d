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
  const isSame = (it: Member) => it.connection === member.connection;
  const isListed = held.members.some(isSame);
  if (type === "presence.leave") {
    // One who is not in a whole list was never told of.
    if (!isListed && held.count === held.members.length) return held;
    return { members: held.members.filter((it) => !isSame(it)), count: held.count - 1 };
  }
  if (!isListed) return { members: [...held.members, member], count: held.count + 1 };
  return { members: held.members.map((it) => (isSame(it) ? member : it)), count: held.count };
}
