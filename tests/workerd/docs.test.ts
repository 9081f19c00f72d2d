// The pages of `docs/` do what they say: their blocks are run, in order, as a reader would.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { before, test } from "node:test";
import { type Block, blocksOf, isPrinted, Walk } from "../support/pages.ts";
import { ROOT } from "../support/server.ts";
import { within } from "../support/wait.ts";

const ACCOUNT = "it needs an account of Cloudflare";
const PART = "it is a part of wrangler.toml, which nothing runs";
const PROJECT = "sdk/tests/cli/workerd/ does the same in folders of its own";
const SIMULATED = "tests/pages/scale.test.ts compares it";
const ELSEWHERE = "it is a deployment's; the same is run in";

/** Blocks that are not run, by what they begin with, and why not. */
const NOT_RUN: Record<string, [begins: string, why: string][]> = {
  "backups.md": [
    ['import { DurableObject } from "cloudflare:workers";', "workerd has no such history"],
    ['curl "https://HOST/restore?session=', "workerd has no such history"],
  ],
  "erasure.md": [["grep -rla", "its objects sleep later; erasure.test.ts greps the files"]],
  "keys.md": [["[vars]", PART]],
  "first-session.md": [["npm init -y", "the folder has it; cli's tests install the package"]],
  "deploy.md": [
    ["npm install sessile && npm install --save-dev wrangler", `${ACCOUNT}; ${PROJECT}`],
    ["import Sessile, { InboxObject, SessionObject }", PROJECT],
    ["npm run setup                                  # installs the tools", ACCOUNT],
    ["npm install sessile", PROJECT],
    ["[vars]", PART],
    ['import { SignJWT } from "jose";', `${ELSEWHERE} docs/use-chat.md`],
    ['curl -X PATCH "https://HOST/v1/sessions/support-4711" \\', `${ELSEWHERE} docs/security.md`],
    ["npx wrangler secret put SESSILE_WEBHOOK_SECRETS ", ACCOUNT],
    ["[vars]", PART],
    [
      'import { Webhook } from "standardwebhooks";',
      "it stands in a route; hooks.test.ts verifies so",
    ],
    ["[[queues.producers]]", PART],
    ["[[r2_buckets]]", PART],
  ],
  "monitoring.md": [
    ['{"event":"turn.end",', "it is a line of the log; milestones.test.ts reads such"],
    ["[[analytics_engine_datasets]]", PART],
    ["SELECT toStartOfInterval(", ACCOUNT],
    ["SELECT blob9 AS target", ACCOUNT],
  ],
  "scale.md": [
    ["node bench/scale/month.ts", SIMULATED],
    ["sessions", SIMULATED],
    ["node bench/scale/storm.ts", SIMULATED],
    ["busiest second", SIMULATED],
    ["node bench/scale/relays.ts", SIMULATED],
    ["objects", SIMULATED],
    ["node bench/scale/inboxes.ts", SIMULATED],
    ["an hour", SIMULATED],
  ],
  "upgrading.md": [
    ["npm update sessile", `${ACCOUNT}; ${PROJECT}`],
    ["npm install sessile@0.1.0", `${ACCOUNT}; ${PROJECT}`],
  ],
  "push.md": [
    ["npx sessile keys make vapid", `${ACCOUNT}; push-config.test.ts runs its beginning`],
    ["[vars]", PART],
    ["npx wrangler secret put SESSILE_FCM_ACCOUNT < account.json", ACCOUNT],
    ["npx wrangler secret put SESSILE_APNS_KEY < AuthKey_ABCDE12345.p8", ACCOUNT],
    ["[vars]", PART],
    ["{", "it is JSON, the form of a notice; push-apps.test.ts reads such"],
  ],
};

/** Blocks whose lines `sdk/tests/cli/workerd/docs.test.ts` runs, each by itself. */
function isCommandLine({ code }: Block): boolean {
  return code
    .trim()
    .split("\n")
    .every((line) => line.includes("npx sessile "));
}

const DOCS = join(ROOT, "docs");
const PAGES = readdirSync(DOCS).filter((name) => name.endsWith(".md"));

/** Everything that people read. */
const WRITTEN = globSync(
  ["*.md", "{docs,examples,tests,bench}/**/*.md", "sdk/*.md", "sdk/src/**/*.md"],
  { cwd: ROOT, exclude: (name) => name.includes("node_modules") },
);

function read(page: string): Block[] {
  return blocksOf(readFileSync(join(DOCS, page), "utf8"));
}

function begins({ code }: Block): string {
  return code.trim().split("\n")[0] ?? "";
}

before(async () => {
  const built = spawn(process.execPath, [join(ROOT, "scripts", "sdk.mjs"), "build"]);
  const done = new Promise((resolve) => built.once("exit", resolve));
  assert.equal(await within(done, "the build of the SDK", 120_000), 0);
});

test("each block is run, or it is said why not", () => {
  for (const page of PAGES) {
    const blocks = read(page).filter((block) => page !== "cli.md" || !isCommandLine(block));
    const idle = blocks.filter(({ does }) => does.length === 0);
    const listed = (NOT_RUN[page] ?? []).map(([start]) => start);
    const starts = idle.map((block, at) => {
      const start = listed[at];
      return start !== undefined && begins(block).startsWith(start) ? start : begins(block);
    });
    assert.deepEqual(starts, listed, `docs/${page}`);
  }
  assert.deepEqual(
    Object.keys(NOT_RUN).filter((page) => !PAGES.includes(page)),
    [],
  );
});

test("links lead somewhere, and every page of docs/ is in its index", () => {
  assert.ok(WRITTEN.includes("README.md") && WRITTEN.includes("docs/README.md"));
  const linked = new Set<string>();
  const dead: string[] = [];
  for (const from of WRITTEN) {
    const text = readFileSync(join(ROOT, from), "utf8");
    for (const [, to = ""] of text.matchAll(/\]\((?!https?:|mailto:)([^)\s]*)\)/g)) {
      const [path = "", anchor] = to.split("#");
      const file = path === "" ? join(ROOT, from) : join(ROOT, dirname(from), path);
      if (from === "docs/README.md") linked.add(path);
      if (!existsSync(file) || !hasAnchor(file, anchor)) dead.push(`${from} links to ${to}`);
    }
  }
  assert.deepEqual(dead, []);
  const lost = PAGES.filter((name) => name !== "README.md" && !linked.has(name));
  assert.deepEqual(lost, []);
});

/** Whether a page has a heading of an anchor, as GitHub makes it. */
function hasAnchor(file: string, anchor: string | undefined): boolean {
  if (anchor === undefined) return true;
  return [...readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm)].some(([, title = ""]) => {
    const text = title.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    return text.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-") === anchor;
  });
}

test("pictures are those of scripts/pictures.mjs, and each is shown", async () => {
  const { PICTURES } = await import(join(ROOT, "scripts", "pictures.mjs"));
  const folder = join(DOCS, "pictures");
  const shown = WRITTEN.flatMap((from) => {
    const text = readFileSync(join(ROOT, from), "utf8");
    const named = [...text.matchAll(/(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)/g)];
    return named.map(([, tag, line]) => join(ROOT, dirname(from), tag ?? line ?? ""));
  });
  const ours = shown.filter((path) => path.startsWith(folder)).map((path) => basename(path));
  assert.deepEqual([...new Set(ours)].sort(), [...PICTURES].sort());
  assert.deepEqual(readdirSync(folder).sort(), [...PICTURES].sort());
});

test("output is compared, and … stands for any text", () => {
  assert.ok(isPrinted("a.b 17 c \n", "a.b … c"));
  assert.ok(!isPrinted("axb 17 c\n", "a.b … c"));
  assert.ok(!isPrinted("more a.b", "a.b"));
});

for (const page of PAGES) {
  const blocks = read(page).filter(({ does }) => does.length > 0);
  if (blocks.length === 0) continue;
  test(`docs/${page}`, async (t) => {
    const walk = new Walk();
    t.after(() => walk.end());
    await walk.follow(blocks);
  });
}
