// The arguments of a call: JSON that arrives in pieces, and its value.

/** The value of an input, parsed where it is still JSON text. */
export function inputOf(data: unknown): unknown {
  const value = typeof data === "string" ? parsed(data) : data;
  return typeof value === "object" ? value : data;
}

/**
 * The text that completes `told` to JSON of `data`; `undefined` if none does. White space between
 * tokens does not matter.
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
