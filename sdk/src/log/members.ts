// The members of a session, folded from lists and presence frames (P7.3).

import type {
  Member,
  MemberList,
  PresenceCountFrame,
  PresenceFrame,
  ServerFrame,
} from "../protocol/index.ts";

/** The members; a new object at each change. */
export interface Presence {
  /** The first 200 of many, with agents and supervisors first (P7.3). */
  readonly members: readonly Member[];
  /** The number of all members. */
  readonly count: number;
}

/** A frame that changes the members, or their number. */
export type PresenceChange = PresenceFrame | PresenceCountFrame;

export const NOBODY: Presence = { members: [], count: 0 };

export function isPresence(frame: ServerFrame): frame is PresenceChange {
  return "member" in frame || frame.type === "presence.count";
}

/** The members of `attached`, or of a list that was read. */
export function membersIn({ presence = [], presenceCount }: MemberList): Presence {
  return { members: presence, count: presenceCount ?? presence.length };
}

/** The members after a change. */
export function folded(held: Presence, frame: PresenceChange): Presence {
  if (frame.type === "presence.count") return { ...held, count: frame.presenceCount };
  const { type, member } = frame;
  const members = [...held.members];
  const index = members.findIndex(({ connection }) => connection === member.connection);
  const isLeave = type === "presence.leave";
  // A changed member keeps its position.
  const at = index < 0 ? members.length : index;
  members.splice(at, 1, ...(isLeave ? [] : [member]));
  // A list may be incomplete, and a member that leaves may only have been counted.
  const count = held.count + members.length - held.members.length;
  return { members, count: Math.max(count, members.length) };
}
