// Plain tokens of an identity provider: `SESSILE_CLAIMS` says which of their claims give which
// capabilities (P2.9). A claim may be its owner's own choice of text, so that a value never widens
// a pattern: see `fill`.

/** Rules of a deployment: each is looked at for each token without `caps`. */
const RULES = 100;
/** Characters of a session's id. A longer pattern matches none. */
const SESSION_ID_LENGTH = 128;
const FORM = "SESSILE_CLAIMS is not a list of {claim?, equals? | has?, caps}";

/** The text of the rules that were read, and the rules: they do not change in an isolate. */
let [known, rules] = ["", []];

/**
 * Checks the rules, and returns claims that have the caps of one of them, for the reader of tokens
 * to check its patterns and words; nothing after the last. Throws an error that names a wrong rule.
 */
export function sample(text, index) {
  if (index === 0) check(text);
  const rule = rules[index];
  if (rule === undefined) return undefined;
  return JSON.stringify({ sub: "x", exp: 1e9, caps: filled([rule], () => "x") });
}

/**
 * The claims with the caps that the rules give; as they are if they have caps. Of a stranger's
 * words, a role is none of ours, and a name is left out unless it is kept.
 */
export function map(text, json, keepsName) {
  if (text !== known) check(text);
  const claims = JSON.parse(json);
  if (Object.hasOwn(claims, "caps")) return json;
  const met = rules.filter((rule) => isMet(rule, claims));
  const { role: _, name, ...rest } = claims;
  const caps = filled(met, (claim) => textOf(own(claims, claim)));
  return JSON.stringify({ ...rest, ...(keepsName && { name }), caps });
}

function check(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error(FORM);
  }
  if (!Array.isArray(read)) throw new Error(FORM);
  if (RULES < read.length) throw new Error(`SESSILE_CLAIMS has more than ${RULES} rules`);
  read.forEach((rule, index) => {
    const wrong = isObject(rule) ? mistake(rule) : "is no object";
    if (wrong !== undefined) throw new Error(`SESSILE_CLAIMS: the rule [${index}] ${wrong}`);
  });
  [known, rules] = [text, read];
}

function mistake({ claim, equals, has, caps, ...rest }) {
  const [other] = Object.keys(rest);
  if (other !== undefined) return `has the unknown field ${JSON.stringify(other)}`;
  const isPath = Array.isArray(claim) && 0 < claim.length && claim.every(isText);
  const isValue = equals !== undefined && (equals === null || typeof equals !== "object");
  const isOne = (isText(claim) || isPath) && (isValue ? has === undefined : isText(has));
  const isNone = claim === undefined && equals === undefined && has === undefined;
  if (!isNone && (!isOne || (equals !== undefined && !isValue))) {
    return "needs a claim, and what it equals or has, or none of these";
  }
  if (!isObject(caps)) return "has no caps, an object from session patterns to lists of words";
  for (const [pattern, words] of Object.entries(caps)) {
    if (!Array.isArray(words) || !words.every(isText)) {
      return `has no list of words for ${JSON.stringify(pattern)}`;
    }
    // A place ends where no value can: before a character that a value there does not have.
    if (/[{}]/.test(pattern.replace(/\{[^{}]+\}(?=[._:-]|$)/g, ""))) {
      return (
        `has the pattern ${JSON.stringify(pattern)}; a claim's place, such as {sub}, is followed ` +
        "by one of . _ : - or nothing"
      );
    }
  }
  return undefined;
}

const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** A claim, and nothing that objects inherit. */
const own = (value, name) =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

function isMet({ claim, equals, has }, claims) {
  if (claim === undefined) return true;
  const value = (isText(claim) ? [claim] : claim).reduce(own, claims);
  if (has === undefined) return value === equals;
  const list = isText(value) ? value.split(" ") : value;
  return Array.isArray(list) && list.includes(has);
}

/** The patterns of rules with a token's values in their places, and the words of each. */
function filled(rules, valueIn) {
  const caps = new Map();
  for (const [pattern, words] of rules.flatMap((rule) => Object.entries(rule.caps))) {
    const name = fill(pattern, valueIn);
    if (name !== undefined) caps.set(name, [...new Set([...(caps.get(name) ?? []), ...words])]);
  }
  return Object.fromEntries(caps);
}

/**
 * A pattern with values in the place of `{claim}`; nothing if the token lacks one. Letters and
 * digits stay, and of `. _ : -` those that do not follow the place; any other byte is `~` and two
 * hexadecimal digits. So no value has a `*`, none reads like another one, and none is the beginning
 * of another one's sessions.
 */
function fill(pattern, valueIn) {
  let isWhole = true;
  const text = pattern.replace(/\{([^{}]+)\}(.?)/g, (_, claim, end) => {
    const value = valueIn(claim);
    isWhole &&= value !== undefined;
    const bytes = [...new TextEncoder().encode(value ?? "")];
    const stays = (char) => /[A-Za-z0-9._:-]/.test(char) && char !== end;
    const hex = (byte) => `~${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    const written = bytes.map((byte) => {
      const char = String.fromCharCode(byte);
      return stays(char) ? char : hex(byte);
    });
    return written.join("") + end;
  });
  const fits = text.replace(/\*+$/, "").length <= SESSION_ID_LENGTH;
  return isWhole && fits ? text : undefined;
}

/** The text of a claim that may stand in a pattern. */
function textOf(claim) {
  if (isText(claim) && claim !== "") return claim;
  return Number.isSafeInteger(claim) && 0 <= claim ? String(claim) : undefined;
}
