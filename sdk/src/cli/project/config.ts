// The wrangler.toml of somebody's project: written once, and afterwards only added to, since names,
// routes, variables and comments in it are theirs.

import type { Manifest } from "../serve/manifest.ts";

/** The first line: the release that the file was written for, and the rows of its sessions. */
const RECORD = /^# Sessile (\S+), schema (\d+)\b.*$/m;

export interface Place {
  /** The path of the Worker's file, from the config's directory. */
  main: string;
  /** The same of the pages. */
  assets: string;
}

export function isOurs(text: string): boolean {
  return RECORD.test(text) || classesIn(text).includes("SessionObject");
}

/** The release that a config was written for; schema 0 if it says none. */
export function recordOf(text: string): { version: string; schema: number } {
  const [, version = "an unknown release", schema = "0"] = RECORD.exec(text) ?? [];
  return { version, schema: Number(schema) };
}

function record({ version, schema }: Manifest): string {
  return `# Sessile ${version}, schema ${schema}: a record for \`npx sessile upgrade\`.`;
}

/** The whole of a new config. */
export function newConfig(manifest: Manifest, name: string, { main, assets }: Place): string {
  const objects = Object.entries(manifest.objects).map(binding).join("");
  return `${record(manifest)}
name = ${JSON.stringify(name)}
main = ${JSON.stringify(main)}
compatibility_date = ${JSON.stringify(manifest.compatibilityDate)}

[build]
# Before each deployment: whether this file fits the installed package.
command = "npx sessile upgrade --check"

[assets]
# The pages. Without this table the Worker serves none.
directory = ${JSON.stringify(assets)}
binding = "ASSETS"
run_worker_first = ["/v1/*"]
${objects}${manifest.migrations.map(migration).join("")}
# Settings go below [vars], and secrets to \`npx wrangler secret put\`: \`npx sessile keys list\`.
`;
}

function binding([name, className]: [string, string]): string {
  return `
[[durable_objects.bindings]]
name = "${name}"
class_name = "${className}"
`;
}

function migration({ tag, classes }: Manifest["migrations"][number]): string {
  return `
[[migrations]]
tag = "${tag}"
new_sqlite_classes = [${classes.map((name) => `"${name}"`).join(", ")}]
`;
}

/** The lines that wrangler reads. */
function withoutComments(text: string): string {
  return text.replace(/^\s*#.*$/gm, "");
}

/** The classes that migrations have made. */
export function classesIn(text: string): string[] {
  const lists = withoutComments(text).matchAll(/new_sqlite_classes\s*=\s*\[([^\]]*)\]/g);
  return [...lists].flatMap(([, list = ""]) =>
    [...list.matchAll(/["'](\w+)["']/g)].map(([, name = ""]) => name),
  );
}

/** The value of a key that stands before every table. */
export function topLevel(text: string, key: string): string | undefined {
  const [top = ""] = withoutComments(text).split(/^\s*\[/m);
  return new RegExp(`^\\s*${key}\\s*=\\s*["'](.*)["']`, "m").exec(top)?.[1];
}

export function setsVariable(text: string, name: string): boolean {
  return new RegExp(`^\\s*${name}\\s*=`, "m").test(withoutComments(text));
}

export interface Plan {
  text: string;
  /** The changes that the installed package needs, in words. */
  changes: string[];
}

/** A config that is brought to a release, at which nothing of it is lost. */
export function plan(before: string, manifest: Manifest): Plan {
  const changes: string[] = [];
  let text = before;
  const { schema } = recordOf(before);
  if (schema !== manifest.schema) changes.push(`sessions are stored in schema ${manifest.schema}`);
  const line = record(manifest);
  text = RECORD.test(text) ? text.replace(RECORD, () => line) : `${line}\n${text}`;
  const date = topLevel(before, "compatibility_date");
  if (date !== undefined && date < manifest.compatibilityDate) {
    changes.push(`compatibility_date ${manifest.compatibilityDate}, it was ${date}`);
    text = text.replace(/^(\s*compatibility_date\s*=\s*)["'].*["']/m, (_, key) => {
      return `${key}"${manifest.compatibilityDate}"`;
    });
  }
  const add = (piece: string, change: string) => {
    text = `${text.trimEnd()}\n${piece}`;
    changes.push(change);
  };
  for (const [name, className] of Object.entries(manifest.objects)) {
    const has = new RegExp(`class_name\\s*=\\s*["']${className}["']`);
    if (!has.test(withoutComments(before))) {
      add(binding([name, className]), `the binding ${name} of ${className}`);
    }
  }
  const made = classesIn(before);
  for (const { tag, classes } of manifest.migrations) {
    const missing = classes.filter((name) => !made.includes(name));
    if (missing.length === 0) continue;
    add(migration({ tag, classes: missing }), `the migration ${tag}, for ${missing.join(", ")}`);
  }
  return { text, changes };
}

/** The classes of this package's migrations that a release does not have. */
export function lostClasses(text: string, manifest: Manifest): string[] {
  const known = manifest.migrations.flatMap(({ classes }) => classes);
  const blocks = withoutComments(text).split(/^\s*\[\[/m);
  const own = blocks.filter((block) => /^\s*tag\s*=\s*["']sessile-/m.test(block));
  return own.flatMap(classesIn).filter((name) => !known.includes(name));
}
