// The variables of a local Worker: the nearest `.dev.vars`, upwards from a directory.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The path of the nearest file; `undefined` if there is none. */
export function findDevVars(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const path = join(at, ".dev.vars");
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

/** The variables of the nearest file, none where there is no such file. */
export function readDevVars(from: string): Record<string, string> {
  const path = findDevVars(from);
  return path === undefined ? {} : parseDevVars(readFileSync(path, "utf8"));
}
