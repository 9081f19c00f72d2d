// The built Worker that is in this package: `dist/worker`, made by scripts/worker.mjs.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Unable } from "../exits.ts";
import type { Io } from "../io.ts";

export interface Manifest {
  /** The release. */
  version: string;
  /** The version of the rows that sessions are stored in. */
  schema: number;
  compatibilityDate: string;
  /** The version of workerd that it is tested with. */
  workerd: string;
  /** The classes of objects, by their bindings. */
  objects: Record<string, string>;
  /** wrangler's migrations, in order: each makes classes. */
  migrations: readonly { tag: string; classes: readonly string[] }[];
}

export function workerDirectory({ root }: Pick<Io, "root">): string {
  return join(root, "dist", "worker");
}

export function readManifest(io: Pick<Io, "root">): Manifest {
  const path = join(workerDirectory(io), "manifest.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as Manifest;
  throw new Unable(`${path} is missing: in a clone, node scripts/sdk.mjs pack makes it`);
}
