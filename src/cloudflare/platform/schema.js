// Values judged by schemas that `src/protocol/schema` has read, by `@cfworker/json-schema`.

import { dereference, validate } from "@cfworker/json-schema";

/** The schema read last, since one is often asked for many values: its text, and what it became. */
let last;
/** What is left of the steps of the check at hand, and what its value makes some of them cost. */
let steps = 0;
let widest = 0;
let hasLongName = false;

class Exhausted extends Error {}
class LongName extends Error {}

/** Steps of a word that is slow: one text and a pattern, one list and `uniqueItems`. */
const SLOW_STEPS = 1_024;
/** Characters of an `enum` or a `const` that one step compares or quotes. */
const COMPARED = 16;

/**
 * A schema with a meter in every schema within. The validator reads `$recursiveRef`, a word of an
 * older draft, whenever it applies a schema: reading it takes the steps that this may cost.
 */
function metered(_name, value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  let cost = 1;
  let costPerKey = 0;
  for (const keyword of Object.keys(value)) {
    const held = value[keyword];
    if (keyword === "enum" || keyword === "const") {
      cost += JSON.stringify(held).length / COMPARED;
    } else if (keyword === "$comment") {
      cost += SLOW_STEPS;
    } else if (keyword === "patternProperties") {
      costPerKey += Object.keys(held).length;
    } else if (held !== null && typeof held === "object") {
      cost += Object.keys(held).length;
    }
  }
  Object.defineProperty(value, "$recursiveRef", {
    get() {
      if (costPerKey > 0 && hasLongName) throw new LongName();
      steps -= cost + costPerKey * widest;
      if (steps < 0) throw new Exhausted();
      return undefined;
    },
  });
  return value;
}

function read(text) {
  if (last?.text !== text) {
    const schema = JSON.parse(text, metered);
    steps = Number.POSITIVE_INFINITY; // This reads the words as well.
    last = { text, schema, lookup: dereference(schema) };
  }
  return last;
}

/** The first pattern that is none to JavaScript, as JSON; nothing if all are. */
export function admit(text) {
  let breach;
  const visit = (schema, path) => {
    if (schema === null || typeof schema !== "object" || breach) return;
    const patterns = Object.keys(schema.patternProperties ?? {}).map((it) => [
      `${path}/patternProperties/${escaped(it)}`,
      it,
    ]);
    if (typeof schema.pattern === "string") patterns.push([`${path}/pattern`, schema.pattern]);
    for (const [at, pattern] of patterns) {
      try {
        new RegExp(pattern, "u");
      } catch (error) {
        breach ??= { path: at, reason: `its pattern is not one of JavaScript: ${error.message}` };
      }
    }
    for (const [key, held] of Object.entries(schema)) {
      if (key !== "enum" && key !== "const") visit(held, `${path}/${escaped(key)}`);
    }
  };
  visit(JSON.parse(text), "");
  return breach && JSON.stringify(breach);
}

/** Everything that breaks the schema as JSON: a list of `{path, reason}`, empty if nothing does. */
export function check(schemaText, valueText, stepsMax, breachesMax, reasonLength, nameLength) {
  const whole = (reason) => JSON.stringify([{ path: "", reason }]);
  try {
    const { schema, lookup } = read(schemaText);
    widest = 0;
    hasLongName = false;
    const value = JSON.parse(valueText, (name, part) => {
      hasLongName ||= name.length > nameLength;
      if (part !== null && typeof part === "object" && !Array.isArray(part)) {
        widest = Math.max(widest, Object.keys(part).length);
      }
      return part;
    });
    steps = stepsMax;
    const { errors } = validate(value, schema, "2020-12", lookup, false);
    return JSON.stringify(breachesOf(errors, breachesMax, reasonLength));
  } catch (error) {
    if (error instanceof LongName) {
      return whole(
        `a name in it is longer than the ${nameLength} characters matched with patterns`,
      );
    }
    if (error instanceof Exhausted) return whole(`checking it takes more than ${stepsMax} steps`);
    // JavaScript's stack: no other error comes of a schema that was read and admitted.
    return whole("it has too many parts within each other to be checked");
  }
}

/** Errors that say only that there are others below them. */
const ABOUT_OTHERS = new Set([
  "$ref",
  "allOf",
  "items",
  "prefixItems",
  "properties",
  "patternProperties",
  "additionalProperties",
  "unevaluatedProperties",
  "unevaluatedItems",
  "dependentSchemas",
  "if",
]);

function breachesOf(errors, breachesMax, reasonLength) {
  const found = new Map();
  const say = (list) => {
    for (const { instanceLocation, keyword, error } of list) {
      if (found.size >= breachesMax) return;
      const path = instanceLocation.slice(1);
      const said = keyword === "false" ? "Nothing is allowed here." : error;
      const reason = said.length > reasonLength ? `${said.slice(0, reasonLength - 1)}…` : said;
      found.set(`${path} ${reason}`, { path, reason });
    }
  };
  say(errors.filter((it) => !ABOUT_OTHERS.has(it.keyword)));
  if (found.size === 0) say(errors);
  return [...found.values()];
}

function escaped(name) {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
