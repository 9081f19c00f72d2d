// Forks of a session: other sessions that begin as it was (P11.6), over HTTP alone.

import type { Forked } from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import type { Session } from "./session.ts";

/** The wait before asking again whether a fork is whole; each is twice the last, up to 2 s. */
const AGAIN_MS = 100;
const AGAIN_MS_MAX = 2_000;

/** Forking a session. */
export function forkOf(session: Session): ForkFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new ForkFeature(engine);

export class ForkFeature implements Feature {
  /** None: a fork is another session. */
  readonly value = undefined;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Begins the session `to` as this one was at `at`, a serial of its log; by default as it is now.
   * The token needs `read` here, and `turn` or `admin` there. Resolves once the fork is whole; a
   * page may open it at once, and is attached as soon as it is. To call it again is safe.
   */
  async to(session: string, { at }: { at?: string } = {}): Promise<Forked> {
    const body = JSON.stringify({ to: session, at });
    for (let ms = AGAIN_MS; ; ms = Math.min(2 * ms, AGAIN_MS_MAX)) {
      const forked = await this.#engine.link.read<Forked>("fork", { method: "POST", body });
      if (forked.state === "whole") return forked;
      await new Promise((done) => setTimeout(done, ms));
    }
  }
}
