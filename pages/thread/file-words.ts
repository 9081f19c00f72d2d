// Files as messages name them, in words: each is its sender's word.

/** A file that a message names. */
export interface Named {
  id: string;
  name: string;
  type: string;
  bytes: number;
}

/** More of one message are not shown. */
const MOST = 20;
const MOST_NAME = 200;
/** Images that are shown in place: those that every browser draws, and runs nothing of. */
const IMAGE = /^image\/(png|jpeg|gif|webp|avif)$/;

/** The files of a message: `files` beside its text, or the `file` that a large value has become. */
export function filesIn(data: unknown): readonly Named[] {
  const { files, file } = Object(data) as { files?: unknown; file?: unknown };
  const list: unknown[] = Array.isArray(files) ? files : file === undefined ? [] : [file];
  return list.slice(0, MOST).flatMap((one) => {
    const { id, name, type, bytes } = Object(one) as Record<string, unknown>;
    if (typeof id !== "string" || id === "") return [];
    const named = typeof name === "string" && name !== "" ? name.slice(0, MOST_NAME) : "file";
    return [{ id, name: named, type: String(type), bytes: Number(bytes) || 0 }];
  });
}

export function isImage({ type }: Pick<Named, "type">): boolean {
  return IMAGE.test(type);
}

/** A size, as people say it. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [size, unit] = bytes < 1e6 ? [bytes / 1e3, "KB"] : [bytes / 1e6, "MB"];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}
