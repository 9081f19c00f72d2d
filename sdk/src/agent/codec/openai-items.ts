// The output items of an OpenAI response, and the way from an event to its item. Gateways send ids
// that change with each event, or none, the same `output_index` for all items, or deltas of items
// that were never announced.

import type { Call } from "./calls.ts";
import type { Slot } from "./draft.ts";
import { fields, type Json, text } from "./operation.ts";

/** A text within an item. */
export interface Part {
  key: string;
  /** How many of its annotations are written. */
  annotations: number;
  /** A hash of the text, once it has ended. */
  said?: number;
}

export interface Item {
  readonly type: string;
  readonly id: string;
  index: number | undefined;
  /** Whether an event had the item itself, and not only deltas of it. */
  isAnnounced: boolean;
  isDone: boolean;
  /** Its texts by name and place. */
  parts: Map<string, Part>;
  call?: Call;
  /** The input of a call that is not identified yet. */
  held: string;
  /** The tool's name, if only an event had it. */
  name: string;
  /** The place of an item of an unknown type. */
  slot?: Slot;
}

/** How many items of a response are remembered; earlier ones are done, and only counted. */
const MOST_ITEMS = 256;

function indexOf({ output_index: index }: Json): number | undefined {
  return typeof index === "number" ? index : undefined;
}

export class Items {
  #items: Item[] = [];
  /** How many are forgotten, by type. */
  #forgotten = new Map<string, number>();

  get all(): readonly Item[] {
    return this.#items;
  }

  clear(): void {
    this.#items = [];
    this.#forgotten.clear();
  }

  add(type: string, id: string, index: number | undefined): Item {
    const state = { isAnnounced: false, isDone: false, parts: new Map(), held: "", name: "" };
    const item: Item = { type, id, index, ...state };
    this.#items.push(item);
    const [oldest] = this.#items;
    if (oldest?.isDone && this.#items.length > MOST_ITEMS) {
      this.#items.shift();
      this.#forgotten.set(oldest.type, (this.#forgotten.get(oldest.type) ?? 0) + 1);
    }
    return item;
  }

  /** The item to which a delta, or the end of deltas, belongs. */
  of(event: Json, type: string): Item {
    const id = text(event.item_id);
    const index = indexOf(event);
    const isKind = (item: Item) => item.type === type;
    const isOpen = (item: Item) => isKind(item) && !item.isDone;
    const at = (item: Item) => index !== undefined && item.index === index;
    const isAnywhere = (item: Item) => index === undefined || item.index === undefined;
    const found =
      this.#items.findLast((item) => isKind(item) && id !== "" && item.id === id) ??
      this.#items.findLast((item) => isOpen(item) && at(item)) ??
      this.#items.findLast((item) => isOpen(item) && isAnywhere(item));
    return found ?? this.add(type, id, index);
  }

  /** The item that an event announces or ends. */
  placed(event: Json, isDone: boolean): Item {
    const it = fields(event.item);
    const [type, id, callId] = [text(it.type), text(it.id), text(it.call_id)];
    const index = indexOf(event);
    // Deltas may precede the announcement of their item.
    const isFree = (item: Item) =>
      item.type === type && !item.isDone && (isDone || !item.isAnnounced);
    const isSame = (item: Item) =>
      item.type === type && id !== "" && item.id === id && (isDone || !item.isDone);
    const isCall = (item: Item) => callId !== "" && item.call?.id === callId && isFree(item);
    const at = (item: Item) => index !== undefined && item.index === index;
    const found =
      this.#items.findLast(isSame) ??
      this.#items.find(isCall) ??
      this.#items.find((item) => isFree(item) && at(item)) ??
      this.#items.find((item) => isFree(item) && (index === undefined || item.index === undefined));
    const item = found ?? this.add(type, id, index);
    item.isAnnounced = true;
    return item;
  }

  /**
   * Finds the items of the whole response among the known ones: by id, else by their order within
   * each type. Forgotten ones are undefined.
   */
  match(output: readonly Json[]): (Item | undefined)[] {
    const left = new Set(this.#items);
    const take = (isIt: (item: Item) => boolean) => {
      const item = [...left].find(isIt);
      if (item) left.delete(item);
      return item;
    };
    const byId = output.map((it) => {
      return take(({ type, id }) => id !== "" && type === it.type && id === it.id);
    });
    return output.map((it, index) => {
      const type = text(it.type);
      const forgotten = byId[index] ? 0 : (this.#forgotten.get(type) ?? 0);
      if (forgotten > 0) {
        this.#forgotten.set(type, forgotten - 1);
        return undefined;
      }
      const known = byId[index] ?? take((item) => item.type === type);
      const item = known ?? this.add(type, text(it.id), index);
      item.isAnnounced = true;
      return item;
    });
  }
}
