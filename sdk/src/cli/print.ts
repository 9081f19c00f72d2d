// Text for people: tables, colours, and no control characters of others.

import type { Io } from "./io.ts";

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] };

export type Style = keyof typeof STYLES;

/** No colour without a terminal, nor where `NO_COLOR` is set (https://no-color.org). */
export function styled({ isTty, env }: Pick<Io, "isTty" | "env">, style: Style, text: string) {
  if (!isTty || env.NO_COLOR || text === "") return text;
  const [on, off] = STYLES[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** Controls, and characters that reverse what follows them. */
const UNSAFE = /[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;

/** Text of others, which must not move the cursor, set the title or hide what it says. */
export function safe(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNSAFE, (it) => {
    if (it === "\n" || it === "\t") return it;
    return `\\u${(it.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}

/** The same in one line of at most `most` characters. */
export function oneLine(value: unknown, most = 60): string {
  const text = safe(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  const characters = [...text.replace(/\s+/g, " ").trim()];
  return characters.length > most
    ? `${characters.slice(0, most - 1).join("")}…`
    : characters.join("");
}

/** Rows below their names, in columns as wide as they have to be. */
export function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [names.map((name) => name.toUpperCase()), ...rows];
  const widths = names.map((_, at) => Math.max(...all.map((row) => [...(row[at] ?? "")].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - [...cell].length))
      .join("  ")
      .trimEnd();
  return `${all.map(line).join("\n")}\n`;
}

/** A time in UTC, to the second; `-` where there is none. */
export function time(at: number | undefined): string {
  return at === undefined ? "-" : `${new Date(at).toISOString().slice(0, 19)}Z`;
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** `1 turn`, `2 turns`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
