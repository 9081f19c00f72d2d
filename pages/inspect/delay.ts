// How long an entry let others wait: since what it answers, or else since the entry before it.

import type { Entry } from "./shapes.ts";

export interface Delay {
  ms: number;
  /** The entry that it counts from, in words. */
  since: string;
}

/** The entry that each kind follows: its type, the field that names both, and words. */
const CAUSES: readonly [RegExp, string, "turn" | "approval" | "call", string][] = [
  [/^approval\.(?!request)/, "approval.request", "approval", "the request"],
  [/^tool\.(claim|result|expire)$/, "tool.call", "call", "the call"],
  [/^turn\.end$/, "turn.start", "turn", "the start of its turn"],
];

/** The delays of entries, by their serials. */
export function delays(entries: readonly Entry[]): Map<string, Delay> {
  const found = new Map<string, Delay>();
  const firsts = new Map<string, Entry>();
  const messages = new Map<string, Entry>();
  let previous: Entry | undefined;
  for (const entry of entries) {
    const cause = causeOf(entry, firsts, messages);
    const since = cause ?? (previous && ([previous, "the entry before"] as const));
    if (since) found.set(entry.serial, { ms: entry.at - since[0].at, since: since[1] });
    for (const [, type, field] of CAUSES) {
      const id = entry[field];
      if (entry.type === type && id !== undefined) firsts.set(`${type} ${id}`, entry);
    }
    if (entry.type === "message.create") {
      messages.set(entry.serial, entry);
      if (entry.turn !== undefined) firsts.set(`said ${entry.turn}`, entry);
    }
    previous = entry;
  }
  return found;
}

function causeOf(
  entry: Entry,
  firsts: ReadonlyMap<string, Entry>,
  messages: ReadonlyMap<string, Entry>,
): readonly [Entry, string] | undefined {
  for (const [pattern, type, field, words] of CAUSES) {
    const first = pattern.test(entry.type) && firsts.get(`${type} ${entry[field]}`);
    if (first) return [first, words];
  }
  if (entry.type === "message.create" && entry.turn !== undefined) {
    const start = firsts.get(`turn.start ${entry.turn}`);
    if (start && !firsts.has(`said ${entry.turn}`)) return [start, "the start of its turn"];
  }
  const message = messages.get(entry.message ?? "");
  if (message && /^message\./.test(entry.type)) return [message, "the message"];
  return undefined;
}
