// The arguments of a call: JSON that comes in pieces, and the value that it stands for.

/** The value of an input. One that is still text, not replaced by its value, is JSON. */
export function inputOf(data: unknown): unknown {
  const value = typeof data === "string" ? parsed(data) : data;
  return typeof value === "object" ? value : data;
}

/**
 * The rest that is to be said so that JSON of which `told` was said stands for `data`; nothing if
 * it cannot. Spaces between its tokens do not matter.
 */
export function restOfJson(told: string, data: unknown): string | undefined {
  const isText = typeof data === "string" && inputOf(data) !== data;
  if (isText && data.startsWith(told)) return data.slice(told.length);
  const whole = JSON.stringify(inputOf(data) ?? null);
  const plain = told.replace(/("(?:[^"\\]|\\.)*(?:"|$))|\s+/gs, (_, text) => text ?? "");
  if (whole.startsWith(plain)) return whole.slice(plain.length);
  return JSON.stringify(parsed(told)) === whole ? "" : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
