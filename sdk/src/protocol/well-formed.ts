// Text as the protocol wants it: well-formed Unicode (P1.3). Half of a surrogate pair, as a cut
// text or a broken paste has it, becomes U+FFFD, since a session refuses the whole frame for it.

/** A lone surrogate as `JSON.stringify` has it: an escape whose backslash is not itself escaped. */
const LONE = /((?<!\\)(?:\\\\)*)\\ud[89a-f]../g;

/** A value as JSON in which all text is well-formed, that of its keys too. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(LONE, "$1\ufffd");
}

/** Deeper than any frame may be (P14): a session refuses what is deeper, and says so. */
const MOST_DEPTH = 200;

/**
 * A value in which all text is well-formed, that of its keys too, as JSON will have it. It is the
 * same object where nothing had to change, and so is each part of it.
 */
export function wellFormed<T>(value: T): T {
  return repair(value, new Set()) as T;
}

function repair(value: unknown, path: Set<object>): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  // A value that holds itself is no JSON, and refused when it becomes one.
  if (path.has(value) || path.size > MOST_DEPTH) return value;
  path.add(value);
  const repaired = repairParts(value, path);
  path.delete(value);
  return repaired;
}

function repairParts(value: object, path: Set<object>): unknown {
  if ("toJSON" in value && typeof value.toJSON === "function") {
    const json = value.toJSON("");
    const repaired = repair(json, path);
    return repaired === json ? value : repaired;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => repair(item, path));
    return items.every((item, at) => Object.is(item, value[at])) ? value : items;
  }
  let isSame = true;
  const entries = Object.entries(value).map(([key, held]) => {
    const entry = [key.toWellFormed(), repair(held, path)] as const;
    isSame &&= entry[0] === key && Object.is(entry[1], held);
    return entry;
  });
  return isSame ? value : Object.fromEntries(entries);
}
