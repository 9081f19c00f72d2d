// How far this device has read the log: a feature of the session, made here.

import type { Engine, Feature, Session } from "sessile";

class Position implements Feature {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get value(): string {
    return this.#engine.log.position ?? "";
  }
}

const begin = (engine: Engine) => new Position(engine);

export function positionOf(session: Session): Position {
  return session.feature(begin);
}
