// The frames of a WebSocket message as they came, to the byte (P13.6).

/** The text of each frame: the message itself, or the items of its array. */
export function framesIn(text: string): string[] {
  if (!/^\s*\[/.test(text)) return [text];
  const frames: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const it = text[at];
    if (it === '"') at = endOfText(text, at);
    else if (it === "{" || it === "[") {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if (it === "}" || it === "]") depth -= 1;
    if ((depth === 1 && it === ",") || (depth === 0 && it === "]")) {
      frames.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return frames.filter((frame) => frame !== "");
}

/** The closing quotation mark of the text that begins here. */
function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

const encoder = new TextEncoder();

/** Bytes of UTF-8. */
export function bytesOf(text: string): number {
  return encoder.encode(text).length;
}
