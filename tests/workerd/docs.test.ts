// The pages of `docs/` do what they say: their blocks are run, in order, as a reader would.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { type Block, blocksOf, isPrinted, Walk } from "../support/pages.ts";
import { ROOT } from "../support/server.ts";
import { within } from "../support/wait.ts";

const ACCOUNT = "it needs an account of Cloudflare";
const PART = "it is a part of wrangler.toml, which nothing runs";
const ELSEWHERE = "it is a deployment's; the same is run in";

/** Blocks that are not run, by what they begin with, and why not. */
const NOT_RUN: Record<string, [begins: string, why: string][]> = {
  "deploy.md": [
    ["npm run setup                                  # installs the tools", ACCOUNT],
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
  ],
  "push.md": [
    [
      'node -p \'require("node:crypto").generateKeyPairSync',
      `${ACCOUNT}; push-config.test.ts runs its first line`,
    ],
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

test("links lead somewhere", () => {
  for (const page of PAGES) {
    const text = readFileSync(join(DOCS, page), "utf8");
    for (const [, to = ""] of text.matchAll(/\]\((?!https?:)([^)]*)\)/g)) {
      const [path = "", anchor] = to.split("#");
      const file = path === "" ? join(DOCS, page) : join(DOCS, path);
      const target = path.endsWith("/") ? readdirSync(file).join() : readFileSync(file, "utf8");
      if (anchor === undefined) continue;
      const headings = [...target.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
      );
      assert.ok(headings.includes(anchor), `docs/${page} links to ${to}`);
    }
  }
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
