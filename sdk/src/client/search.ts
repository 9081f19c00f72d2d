// Searching the messages of a session for words (P11.9), over HTTP alone.

import type { FoundPage } from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import type { Session } from "./session.ts";
import type { ListOptions } from "./waiting.ts";

/** Searching the messages of a session. */
export function searchOf(session: Session): SearchFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new SearchFeature(engine);

export class SearchFeature implements Feature {
  /** None: each search has its own. */
  readonly value = undefined;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Finds messages that have all words of `query`, the newest first; a word that ends in `*` is
   * the beginning of one. The first search of a long session takes a moment longer: its index is
   * made by several requests.
   */
  async find(query: string, { before, limit }: ListOptions = {}): Promise<FoundPage> {
    const asked = new URLSearchParams({ q: query });
    if (before !== undefined) asked.set("before", before);
    if (limit !== undefined) asked.set("limit", `${limit}`);
    for (;;) {
      const { behind, ...page } = await this.#engine.link.read<FoundPage & { behind?: boolean }>(
        `search?${asked}`,
      );
      if (!behind) return page;
    }
  }
}
