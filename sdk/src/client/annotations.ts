// Annotations of messages (P9.3). Their sums are a field of each message, which the log keeps.

import type { AnnotateFrame, AnnotationKind, AnnotationPage } from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";

/** Annotating the messages of a session; the sums are `message.annotations`. */
export function annotationsOf(session: Session): AnnotationsFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new AnnotationsFeature(engine);

/** The fields of an annotation beside its message and kind. */
export type AnnotateOptions = Pick<AnnotateFrame, "name" | "count" | "data">;

export class AnnotationsFeature implements Feature {
  /** None: the sums are the messages'. */
  readonly value = undefined;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Annotates a message, with a kind such as `like:distinct`; needs the operation `annotate`. */
  async add(serial: string, kind: AnnotationKind, options: AnnotateOptions = {}): Promise<void> {
    const frame = { ...options, type: "annotate", id: newId(), serial, kind } as const;
    await this.#engine.link.request(frame);
  }

  /** Takes this client's annotations back: of one name, or of the whole kind. */
  async remove(
    serial: string,
    kind: AnnotationKind,
    options: { name?: string } = {},
  ): Promise<void> {
    const frame = { ...options, type: "unannotate", id: newId(), serial, kind } as const;
    await this.#engine.link.request(frame);
  }

  /** Reads the annotations of a message that stand, a page at a time. */
  list(serial: string, options: { cursor?: string; limit?: number } = {}): Promise<AnnotationPage> {
    const given = Object.entries(options).map(([name, value]) => [name, `${value}`]);
    return this.#engine.link.read(`messages/${serial}/annotations?${new URLSearchParams(given)}`);
  }
}
