// A list of what waits for somebody, such as approvals: begun by `attached`, or read where that
// leaves it out, and changed by frames that each carry one item, whole.

import { type Engine, readList } from "./feature.ts";

export interface Item {
  readonly id: string;
  readonly serial: string;
  /** The place of its latest change. */
  readonly version: string;
  readonly status: string;
}

/** Which page of a list to read. */
export interface ListOptions {
  /** The `next` of the page before. */
  before?: string;
  /** At most 1000; 100 by default. */
  limit?: number;
}

export class Waiting<T extends Item> {
  /** The pending items, the oldest first; a new array at each change. */
  items: readonly T[];
  readonly #engine: Engine;
  readonly #name: string;
  /** Called after each change, with the item that came, pending or not, where one did. */
  readonly #changed: (item?: T) => void;
  /** Items that came while the list is read, which may be older than they are. */
  #early: T[] | undefined;

  /** `name` is that of the list and its address: `approvals`. */
  constructor(engine: Engine, name: string, initial: readonly T[], changed: (item?: T) => void) {
    this.#engine = engine;
    this.#name = name;
    this.items = initial;
    this.#changed = changed;
    if (engine.link.attached) this.#read();
  }

  /** Takes the list of the first frame, if it is there. */
  begin(items: readonly T[] | undefined): void {
    this.#early = undefined;
    if (items) this.items = items;
    else this.#read();
  }

  /** Takes an item of a frame. */
  take(item: T): void {
    this.#early?.push(item);
    this.#fold(item);
  }

  /** Reads all items, settled ones too, the newest first. */
  list<P>({ before, limit = 100 }: ListOptions): Promise<P> {
    const from = before ? `&before=${before}` : "";
    return this.#engine.link.read(`${this.#name}?status=all&limit=${limit}${from}`);
  }

  #read(): void {
    const early: T[] = [];
    this.#early = early;
    const path = `${this.#name}?status=pending&limit=1000`;
    readList<Record<string, T[]>>(this.#engine, path, ({ [this.#name]: items = [] }) => {
      if (this.#early !== early) return;
      this.#early = undefined;
      this.items = items.reverse();
      this.#changed();
      for (const item of early) this.#fold(item);
    });
  }

  #fold(item: T): void {
    const held = this.items.find(({ id }) => id === item.id);
    // A list that was read may be newer than a frame.
    if (held && held.version >= item.version) return;
    const items = this.items.filter((one) => one !== held);
    if (item.status === "pending") items.push(item);
    this.items = items.sort((a, b) => (a.serial < b.serial ? -1 : 1));
    this.#changed(item);
  }
}
