// The part of the log that was read: pages of it, in any order, and the gaps between them.

import type { Entry, EntryPage } from "./shapes.ts";

/** Entries after one serial, up to another one and with it. */
interface Stretch {
  after: string;
  through: string;
}

/** Entries that were not read yet: those after a serial, up to another one and with it. */
export interface Gap {
  after: string;
  through: string;
  /** The times of the entries that were read before and behind it. */
  from: number;
  to: number;
}

/** The log as far as it was read. A change gives a new one. */
export interface Record {
  /** In their order, each once. */
  readonly entries: readonly Entry[];
  readonly gaps: readonly Gap[];
  /** The last entry that was read, `""` if none was. */
  readonly end: string;
  readonly stretches: readonly Stretch[];
  /** Where the log begins, if retention took what was before. */
  readonly trimmed: string | undefined;
}

export const NOTHING: Record = {
  entries: [],
  gaps: [],
  end: "",
  stretches: [],
  trimmed: undefined,
};

/** The record with one more page: the entries after a serial, `""` for the first ones. */
export function withPage(record: Record, after: string, page: EntryPage): Record {
  const through = page.entries.at(-1)?.serial ?? after;
  const entries = merged(record.entries, page.entries);
  const stretches = joined([...record.stretches, { after, through }]);
  return {
    entries,
    stretches,
    end: latest(through, record.end),
    gaps: gapsBetween(entries, stretches),
    trimmed: page.trimmed ?? record.trimmed,
  };
}

/** The record with what is known of a message's entry changed. */
export function withMessage(record: Record, serial: string, change: (it: Entry) => Entry): Record {
  const at = indexOf(record.entries, serial);
  const entry = record.entries[at];
  if (entry?.serial !== serial) return record;
  const entries = record.entries.slice();
  entries[at] = change(entry);
  return { ...record, entries };
}

/** The serial that is last in the log. */
export function latest(...serials: string[]): string {
  return serials.sort().at(-1) ?? "";
}

/** The index of the first entry that is not before a serial. */
export function indexOf(entries: readonly Entry[], serial: string): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.serial ?? "") < serial) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the first entry that is not before a time. */
export function indexAt(entries: readonly Entry[], at: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.at ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Both in order; of two with one serial the newer reading. */
function merged(old: readonly Entry[], page: readonly Entry[]): Entry[] {
  const first = page[0];
  if (first === undefined) return old.slice();
  const before = indexOf(old, first.serial);
  const [head, rest] = [old.slice(0, before), old.slice(before)];
  const read = new Map(page.map((entry) => [entry.serial, entry]));
  const last = page.at(-1)?.serial ?? "";
  const behind = rest.filter(({ serial }) => serial > last);
  const between = rest.filter(({ serial }) => serial <= last && !read.has(serial));
  const middle = [...page, ...between].sort((one, other) => (one.serial < other.serial ? -1 : 1));
  return [...head, ...middle, ...behind];
}

function joined(stretches: Stretch[]): Stretch[] {
  const sorted = stretches.sort((one, other) => (one.after < other.after ? -1 : 1));
  const all: Stretch[] = [];
  for (const stretch of sorted) {
    const last = all.at(-1);
    if (last === undefined || last.through < stretch.after) all.push({ ...stretch });
    else if (last.through < stretch.through) last.through = stretch.through;
  }
  return all;
}

function gapsBetween(entries: readonly Entry[], stretches: readonly Stretch[]): Gap[] {
  return stretches.slice(1).map((next, at) => {
    const after = stretches[at]?.through ?? "";
    const behind = entries[indexOf(entries, `${next.after}\0`)];
    const before = entries[indexOf(entries, `${after}\0`) - 1];
    const to = behind?.at ?? before?.at ?? 0;
    return { after, through: next.after, from: before?.at ?? to, to };
  });
}
