// The pages of the package, as Cloudflare's static assets would serve them: which address has which
// file, and what `_headers` and `_redirects` add.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, sep } from "node:path";

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};
const RULES = ["_headers", "_redirects"];

/** All that `pages-worker.js` knows. */
export interface Pages {
  /** Files by the paths of addresses. */
  files: Record<string, { file: string; type: string; etag: string }>;
  /** Headers by patterns, in which `*` stands for anything. */
  headers: { on: string; set: Record<string, string> }[];
  /** Other addresses of the same files, by patterns. */
  rewrites: { from: string; to: string }[];
}

export function readPages(directory: string): Pages {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => name.split(sep).join("/"));
  const files = names
    .filter((name) => !RULES.includes(name))
    .map((name) => [addressOf(name), describe(directory, name)] as const);
  const read = (name: string) =>
    names.includes(name) ? readFileSync(join(directory, name), "utf8") : "";
  return {
    files: Object.fromEntries(files),
    headers: parseHeaders(read("_headers")),
    rewrites: parseRewrites(read("_redirects")),
  };
}

/** `/` for index.html, `/name` for name.html; a file's own name else. */
function addressOf(name: string): string {
  return `/${name.replace(/(^|\/)index\.html$/, "$1").replace(/\.html$/, "")}`;
}

function describe(directory: string, file: string) {
  const content = readFileSync(join(directory, file));
  const type = TYPES[file.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  const etag = `"${createHash("sha256").update(content).digest("hex").slice(0, 32)}"`;
  return { file, type, etag };
}

/** Patterns at the beginning of lines, and below each, indented, its headers. */
export function parseHeaders(text: string): Pages["headers"] {
  const rules: Pages["headers"] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name, value = ""] = /^\s+([^:\s]+):\s*(.*?)\s*$/.exec(line) ?? [];
    const rule = rules.at(-1);
    if (name === undefined) rules.push({ on: line.trim(), set: {} });
    else if (rule !== undefined) rule.set[name] = value;
  }
  return rules;
}

/** Lines `FROM TO 200`: the other codes are not used here. */
export function parseRewrites(text: string): Pages["rewrites"] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, from, to] = /^(\/\S*)\s+(\/\S*)\s+200\s*$/.exec(line) ?? [];
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
}
