// The words of a person to an agent: a text, or a text with files.

/** A file, by what its sender says of it. */
export interface SaidFile {
  name: string;
  type: string;
}

export interface Said {
  text: string;
  files: readonly SaidFile[];
}

const MOST = 10;
const MOST_NAME = 100;

export function saidIn(data: unknown): Said {
  if (typeof data === "string") return { text: data, files: [] };
  const { text, files } = Object(data) as { text?: unknown; files?: unknown };
  const all: unknown[] = Array.isArray(files) ? files.slice(0, MOST) : [];
  const named = all.map((file) => {
    const { name, type } = Object(file) as Record<string, unknown>;
    return { name: String(name).slice(0, MOST_NAME), type: String(type).slice(0, MOST_NAME) };
  });
  return { text: typeof text === "string" ? text : String(data ?? ""), files: named };
}
