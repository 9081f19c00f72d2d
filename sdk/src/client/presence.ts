// Presence: the members that are there, folded from `attached` and presence frames (P7).

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

/** The members that are there; a new object at each change. */
export interface Presence {
  /** Of many the first 200, and agents and supervisors among them (P7.3). */
  readonly members: readonly Member[];
  /** How many there are in all. */
  readonly count: number;
}

const NOBODY: Presence = { members: [], count: 0 };

/** The members that are there, and entering. Call it before `connect`, or any time later. */
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
  /** Frames that came while a list is read, which may be older than they are. */
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

  /** Announces this connection, or changes what it tells; kept up over reconnects (P7.1). */
  async enter(data?: unknown): Promise<void> {
    const { link } = this.#engine;
    this.#isPresent = true;
    this.#data = data;
    if (link.attached && link.status.state !== "waiting") {
      await link.request({ type: "presence.set", data });
    }
  }

  /** Is present no longer. */
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
    // One that was silent for too long was taken for gone (P7.2).
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
  // A member that changes stays in place.
  const at = index < 0 ? members.length : index;
  members.splice(at, 1, ...(isLeave ? [] : [member]));
  // A list may not hold all, and who leaves may have been counted only.
  const count = held.count + members.length - held.members.length;
  return { members, count: Math.max(count, members.length) };
}
