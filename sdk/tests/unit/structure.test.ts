// The structure of the SDK: no file imports itself by way of others, types too, and each folder
// imports from the floors below it alone.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { describe, test } from "node:test";

const SOURCE = join(import.meta.dirname, "..", "..", "src");

/** The folders, the lowest first, and the ones that each may import from. */
const FLOORS: Record<string, readonly string[]> = {
  // The words of the protocol.
  protocol: [],
  // One connection machine with two shells, for pages and agents.
  connection: ["protocol"],
  // The fold of frames, and the tree of branches: a log as pages and agents both see it.
  log: ["protocol"],
  // Which messages are one answer, and whose word counts: for the adapters.
  answer: ["protocol"],
  // A session in a page.
  client: ["protocol", "connection", "log"],
  // An inbox in a page: of a session's it shows decisions alike.
  inbox: ["protocol", "connection", "client"],
  // Files of a session, for pages and agents: of a page's session only how it is extended.
  files: ["protocol", "connection", "client"],
  // The even pace of growing text in a page, for hooks and adapters.
  pace: ["protocol", "connection", "client"],
  // A session in an agent, which carries nothing of a page's.
  agent: ["protocol", "connection", "log"],
  // Answers of agents that wait for people: for the adapters.
  runs: ["protocol", "answer", "agent"],
  // Wakings of agents that are not there, an inbox's work among them.
  wake: ["protocol", "agent", "inbox"],
  // Notifications: a browser as a device, and its service worker.
  push: ["protocol", "connection"],
  // Adapters: none knows another.
  react: ["protocol", "connection", "client", "inbox", "pace"],
  "ai-sdk": ["protocol", "connection", "answer", "client", "files", "agent", "runs", "pace"],
  tanstack: ["protocol", "answer", "client", "agent", "runs", "pace"],
  // A session layer inside a test, which knows it from outside.
  testing: ["protocol"],
  // The command line: on the package's first entry, and on tokens as tests make them.
  cli: ["", "testing"],
  // `index.ts`, the package's first entry.
  "": ["protocol", "connection", "log", "client"],
};

/** The files that each file imports, by paths below `src`. */
type Imports = ReadonlyMap<string, readonly string[]>;

function importsIn(files: ReadonlyMap<string, string>): Imports {
  const found = new Map<string, string[]>();
  for (const [file, text] of files) {
    const imported = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)];
    const paths = imported.map(([, path = ""]) => normalize(join(dirname(file), path)));
    found.set(file, [...new Set(paths)]);
  }
  return found;
}

/** A way from a file back to itself, if there is one. */
function circleIn(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    done.add(file);
    way.push(file);
    for (const next of imports.get(file) ?? []) {
      const circle = visit(next);
      if (circle) return circle;
    }
    way.pop();
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return undefined;
}

/** Imports from a floor that is not below. */
function breachesIn(imports: Imports): string[] {
  const floorOf = (file: string) => (file.includes(sep) ? (file.split(sep)[0] ?? "") : "");
  return [...imports].flatMap(([file, imported]) => {
    const floor = floorOf(file);
    const allowed = FLOORS[floor];
    if (!allowed) return [`${file} is on no floor: give ${floor} its place in FLOORS`];
    const isBelow = (it: string) => floorOf(it) === floor || allowed.includes(floorOf(it));
    return imported.filter((it) => !isBelow(it)).map((it) => `${file} imports ${it}`);
  });
}

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => [file, readFileSync(join(SOURCE, file), "utf8")] as const);
const imports = importsIn(new Map(files));

describe("the structure of the SDK", () => {
  test("no file imports itself by way of others", () => {
    assert.ok([...imports.values()].flat().length > 200, "the imports were found");
    for (const path of [...imports.values()].flat()) assert.ok(imports.has(path), path);
    assert.equal(circleIn(imports)?.join(" → "), undefined);
  });

  test("each folder imports from the floors below it alone", () => {
    assert.deepEqual(breachesIn(imports), []);
    const folders = [...imports.keys()].filter((it) => it.includes(sep)).map((it) => dirname(it));
    for (const floor of Object.keys(FLOORS)) {
      assert.ok(floor === "" || folders.includes(floor), `there is no folder ${floor}`);
    }
  });

  test("a circle of types, and an import from above, are found", () => {
    const [one, two, three] = ["one", "two", "three"].map((name) => join("log", `${name}.ts`));
    const made = importsIn(
      new Map([
        [one ?? "", 'import type { Two } from "./two.ts";'],
        [two ?? "", 'export { type Three } from "./three.ts";\nimport "../client/session.ts";'],
        [three ?? "", 'const one = await import("./one.ts");'],
        [join("attic", "box.ts"), ""],
      ]),
    );
    assert.deepEqual(circleIn(made), [one, two, three, one]);
    assert.deepEqual(breachesIn(made), [
      `${two} imports ${join("client", "session.ts")}`,
      `${join("attic", "box.ts")} is on no floor: give attic its place in FLOORS`,
    ]);
  });
});
