// A wrangler project: where its files are, and how the package is reached from them.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { isOurs } from "./config.ts";

/** The folder of the Worker's own file. */
export const FOLDER = "sessile";
export const CONFIG = "wrangler.toml";
/** The names that wrangler looks for. */
const CONFIGS = ["wrangler.json", "wrangler.jsonc", CONFIG];

export const WORKER = `// The Worker of the package sessile. To serve addresses of your own,
// export a class that extends its default one.
export * from "sessile/worker";
export { default } from "sessile/worker";
`;

export interface Project {
  /** The path of the config that is ours, and its text, where there is one. */
  config: string;
  text?: string;
  /** The config of another Worker in the same directory. */
  other?: string;
}

/** The config lies in the directory itself, unless another Worker's is there. */
export function findProject(directory: string): Project {
  const beside = join(directory, FOLDER, CONFIG);
  const other = CONFIGS.map((name) => join(directory, name)).find((path) => existsSync(path));
  const text = other === undefined ? "" : readFileSync(other, "utf8");
  if (other?.endsWith(CONFIG) && isOurs(text)) return { config: other, text };
  if (existsSync(beside)) {
    return { config: beside, text: readFileSync(beside, "utf8"), ...(other && { other }) };
  }
  if (other === undefined) return { config: join(directory, CONFIG) };
  return { config: beside, other };
}

/**
 * The package as the project reaches it, upwards from a directory: the link in node_modules, which
 * stays where a package manager keeps the files in a directory for each version.
 */
export function findPackage(directory: string, name = "sessile"): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const path = join(at, "node_modules", name);
    if (existsSync(join(path, "package.json"))) return path;
    if (dirname(at) === at) return undefined;
  }
}

export function versionOf(path: string): string {
  return JSON.parse(readFileSync(join(path, "package.json"), "utf8")).version;
}

/** A path as wrangler's configuration has it. */
export function pathFrom(config: string, path: string): string {
  return relative(dirname(config), path).split(sep).join("/");
}
