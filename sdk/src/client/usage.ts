// Usage: the session's sums, folded from `attached` and `usage`, and whether its budget is
// spent (P6.12).

import type {
  AttachedFrame,
  OverBudget,
  ServerFrame,
  Snapshot,
  Turn,
  Usage,
} from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import type { Session } from "./session.ts";

/** The usage of a session, as its turns report it. Call it before `connect`, or any time later. */
export function usageOf(session: Session): UsageFeature {
  return session.feature(begin);
}

/** The usage of a session; a new object at each change. */
export interface SessionUsage {
  /** The sums by name, also of turns that are gone. */
  readonly sums: Usage;
  /** The sum beyond its limit, while the budget is spent: no turn begins until it is raised. */
  readonly overBudget?: OverBudget | undefined;
}

/** The usage of a turn and of the turns within it, added up, as far as they are among these. */
export function usageOfTree(turns: readonly Turn[], id: string): Usage {
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const isMeant = (turn?: Turn): boolean =>
    turn !== undefined && (turn.id === id || isMeant(byId.get(turn.within ?? "")));
  const sums: Usage = {};
  for (const { usage = {} } of turns.filter(isMeant)) {
    for (const name in usage) sums[name] = (sums[name] ?? 0) + (usage[name] ?? 0);
  }
  return sums;
}

const begin = (engine: Engine) => new UsageFeature(engine);

export class UsageFeature implements Feature {
  value: SessionUsage;
  /** Whether a frame has told of the budget, which a snapshot that is being read does not know. */
  #isKnown = false;

  constructor(engine: Engine) {
    const { link, options } = engine;
    this.value = shown(link.attached ? {} : options.initial);
    if (!link.attached) return;
    readList<Snapshot>(engine, "?rewind=0", (snapshot) => {
      const { sums, overBudget } = shown(snapshot);
      // A report that arrived meanwhile is newer.
      const known = this.value;
      this.value = { overBudget, ...(this.#isKnown && known), sums: { ...sums, ...known.sums } };
    });
  }

  attached(frame: AttachedFrame): void {
    this.#isKnown = true;
    this.value = shown(frame);
  }

  take(frame: ServerFrame): void {
    if (frame.type !== "usage") return;
    const { usage, overBudget } = frame;
    this.#isKnown = true;
    this.value = { sums: { ...this.value.sums, ...usage }, overBudget };
  }
}

function shown({ usage = {}, overBudget }: Pick<Snapshot, "usage" | "overBudget"> = {}) {
  return { sums: usage, overBudget };
}
