// Numbers, times and other people's text in words.

const UNITS: readonly [number, string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** A length of time: `3 min`, `1.2 s`, `40 ms`. */
export function span(ms: number): string {
  const length = Math.abs(ms);
  if (length < 1000) return `${Math.round(length)} ms`;
  for (const [unit, name] of UNITS) {
    const count = length / unit;
    if (count < 1) continue;
    return `${count < 10 && unit === 1000 ? count.toFixed(1) : Math.floor(count)} ${name}`;
  }
  return "0 ms";
}

/** How long ago, or in how long. */
export function ago(at: number, now: number): string {
  if (Math.abs(now - at) < 1000) return "just now";
  return at < now ? `${span(now - at)} ago` : `in ${span(at - now)}`;
}

/** How long something has lasted; clocks may differ by a little. */
export function lasted(since: number, now: number): string {
  return span(Math.max(now - since, 0));
}

/** An amount of bytes. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)} KB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** A number of things: `1 entry`, `2 entries`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

const clockOf = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const dayOf = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

/** The time of day, with its milliseconds. */
export function clock(at: number): string {
  return `${clockOf.format(at)}.${String(Math.floor(at) % 1000).padStart(3, "0")}`;
}

/** The day and the time of day. */
export function moment(at: number): string {
  return `${dayOf.format(at)}, ${clock(at)}`;
}

/** Whether two times are of one day. */
export function isSameDay(one: number, other: number): boolean {
  return dayOf.format(one) === dayOf.format(other);
}

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;
const SHOWN_LENGTH = 80;

/** Text of others on one line: what would not be seen is, and it is cut short. */
export function shown(text: string, length = SHOWN_LENGTH): string {
  const plain = text.replace(HIDDEN, (it) => `\\u{${it.codePointAt(0)?.toString(16)}}`);
  const characters = [...plain];
  return characters.length <= length ? plain : `${characters.slice(0, length - 1).join("")}…`;
}

/** A value of others as text on one line. */
export function value(it: unknown, length = SHOWN_LENGTH): string {
  return shown(typeof it === "string" ? it : (JSON.stringify(it) ?? ""), length);
}
