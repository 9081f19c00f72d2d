// PROTOCOL.md in pieces: each rule by itself, so that an address can name it (`/protocol#P6.8`).

/** A rule, or the text between rules. */
export interface Piece {
  /** The rule's number. */
  rule: string | undefined;
  text: string;
}

export interface Chapter {
  /** `P6`; absent for what stands before the first. */
  id: string | undefined;
  title: string;
  pieces: Piece[];
}

const CHAPTER = /^## ((P\d+)\. .*)$/;
const RULE = /^- (P\d+\.\d+) /;

/** The chapters of the protocol's text. */
export function chaptersOf(text: string): Chapter[] {
  const first: Chapter = { id: undefined, title: "", pieces: [] };
  const chapters = [first];
  for (const line of readable(text).split("\n")) {
    const chapter = CHAPTER.exec(line);
    const { pieces } = chapters.at(-1) ?? first;
    if (chapter) {
      chapters.push({ id: chapter[2], title: chapter[1] ?? "", pieces: [] });
      continue;
    }
    const rule = RULE.exec(line)?.[1];
    const last = pieces.at(-1);
    // A rule goes on as long as its lines are indented.
    const isMore = last !== undefined && rule === undefined;
    if (isMore && (last.rule === undefined || /^( |$)/.test(line))) last.text += `\n${line}`;
    else pieces.push({ rule, text: rule ? line.slice(2) : line });
  }
  for (const { pieces } of chapters) {
    for (const piece of pieces) if (piece.rule) piece.text = outdented(piece.text);
  }
  return chapters;
}

function outdented(text: string): string {
  return text.replaceAll("\n  ", "\n");
}

/** Links into the repository lead nowhere from here: their words stay. */
function readable(text: string): string {
  return text
    .replace(/ ?\(\[why\]\([^)]*\)\)/g, "")
    .replace(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, "$1");
}
