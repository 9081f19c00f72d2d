// The people who are there (P7), for agents that spend nothing on an empty room.

import { folded, isPresence, membersIn, NOBODY, type PresenceChange } from "../log/members.ts";
import type { Member, ServerFrame } from "../protocol/index.ts";
import type { Reader } from "./link.ts";
import { readMembers } from "./read.ts";

/** The members who are people, not agents; a new object at each change. */
export interface Audience {
  /** Where there are very many, the first 200 of them (P7.3). */
  readonly members: readonly Member[];
  /** The number of all of them. */
  readonly count: number;
}

export interface WatchedOptions {
  /** Ends the wait: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Whether a member counts, by the data that it tells of itself; by default all people do. */
  who?: (member: Member) => boolean;
}

/** The audience of a session, for all turns of this process. It sends nothing by itself. */
export class Crowd {
  readonly #session: Reader;
  #held = NOBODY;
  #audience: Audience = NOBODY;
  /** Whether the list was too long for `attached`, and nobody has needed it yet. */
  #isUnread = false;
  /** Frames received while the list is read, which may be older. */
  #early: PresenceChange[] | undefined;
  readonly #waits = new Set<() => void>();

  constructor(session: Reader) {
    this.#session = session;
  }

  get audience(): Audience {
    this.#read();
    return this.#audience;
  }

  /** Resolves once somebody is there, at once if so; rejects when one of the signals ends it. */
  watched(signals: readonly AbortSignal[], who = anybody): Promise<Audience> {
    return new Promise((done, fail) => {
      const stop = () => {
        this.#waits.delete(look);
        for (const signal of signals) signal.removeEventListener("abort", end);
      };
      const end = () => {
        stop();
        fail(signals.find(({ aborted }) => aborted)?.reason);
      };
      const look = () => {
        const { audience } = this;
        if (!audience.members.some(who)) return;
        stop();
        done(audience);
      };
      for (const signal of signals) signal.addEventListener("abort", end);
      this.#waits.add(look);
      if (signals.some(({ aborted }) => aborted)) end();
      else look();
    });
  }

  take(frame: ServerFrame): void {
    if (frame.type === "attached") {
      this.#early = undefined;
      this.#isUnread = !frame.presence;
      this.#put(membersIn(frame));
    } else if (isPresence(frame)) {
      this.#early?.push(frame);
      this.#put(folded(this.#held, frame));
    }
  }

  #put(held: typeof NOBODY): void {
    this.#held = held;
    const members = held.members.filter(({ role }) => role !== "agent");
    // The members that are only counted are people: agents are listed first (P7.3).
    const count = held.count - (held.members.length - members.length);
    this.#audience = { members, count };
    for (const look of this.#waits) look();
  }

  #read(): void {
    if (!this.#isUnread) return;
    this.#isUnread = false;
    const early: PresenceChange[] = [];
    this.#early = early;
    readMembers(this.#session).then(
      (list) => this.#early === early && this.#put(early.reduce(folded, membersIn(list))),
      () => {
        this.#isUnread = this.#early === early;
      },
    );
  }
}

function anybody(_: Member): boolean {
  return true;
}
