// Files in the scripts of the agents: a result that no message holds, and files of people.

import type { SaidFile } from "./said.ts";

/** A size that shows it; and one that a file may have. */
const USUAL_MB = 5;
const MOST_MB = 24;

/** The size that somebody asks for, in megabytes. */
export function megabytesIn(text: string): number {
  const [, asked] = /(\d{1,3})\s*MB/i.exec(text) ?? [];
  return Math.min(MOST_MB, Math.max(1, Number(asked ?? USUAL_MB)));
}

/** A result of a tool, of so many megabytes of JSON. */
export function measured(megabytes: number): object {
  // Each number has as many digits, so that each row is as long.
  const row = (at: number) => ({ at: 100_000 + at, value: 100_000 + ((at * 7919) % 900_000) });
  const each = JSON.stringify(row(0)).length + 1;
  const count = Math.ceil((megabytes * 1_000_000) / each);
  return { rows: Array.from({ length: count }, (_, at) => row(at)) };
}

export function reported(megabytes: number): string {
  return `These are about ${megabytes} MB, more than a message holds, so they are **a file of the \
session**: its message only names it, any device can open it, and it goes with the session. 📎`;
}

/** The answer to files; their names are of people, and are quoted as they are. */
export function seen(files: readonly SaidFile[]): string {
  const names = files.map(({ name, type }) => `- \`${plain(name)}\`, ${plain(type)}`);
  return `I have what you attached:\n\n${names.join("\n")}\n\nA model would be given each by an \
address that works for an hour, or its bytes. 📎`;
}

const plain = (text: string) => text.replace(/[`\s]+/g, " ");
