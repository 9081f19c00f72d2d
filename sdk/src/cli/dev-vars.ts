// The variables of a local Worker: the nearest `.dev.vars`, upwards from a directory, and what
// `sessile dev` made.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The directory of `sessile dev`, and in it the file of the keys that it made. */
export const LOCAL_DIRECTORY = ".sessile";
export const VARIABLES = "variables";
export const LOCAL_VARIABLES = join(LOCAL_DIRECTORY, VARIABLES);

/** The path of the nearest file; `undefined` if there is none. */
export function findDevVars(from: string, name = ".dev.vars"): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const path = join(at, name);
    if (existsSync(path)) return path;
    if (dirname(at) === at) return undefined;
  }
}

/** The variables of a file of lines `NAME=VALUE`; a value may stand in quotation marks. */
export function parseDevVars(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ""] =
      /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) found[name] = value.replace(/^(["'`])(.*)\1$/, "$2");
  }
  return found;
}

/** The variables of a file; none without one. */
export function readVars(path: string | undefined): Record<string, string> {
  const isThere = path !== undefined && existsSync(path);
  return isThere ? parseDevVars(readFileSync(path, "utf8")) : {};
}

/** The variables of the nearest files, where `.dev.vars` goes before those that were made. */
export function readDevVars(from: string): Record<string, string> {
  return { ...readVars(findDevVars(from, LOCAL_VARIABLES)), ...readVars(findDevVars(from)) };
}
