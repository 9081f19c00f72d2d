// A session or an inbox for React: the same snapshot for every component, and while text streams at
// most one new one a frame. The first change after a pause shows at once.

import type { Feature } from "../client/feature.ts";
import type { ShownMessage } from "../client/sending.ts";
import type { Session } from "../client/session.ts";
import type { SessionSnapshot } from "../client/types.ts";
import { windowOf } from "../pace/flow.ts";
import { PacedMessages } from "../pace/messages.ts";
import { PAGE } from "../pace/page.ts";

/** A session or an inbox. */
interface Source<T> {
  getSnapshot(): T;
  subscribe(listener: () => void): () => void;
  connect(): unknown;
  close(): void;
}

export class Store<T> {
  readonly #source: Source<T>;
  readonly #listeners = new Set<() => void>();
  /** The snapshot that a server may have rendered: hydration begins with it. */
  readonly #first: T;
  readonly #firsts = new Map<Feature, unknown>();
  #snapshot: T;
  #isHeld = false;
  #paced: PacedMessages | undefined;
  #users = 0;
  #end: (() => void) | undefined;

  constructor(source: Source<T>) {
    this.#source = source;
    this.#first = source.getSnapshot();
    this.#snapshot = this.#first;
  }

  readonly get = (): T => {
    // Without subscribers, nothing is held back.
    if (!this.#end) this.#snapshot = this.#source.getSnapshot();
    return this.#snapshot;
  };

  readonly getFirst = (): T => this.#first;

  /** A feature's value as of the snapshot; a feature begun since has its present one. */
  valueOf<P extends Feature>(this: Store<SessionSnapshot>, feature: P): P["value"] {
    const { features } = this.get();
    return features.has(feature) ? features.get(feature) : feature.value;
  }

  /** A feature's value when it was first requested. */
  firstOf<P extends Feature>(feature: P): P["value"] {
    if (!this.#firsts.has(feature)) this.#firsts.set(feature, feature.value);
    return this.#firsts.get(feature);
  }

  /** Messages of the snapshot, or of a feature, with texts that grow at an even pace. */
  shown(this: Store<SessionSnapshot>, list: readonly ShownMessage[]): readonly ShownMessage[] {
    this.#paced ??= new PacedMessages(windowOf(this.#source as unknown as Session));
    return this.#paced.show(list);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#end ??= this.#source.subscribe(this.#look);
    // The session may have changed between rendering and this.
    this.#look();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#end?.();
      this.#end = undefined;
    };
  };

  /** Connects while it has subscribers. An immediate remount keeps the connection. */
  readonly use = (): (() => void) => {
    this.#users += 1;
    this.#source.connect();
    return () => {
      this.#users -= 1;
      setTimeout(() => {
        if (this.#users === 0) this.#source.close();
      });
    };
  };

  readonly #look = () => {
    if (this.#isHeld) return;
    const was = this.#snapshot;
    this.#snapshot = this.#source.getSnapshot();
    // Only a session has messages to pace.
    const isMore = this.#paced?.look(this.#snapshot as unknown as SessionSnapshot);
    const isNews = isMore || this.#snapshot !== was;
    if (!isNews && !this.#paced?.isBehind) return;
    this.#isHeld = true;
    PAGE.inNextFrame(() => {
      this.#isHeld = false;
      this.#look();
    });
    if (isNews) for (const listener of [...this.#listeners]) listener();
  };
}

const stores = new WeakMap<object, Store<unknown>>();

/** The one store of a session or an inbox. */
export function storeOf<T>(source: Source<T>): Store<T> {
  const store = (stores.get(source) as Store<T> | undefined) ?? new Store(source);
  stores.set(source, store);
  return store;
}
