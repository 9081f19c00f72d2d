// The person who speaks in the place of the agents, folded from `attached` and lead frames (P8.8).

import type {
  AttachedFrame,
  Leading,
  ReturnLeadFrame,
  ServerFrame,
  Snapshot,
  TakeLeadFrame,
} from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";

/** The person who leads a session, taking over and handing back. */
export function leadOf(session: Session): LeadFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new LeadFeature(engine);

export class LeadFeature implements Feature {
  /** The person who leads; `undefined` while the agents answer. */
  value: Leading | undefined;
  readonly #engine: Engine;
  /** Whether something newer than a snapshot that is being read has arrived. */
  #isKnown = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    const { link, options } = engine;
    this.value = options.initial?.lead;
    if (!link.attached) return;
    readList<Snapshot>(engine, "?rewind=0", ({ lead }) => {
      if (!this.#isKnown) this.value = lead;
    });
  }

  /** Whether this client leads. */
  get isOwn(): boolean {
    const { attached } = this.#engine.link;
    return this.value !== undefined && this.value.client === attached?.client;
  }

  /**
   * Takes over, also from another person; needs the operation `lead`. The agents' open turns go on
   * to their ends, unless `turns` is `"cancel"`.
   */
  async takeOver(options: Omit<TakeLeadFrame, "type" | "id"> = {}): Promise<Leading | null> {
    const frame = { ...options, type: "lead.take", id: newId() } as const;
    return (await this.#engine.link.request(frame)).lead;
  }

  /**
   * Hands back to the agents. Of the inputs that waited they answer the last one, or as `wake`
   * says.
   */
  async handBack(options: Omit<ReturnLeadFrame, "type" | "id"> = {}): Promise<void> {
    const frame = { ...options, type: "lead.return", id: newId() } as const;
    await this.#engine.link.request(frame);
  }

  attached({ lead }: AttachedFrame): void {
    this.#set(lead);
  }

  take(frame: ServerFrame): void {
    if (frame.type === "lead.take") this.#set(frame.lead);
    else if (frame.type === "lead.return") this.#set(undefined);
  }

  #set(lead: Leading | undefined): void {
    this.#isKnown = true;
    this.value = lead;
  }
}
