// Breaks things at random for a while: networks, pages, agents, the session's object. In the end
// everything is mended.

import { type Network, WHOLE } from "../wire/wire.ts";

/** Everything that can be broken. */
export interface Breakable {
  frames: readonly {
    readonly isReady: boolean;
    setNetwork(change: Partial<Network>): void;
    reload(): void;
    write(text: string): void;
  }[];
  isRunning: boolean;
  start(): void;
  kill(): void;
  restart(): Promise<unknown>;
}

export interface Broken {
  isGoingOn: boolean;
  /** How often each thing happened. */
  counts: Record<string, number>;
}

const MINUTE_MS = 60_000;
/** The pauses between two things, in milliseconds. */
const PAUSE_MS = { least: 300, most: 1_800 };
/** How long something stays broken, in milliseconds. */
const HURT_MS = { least: 400, most: 4_000 };
/** Asks the agents for so much text that there is always some on its way. */
const ASK_EVERY_MS = 6_000;
const ASKED = "Tell me a long story about a train that goes through many tunnels.";

export class Breaking {
  readonly #things: () => Breakable;
  readonly #tell: (broken: Broken) => void;
  #counts: Record<string, number> = {};
  readonly #now: () => number;
  #run = 0;

  constructor(
    things: () => Breakable,
    tell: (broken: Broken) => void,
    now = () => performance.now(),
  ) {
    this.#things = things;
    this.#tell = tell;
    this.#now = now;
  }

  async begin(ms = forMs()): Promise<void> {
    this.#run += 1;
    const run = this.#run;
    const isGoingOn = () => this.#run === run;
    this.#counts = {};
    this.#told(true);
    const end = this.#now() + ms;
    let askAt = this.#now();
    while (isGoingOn() && this.#now() < end) {
      if (this.#now() >= askAt) {
        askAt = this.#now() + ASK_EVERY_MS;
        this.#things().frames[0]?.write(ASKED);
      }
      this.#breakOne(isGoingOn);
      await pause(between(PAUSE_MS));
    }
    if (isGoingOn()) this.stop();
  }

  /** Mends everything. */
  stop(): void {
    this.#run += 1;
    const things = this.#things();
    for (const frame of things.frames) frame.setNetwork(WHOLE);
    if (!things.isRunning) things.start();
    this.#told(false);
  }

  #breakOne(isGoingOn: () => boolean): void {
    const things = this.#things();
    const frame = pick(things.frames);
    /** Mends it later, unless everything was mended before. */
    const later = (mend: () => void) => pause(between(HURT_MS)).then(() => isGoingOn() && mend());
    const hurt = (change: keyof Network, name: string) => {
      if (!frame?.isReady) return;
      this.#count(name);
      frame.setNetwork({ [change]: true });
      later(() => frame.setNetwork({ [change]: false }));
    };
    const ways = [
      () => hurt("isDropped", "network dropped"),
      () => hurt("isFrozen", "network frozen"),
      () => hurt("isSlow", "network slowed"),
      () => {
        if (!frame?.isReady) return;
        this.#count("page reloaded");
        frame.reload();
      },
      () => {
        if (!things.isRunning) return;
        this.#count("agents killed");
        things.kill();
        later(() => this.#things().isRunning || this.#things().start());
      },
      () => {
        this.#count("object restarted");
        things.restart().catch(() => {});
      },
    ];
    pick(ways)?.();
  }

  #count(what: string): void {
    this.#counts = { ...this.#counts, [what]: (this.#counts[what] ?? 0) + 1 };
    this.#told(true);
  }

  #told(isGoingOn: boolean): void {
    this.#tell({ isGoingOn, counts: this.#counts });
  }
}

/** A minute, or as many seconds as the address says: `?breakFor=15`. */
function forMs(): number {
  const seconds = Number(new URLSearchParams(location.search).get("breakFor"));
  return seconds > 0 ? seconds * 1000 : MINUTE_MS;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function between({ least, most }: { least: number; most: number }): number {
  return least + Math.random() * (most - least);
}

function pick<T>(from: readonly T[]): T | undefined {
  return from[Math.floor(Math.random() * from.length)];
}
