// The demo page as the Worker serves it, in site/: the files of demo/, and the SDK that the
// page imports, in one file.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { inRoot } from "./lib/project.mjs";

const SITE = inRoot("site");

/** Writes what differs alone: `wrangler dev` watches the directory. */
export async function buildSite() {
  mkdirSync(SITE, { recursive: true });
  for (const file of readdirSync(inRoot("demo"))) {
    const [from, to] = [inRoot("demo", file), inRoot("site", file)];
    if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) cpSync(from, to);
  }
  // Imported here, since it may not be installed yet when this file is read.
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [inRoot("sdk", "src", "index.ts")],
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false },
  });
  const sdk = inRoot("site", "sessile.js");
  const [{ text }] = outputFiles;
  if (!existsSync(sdk) || readFileSync(sdk, "utf8") !== text) writeFileSync(sdk, text);
}
