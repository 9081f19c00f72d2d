// The end of a text in Markdown that still grows. Its last line may be half a sign, and would be
// drawn as one thing and a moment later as another: it is held back until it is clear, and a sign
// that is still open is closed.

/** A line of signs alone, which the next characters may turn into anything. */
const SIGNS = /^\s*(?:\d+[.)]?|`{1,2})?[-+*=_#>|:~\s]*$/;

/** A growing text as it can be drawn now, so that later text only adds to it. */
export function settled(text: string): string {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  const fences = lines.filter((line) => /^\s*(```|~~~)/.test(line)).length;
  // Within code every character is itself.
  if (fences % 2 === 1) return /^\s*`{1,2}$/.test(last) ? lines.join("\n") : text;
  // The line that begins code may name its language yet.
  if (/^\s*(```|~~~)/.test(last)) return lines.join("\n");
  if (isHead(lines, last)) return [...lines.slice(0, headOf(lines)), ""].join("\n");
  if (SIGNS.test(last)) return lines.join("\n");
  return [...lines, closed(last)].join("\n");
}

/** The line at which the rows at the end of the text begin. */
function headOf(lines: readonly string[]): number {
  const before = lines.findLastIndex((line) => !line.trimStart().startsWith("|"));
  return before + 1;
}

/** Whether the text ends in the head of a table whose rule is not there yet. */
function isHead(lines: readonly string[], last: string): boolean {
  if (last !== "" && !last.trimStart().startsWith("|")) return false;
  const rows = lines.slice(headOf(lines));
  return rows.length === 1 || (rows.length === 0 && last !== "");
}

/** A line with its open signs closed, or without those that have just begun. */
function closed(line: string): string {
  const shown = line.replace(/(?:\*{1,2}|_|~~?|`|!?\[)$/, "").replace(/!?\[[^\]]*$/, "");
  const plain = shown.replace(/`[^`]*`/g, "");
  if (plain.includes("`")) return `${shown}\``;
  const strong = plain.split("**").length % 2 === 0;
  const rest = plain.replaceAll("**", "");
  const em = (rest.match(/(?<=^|\s)\*(?=\S)|(?<=\S)\*/g) ?? []).length % 2 === 1;
  if (!em && !strong) return shown;
  // A sign behind a space closes nothing.
  return `${shown.trimEnd()}${em ? "*" : ""}${strong ? "**" : ""}`;
}
