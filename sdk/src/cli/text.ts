// The text of an argument, or of standard input, as the data of a message.

import { Misuse } from "./exits.ts";
import type { Io } from "./io.ts";

/** `-` alone is standard input, without the line end that `echo` adds. */
export async function readText(words: readonly string[], io: Io): Promise<string> {
  const [first] = words;
  const text =
    words.length === 1 && first === "-"
      ? (await io.stdin()).replace(/\r?\n$/, "")
      : words.join(" ");
  if (text === "") throw new Misuse("there is no text: give it, or - for standard input");
  return text;
}

/** JSON of an argument, which `name` names. */
export function readJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Misuse(`${name} is no JSON: ${text.slice(0, 60)}`);
  }
}

/** A whole number of an argument, from `least` to `most`. */
export function readNumber(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new Misuse(`${name} takes ${least} to ${most}, not ${text}`);
  };
}
