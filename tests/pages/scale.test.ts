// docs/scale.md quotes what its scripts print.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blocksOf, isPrinted } from "../support/pages.ts";
import { ROOT } from "../support/server.ts";

const SCRIPTS = "bench/scale";
/** Files that scripts share. */
const SHARED = ["table.ts", "inbox-bounds.ts"];

const blocks = blocksOf(readFileSync(join(ROOT, "docs", "scale.md"), "utf8"));
const quoted = blocks.flatMap(({ code }, at) => {
  const file = /^node (bench\/scale\/\S+)$/.exec(code.trim())?.[1];
  return file === undefined ? [] : [{ file, prints: blocks[at + 1]?.code ?? "" }];
});

test("every simulation is quoted", () => {
  const files = readdirSync(join(ROOT, SCRIPTS)).filter((name) => !SHARED.includes(name));
  const names = quoted.map(({ file }) => file);
  assert.deepEqual(names.toSorted(), files.map((name) => `${SCRIPTS}/${name}`).toSorted());
});

for (const { file, prints } of quoted) {
  test(`${file} prints what the page says`, () => {
    const printed = execFileSync(process.execPath, [join(ROOT, file)], { encoding: "utf8" });
    assert.ok(isPrinted(printed, prints), `${printed}\nis not\n${prints}`);
  });
}

test("the bounds of an inbox are those of the protocol", () => {
  const limits = readFileSync(join(ROOT, "src/protocol/limits.rs"), "utf8");
  assert.match(limits, /INBOX_OPEN: usize = 10_000;/);
  const shared = readFileSync(join(ROOT, SCRIPTS, "inbox-bounds.ts"), "utf8");
  assert.match(shared, /INBOX_OPEN = 10_000;/);
});
