// How far clients have read, folded from `attached` and `read.mark` (P9.5).

import type { AttachedFrame, ReadMark, ServerFrame } from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import type { Session } from "./session.ts";

/** The read marks of a session, and moving this client's own. */
export function marksOf(session: Session): MarksFeature {
  return session.feature(begin);
}

/** All marks that this client is told, and how many messages it has not read. */
export interface Marks {
  marks: ReadMark[];
  /** Messages of others after the own mark, 100 at most. */
  unread: number;
}

const begin = (engine: Engine) => new MarksFeature(engine);

export class MarksFeature implements Feature {
  /** The marks; a new list at each change. */
  value: readonly ReadMark[];
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.value = engine.options.initial?.marks ?? [];
    if (!engine.link.attached) return;
    readList<Marks>(engine, "marks", ({ marks }) => {
      // A mark that arrived meanwhile may be further.
      const newer = this.value;
      this.value = marks;
      for (const mark of newer) this.#put(mark);
    });
  }

  /** Marks that this client has read up to a serial; an earlier one than before changes nothing. */
  async read(serial: string): Promise<void> {
    await this.#engine.link.request({ type: "read", serial });
  }

  /** Reads the marks and the number of unread messages. */
  list(): Promise<Marks> {
    return this.#engine.link.read("marks");
  }

  attached({ marks }: AttachedFrame): void {
    this.value = marks ?? [];
  }

  take(frame: ServerFrame): void {
    if (frame.type === "read.mark") this.#put({ client: frame.client, serial: frame.serial });
  }

  #put(mark: ReadMark): void {
    const held = this.value.find(({ client }) => client === mark.client);
    if (held && held.serial >= mark.serial) return;
    this.value = [...this.value.filter((it) => it !== held), mark];
  }
}
