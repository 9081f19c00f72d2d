// Silent agents. A healthy agent may be thinking; a lost one is known to be lost only when its
// lease runs out (P6.8). Until then a page can at least show the silence.

import type { ConnectionStatus } from "../connection/types.ts";
import type { Log } from "../log/log.ts";
import type { ServerFrame, Turn } from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import type { Session } from "./session.ts";

/** The lease of a turn that names none (P6.8). */
const LEASE_MS = 30_000;
const NOBODY: ReadonlySet<string> = new Set();

/** The active turns that were silent for a third of their lease, by id. */
export function silenceOf(session: Session): SilenceFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new SilenceFeature(engine);

export class SilenceFeature implements Feature {
  value = NOBODY;
  readonly #engine: Pick<Engine, "log" | "link" | "changed">;
  #heardAt = new Map<string, number>();
  /** The active ones of the latest turns. */
  #active: readonly Turn[] = [];
  #given: readonly Turn[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: Pick<Engine, "log" | "link" | "changed">) {
    this.#engine = engine;
    this.status(engine.link.status);
  }

  /** Whether a turn was silent for too long: its agent may be thinking, or be lost. */
  has(turn: string): boolean {
    return this.value.has(turn);
  }

  take(frame: ServerFrame, log: Log): void {
    const turn = turnOf(frame, log);
    if (turn) this.#heardAt.set(turn, performance.now());
    this.status(this.#engine.link.status);
  }

  status({ state }: ConnectionStatus): void {
    if (state === "connected") this.#look();
    else this.#stop();
  }

  /** No sign of life can arrive any more. */
  #stop(): void {
    clearTimeout(this.#timer);
    this.#heardAt.clear();
    this.value = NOBODY;
  }

  /** Checks which turns are silent, and again when the next one may be. */
  #look(): void {
    clearTimeout(this.#timer);
    const turns = this.#engine.log.turnList;
    const now = performance.now();
    const heard = new Map<string, number>();
    const silent = new Set<string>();
    let nextMs = Infinity;
    // The list of turns is long, and mostly unchanged.
    if (turns !== this.#given) this.#active = turns.filter(({ status }) => status === "active");
    this.#given = turns;
    for (const { id, leaseMs = LEASE_MS } of this.#active) {
      const heardAt = this.#heardAt.get(id) ?? now;
      heard.set(id, heardAt);
      const leftMs = heardAt + leaseMs / 3 - now;
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else silent.add(id);
    }
    this.#heardAt = heard;
    if (nextMs < Infinity) {
      this.#timer = setTimeout(() => {
        this.#look();
        this.#engine.changed();
      }, nextMs + 1);
    }
    if (`${[...silent]}` !== `${[...this.value]}`) this.value = silent;
  }
}

/** The turn that a frame tells of. */
function turnOf(frame: ServerFrame, log: Log): string | undefined {
  if ("turn" in frame) return frame.turn.id;
  if ("message" in frame) return frame.message.turn;
  return frame.type === "message.append" ? log.get(frame.serial)?.turn : undefined;
}
