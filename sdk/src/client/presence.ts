// Presence: the members, folded from `attached` and presence frames (P7).

import { folded, isPresence, membersIn, NOBODY, type PresenceChange } from "../log/members.ts";
import type { AttachedFrame, Member, MemberList, ServerFrame } from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import type { Session } from "./session.ts";

export type { Presence } from "../log/members.ts";

/** The members, and entering. Call it before `connect`, or any time later. */
export function presenceOf(session: Session): PresenceFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new PresenceFeature(engine);

export class PresenceFeature implements Feature {
  value = NOBODY;
  readonly #engine: Engine;
  #isPresent = false;
  #data: unknown;
  /** Frames received while a list is read, which may be older than the frames. */
  #early: PresenceChange[] | undefined;

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
    if (!isPresence(frame)) return;
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
    const early: PresenceChange[] = [];
    this.#early = early;
    readList<MemberList>(this.#engine, "presence", (list) => {
      if (this.#early !== early) return;
      this.#early = undefined;
      this.value = early.reduce(folded, membersIn(list));
    });
  }
}
