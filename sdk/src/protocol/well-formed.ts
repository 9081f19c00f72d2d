// Text without halves of surrogate pairs, which the protocol does not take (P1.3).

/** The value with U+FFFD for every half of a pair, keys among it; the same value if it has none. */
export function wellFormed<T>(value: T): T {
  return mended(value) as T;
}

function mended(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  if (Array.isArray(value)) {
    const list = value.map(mended);
    return list.some((item, at) => item !== value[at]) ? list : value;
  }
  const fields = Object.entries(value);
  const whole = fields.map(([name, item]) => [name.toWellFormed(), mended(item)]);
  const isSame = whole.every(([name, item], at) => name === fields[at]?.[0] && item === fields[at]?.[1]);
  return isSame ? value : Object.fromEntries(whole);
}
