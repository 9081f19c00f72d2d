// Presence: the members, folded from `attached` and presence frames (P7).

import type {
  AttachedFrame,
  Member,
  MemberList,
  PresenceCountFrame,
  PresenceFrame,
  ServerFrame,
} from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import type { Session } from "./session.ts";

/** The members; a new object at each change. */
export interface Presence {
  /** The first 200 of many, with agents and supervisors first (P7.3). */
  readonly members: readonly Member[];
  /** The number of all members. */
  readonly count: number;
}

const NOBODY: Presence = { members: [], count: 0 };

/** The members, and entering. Call it before `connect`, or any time later. */
export function presenceOf(session: Session): PresenceFeature {
  return session.feature(begin);
}

type Change = PresenceFrame | PresenceCountFrame;

const begin = (engine: Engine) => new PresenceFeature(engine);

export class PresenceFeature implements Feature {
  value = NOBODY;
  readonly #engine: Engine;
  #isPresent = false;
  #data: unknown;
  /** Frames received while a list is read, which may be older than the frames. */
  #early: Change[] | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    const { link, options } = engine;
    if (link.attached) this.#read();
    else if (options.initial) this.value = membersIn(options.initial);
  }

  get members(): readonly Member[] {
    return this.value.members;
  }

  get count(): number {
    return this.value.count;
  }

  /** Announces this connection, or changes its data; kept up over reconnects (P7.1). */
  async enter(data?: unknown): Promise<void> {
    const { link } = this.#engine;
    this.#isPresent = true;
    this.#data = data;
    if (link.attached && link.status.state !== "waiting") {
      await link.request({ type: "presence.set", data });
    }
  }

  /** Leaves presence. */
  leave(): void {
    this.#isPresent = false;
    this.#engine.link.send({ type: "presence.leave" });
  }

  attached(frame: AttachedFrame): void {
    this.#early = undefined;
    this.value = membersIn(frame);
    if (!frame.presence) this.#read();
    this.#announce();
  }

  take(frame: ServerFrame): void {
    if (!("member" in frame) && frame.type !== "presence.count") return;
    this.value = folded(this.value, frame);
    this.#early?.push(frame);
    if (frame.type === "presence.count") return;
    // A member that was silent for too long has been removed (P7.2).
    const isOwn = frame.member.connection === this.#engine.link.attached?.connection;
    if (frame.type === "presence.leave" && isOwn) this.#announce();
  }

  #announce(): void {
    if (this.#isPresent) this.#engine.link.send({ type: "presence.set", data: this.#data });
  }

  #read(): void {
    const early: Change[] = [];
    this.#early = early;
    readList<MemberList>(this.#engine, "presence", (list) => {
      if (this.#early !== early) return;
      this.#early = undefined;
      this.value = early.reduce(folded, membersIn(list));
    });
  }
}

function membersIn({ presence = [], presenceCount }: MemberList): Presence {
  return { members: presence, count: presenceCount ?? presence.length };
}

function folded(held: Presence, frame: Change): Presence {
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
