// Words that several findings need.

import type { Finding } from "../findings.ts";
import { shown } from "../words.ts";

/** A name of others, set apart. */
export function name(text: string | undefined): string {
  if (text === undefined) return "the session";
  return `\`${shown(text, 120).replaceAll("`", "ˋ")}\``;
}

/** Items by what they have in common, each group in the order given. */
export function grouped<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Map<string, [Item, ...Item[]]> {
  const groups = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** How often: `once`, `twice`, `12 times`. */
export function times(count: number): string {
  return ["never", "once", "twice"][count] ?? `${count.toLocaleString("en")} times`;
}

/** The first of them as findings, and one that counts the others. */
export function few(
  all: readonly Finding[],
  most: number,
  more: (count: number) => string,
): Finding[] {
  const last = all[most];
  if (last === undefined) return [...all];
  const { rule, section } = last;
  const rest: Finding = { tone: "note", text: more(all.length - most), rule, section };
  return [...all.slice(0, most), rest];
}

/** Counts by their code: `3 not-leader, 1 forbidden`. */
export function codes(counts: Record<string, number>): string {
  const sorted = Object.entries(counts).sort(([, one], [, other]) => other - one);
  return sorted.map(([code, count]) => `${count.toLocaleString("en")} ${code}`).join(", ");
}
