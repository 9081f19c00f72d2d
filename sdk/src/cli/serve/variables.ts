// The settings of a Worker that is served here: from the environment, from files, or made once.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { KEYS_OF_TOKENS, makeKey, SETTINGS } from "../commands/keys.ts";
import { readVars } from "../dev-vars.ts";
import type { Io } from "../io.ts";

export type Variables = Record<string, string>;

/** A contact that push services want to have; nobody reads what is sent to it. */
const SUBJECT = "mailto:sessile@example.com";

/** The settings in the environment, and those of a file where it has none. */
export function readVariables({ env }: Io, ...files: (string | undefined)[]): Variables {
  const found: Variables = {};
  const places = files.map(readVars);
  for (const { name } of SETTINGS) {
    const value = [env, ...places].map((place) => place[name]).find(Boolean);
    if (value) found[name] = value;
  }
  return found;
}

export function hasKey(variables: Variables): boolean {
  return KEYS_OF_TOKENS.some((name) => variables[name]);
}

/** Makes the keys that are missing, and keeps them in a file; says which it made. */
export function makeKeys(variables: Variables, file: string): readonly string[] {
  const made: Variables = {};
  if (!hasKey(variables)) made.SESSILE_SIGNING_KEY = makeKey("signing");
  if (!variables.SESSILE_VAPID_KEY) {
    made.SESSILE_VAPID_KEY = makeKey("vapid");
    if (!variables.SESSILE_VAPID_SUBJECT) made.SESSILE_VAPID_SUBJECT = SUBJECT;
  }
  const lines = Object.entries(made).map(([name, value]) => `${name}=${value}\n`);
  if (lines.length > 0) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, lines.join(""), { flag: "a", mode: 0o600 });
  }
  Object.assign(variables, made);
  return Object.keys(made);
}
