// `sessile init` and `sessile upgrade` in projects of wrangler, which deploys and serves them.

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { freePort } from "../../../../tests/support/port.ts";
import { ROOT } from "../../../../tests/support/server.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { sessile } from "../io.ts";
import { folder } from "../program-process.ts";

const WRANGLER = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
const OFFLINE = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" };
const BESIDE = join("sessile", "wrangler.toml");

before(async () => {
  const built = spawn(process.execPath, [join(ROOT, "scripts", "sdk.mjs"), "pack"]);
  const done = new Promise((resolve) => built.once("exit", resolve));
  assert.equal(await within(done, "the build of the package", 300_000), 0);
});

/** A folder with the package in it as npm installs it, and the clone's packages beside it. */
function project(t: TestContext): string {
  const cwd = folder(t);
  const modules = join(cwd, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name === "sessile" || name.startsWith(".")) continue;
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  cpSync(join(ROOT, "sdk", "package.json"), join(modules, "sessile", "package.json"));
  for (const part of ["cli", "worker"]) {
    const to = join(modules, "sessile", "dist", part);
    cpSync(join(ROOT, "sdk", "dist", part), to, { recursive: true });
  }
  const program = join(modules, "sessile", "dist", "cli", "sessile.js");
  writeFileSync(
    join(modules, ".bin", "sessile"),
    `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`,
    { mode: 0o755 },
  );
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ name: "theirs", private: true }));
  return cwd;
}

/** Another release of the package in its place. */
function release(cwd: string, version: string, change: (manifest: Manifest) => void = () => {}) {
  const root = join(cwd, "node_modules", "sessile");
  const edit = <T>(name: string, by: (value: T) => void) => {
    const value = JSON.parse(readFileSync(join(root, name), "utf8")) as T;
    by(value);
    writeFileSync(join(root, name), JSON.stringify(value));
  };
  edit<{ version: string }>("package.json", (about) => Object.assign(about, { version }));
  edit<Manifest>(join("dist", "worker", "manifest.json"), (manifest) => {
    manifest.version = version;
    change(manifest);
  });
}

interface Manifest {
  version: string;
  schema: number;
  compatibilityDate: string;
  objects: Record<string, string>;
  migrations: { tag: string; classes: string[] }[];
}

/** A command of the package in a project. */
function run(cwd: string, line: string) {
  return sessile(line.split(" "), { cwd, root: join(cwd, "node_modules", "sessile") });
}

/** `wrangler deploy --dry-run`: bundles, and says what would be uploaded. */
async function deploy(cwd: string, ...args: string[]): Promise<string> {
  const all = [WRANGLER, "deploy", "--dry-run", ...args];
  const env = { ...process.env, ...OFFLINE };
  const { stdout } = await promisify(execFile)(process.execPath, all, { cwd, env });
  return stdout;
}

/** `wrangler dev`, until the end of the test; gives its address. */
async function serve(t: TestContext, cwd: string, ...args: string[]): Promise<string> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const place = ["--ip", "127.0.0.1", "--port", new URL(url).port, "--inspector-port", "0"];
  const child: ChildProcess = spawn(process.execPath, [WRANGLER, "dev", ...place, ...args], {
    cwd,
    env: { ...process.env, ...OFFLINE },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, which ends as one: with two configs wrangler may not obey SIGTERM.
    detached: true,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  t.after(async () => {
    if (child.pid === undefined || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    process.kill(-child.pid, "SIGKILL");
    await within(gone, "wrangler dev to end");
  });
  const answers = () =>
    fetch(`${url}/v1/sessions/ready/messages`).then(
      ({ status }) => status,
      () => 0,
    );
  await until(answers, (status) => status > 0, "wrangler dev to answer", 90_000).catch(() => {
    throw new Error(`wrangler dev does not answer:\n${said}`);
  });
  return url;
}

describe("init", () => {
  test("a new project deploys and serves, and a second init changes nothing", async (t) => {
    const cwd = project(t);
    const made = await run(cwd, "init --name chat-sessions");
    assert.equal(made.code, 0, made.err);
    assert.deepEqual(made.out.split("\n").sort(), [
      "",
      ".dev.vars",
      ".gitignore",
      "sessile/worker.js",
      "wrangler.toml",
    ]);
    assert.match(made.err, /npx wrangler deploy\n/);
    assert.doesNotMatch(made.err, /npm install/);
    const texts = () =>
      made.out
        .trim()
        .split("\n")
        .map((name) => readFileSync(join(cwd, name)));
    const first = texts();
    const again = await run(cwd, "init --json");
    assert.deepEqual(JSON.parse(again.out).written, []);
    assert.deepEqual(texts(), first);

    const uploaded = await deploy(cwd);
    assert.match(uploaded, /npx sessile upgrade --check/);
    for (const name of ["SESSIONS", "INBOXES", "ASSETS"]) assert.match(uploaded, new RegExp(name));
    const url = await serve(t, cwd);
    const page = await fetch(url);
    assert.match(await page.text(), /^<!doctype html>/);
    assert.ok(page.headers.get("content-security-policy"));
    const sent = await run(cwd, `send hello Hi --url ${url}`);
    assert.equal(sent.code, 0, sent.err);
  });

  test("beside a Worker of theirs it has a config of its own, and is a service", async (t) => {
    const cwd = project(t);
    const theirs = `{
  // theirs
  "name": "theirs",
  "main": "index.js",
  "compatibility_date": "2026-09-01",
  "services": [{ "binding": "SESSILE", "service": "sessile" }],
}\n`;
    writeFileSync(join(cwd, "wrangler.jsonc"), theirs);
    writeFileSync(
      join(cwd, "index.js"),
      "export default { fetch: (request, env) => env.SESSILE.fetch(request) };",
    );
    const made = await run(cwd, "init");
    assert.equal(made.code, 0, made.err);
    assert.ok(made.out.includes(`${BESIDE}\n`));
    assert.ok(made.err.includes('"services": [{ "binding": "SESSILE", "service": "sessile" }]'));
    assert.equal(readFileSync(join(cwd, "wrangler.jsonc"), "utf8"), theirs);
    assert.match(await deploy(cwd, "-c", BESIDE), /env\.SESSIONS/);
    const url = await serve(t, cwd, "-c", "wrangler.jsonc", "-c", BESIDE);
    const answer = await fetch(`${url}/v1/sessions/a/messages`);
    assert.match(await answer.text(), /"code":"unauthorized"/);
  });

  test("in a Worker of theirs, as docs/deploy.md says", async (t) => {
    const cwd = project(t);
    await run(cwd, "init");
    const page = readFileSync(join(ROOT, "docs", "deploy.md"), "utf8");
    const [, code] = /```js\n(import Sessile.*?)```/s.exec(page) ?? [];
    assert.ok(code);
    writeFileSync(join(cwd, "index.js"), code);
    const config = readFileSync(join(cwd, "wrangler.toml"), "utf8");
    const own = config.replace(/^# Sessile.*\n/, "").replace('"sessile/worker.js"', '"index.js"');
    writeFileSync(join(cwd, "wrangler.toml"), own.replace("/v1/*", "/*"));
    assert.equal((await run(cwd, "upgrade")).code, 0);
    assert.match(readFileSync(join(cwd, "wrangler.toml"), "utf8"), /^# Sessile .*\nname = /);
    assert.match(await deploy(cwd), /env\.INBOXES/);
    const url = await serve(t, cwd);
    assert.equal(await (await fetch(`${url}/anything`)).text(), "mine");
    assert.equal((await fetch(`${url}/v1/inbox`)).status, 401);
    const sent = await run(cwd, `send hello Hi --url ${url}`);
    assert.equal(sent.code, 0, sent.err);
  });

  test("nothing of theirs is overwritten without --force", async (t) => {
    const cwd = project(t);
    mkdirSync(join(cwd, "sessile"));
    writeFileSync(join(cwd, "sessile", "worker.js"), "// theirs\n");
    writeFileSync(join(cwd, ".gitignore"), "dist");
    const refused = await run(cwd, "init");
    assert.equal(refused.code, 2);
    assert.match(refused.err, /worker\.js is there already, and is another file: --force/);
    assert.ok(!existsSync(join(cwd, "wrangler.toml")), "nor is anything else written");
    assert.equal((await run(cwd, "init --force")).code, 0);
    assert.match(readFileSync(join(cwd, "sessile", "worker.js"), "utf8"), /sessile\/worker/);
    assert.equal(readFileSync(join(cwd, ".gitignore"), "utf8"), "dist\n.dev.vars\n.wrangler\n");
    assert.equal((await run(cwd, "init --name My_Worker")).code, 2);
  });

  test("where the package is not installed, the first step says so", async (t) => {
    const cwd = folder(t);
    const made = await sessile(["init"], { cwd });
    assert.equal(made.code, 0, made.err);
    assert.match(
      made.err,
      /^next:\n {2}npm install sessile\n {2}npm install --save-dev wrangler\n/,
    );
  });
});

describe("upgrade", () => {
  /** A later release with a class more, in a schema of its own. */
  const later = (manifest: Manifest) => {
    manifest.schema = 2;
    manifest.compatibilityDate = "2026-10-01";
    manifest.objects.THINGS = "ThingObject";
    manifest.migrations.push({ tag: "sessile-v2", classes: ["ThingObject"] });
  };
  const read = (cwd: string) => readFileSync(join(cwd, "wrangler.toml"), "utf8");

  test("what a release needs is added, shown first, and checked before a deployment", async (t) => {
    const cwd = project(t);
    await run(cwd, "init");
    const own = '\n# theirs\n[vars]\nSESSILE_ISSUER = "us"\n';
    writeFileSync(join(cwd, "wrangler.toml"), read(cwd).replace('"sessile"', '"mine"') + own);
    const before = read(cwd);
    release(cwd, "0.2.0", later);

    const check = await run(cwd, "upgrade --check");
    assert.equal(check.code, 1);
    assert.match(check.err, /not ready for 0\.2\.0: npx sessile upgrade \(.*schema 2.*ThingObject/);
    await assert.rejects(deploy(cwd), /npx sessile upgrade/);
    const shown = await run(cwd, "upgrade --dry-run");
    assert.deepEqual(shown.out.trim().split("\n"), [
      "+ sessions are stored in schema 2",
      "+ compatibility_date 2026-10-01, it was 2026-09-01",
      "+ the binding THINGS of ThingObject",
      "+ the migration sessile-v2, for ThingObject",
    ]);
    assert.match(shown.err, /from 0\.1\.0 to 0\.2\.0; nothing was written/);
    assert.equal(read(cwd), before);

    const done = await run(cwd, "upgrade --json");
    assert.equal(JSON.parse(done.out).changes.length, 4);
    const after = read(cwd);
    assert.match(after, /^# Sessile 0\.2\.0, schema 2:/);
    assert.match(after, /tag = "sessile-v2"\nnew_sqlite_classes = \["ThingObject"\]\n$/);
    const changed = new Set(["# Sessile", "compatibility_date"]);
    for (const line of before.split("\n")) {
      const isChanged = [...changed].some((start) => line.startsWith(start));
      assert.ok(isChanged || after.includes(`${line}\n`), `it keeps ${line}`);
    }
    assert.equal((await run(cwd, "upgrade --check")).code, 0);
    assert.equal((await run(cwd, "upgrade")).out, "");
    assert.equal(read(cwd), after);
  });

  test("it refuses to go back over a schema, and over a class", async (t) => {
    const cwd = project(t);
    await run(cwd, "init");
    release(cwd, "0.2.0", (manifest) => {
      manifest.schema = 2;
    });
    assert.equal((await run(cwd, "upgrade")).code, 0);
    const stored = read(cwd);
    release(cwd, "0.1.0", (manifest) => {
      manifest.schema = 1;
    });
    for (const line of ["upgrade", "upgrade --check", "upgrade --dry-run"]) {
      const back = await run(cwd, line);
      assert.equal(back.code, 1);
      assert.match(back.err, /unable to go back: 0\.2\.0 stores sessions in schema 2, .* reads 1/);
    }
    await assert.rejects(deploy(cwd), /unable to go back/);
    assert.equal(read(cwd), stored);

    release(cwd, "0.3.0", later);
    assert.equal((await run(cwd, "upgrade")).code, 0);
    release(cwd, "0.2.1", (manifest) => {
      manifest.migrations.pop();
      delete manifest.objects.THINGS;
    });
    const lost = await run(cwd, "upgrade");
    assert.equal(lost.code, 1);
    assert.match(lost.err, /a migration made ThingObject, which sessile 0\.2\.1 has not/);
  });

  test("between releases of one schema there is a way back", async (t) => {
    const cwd = project(t);
    await run(cwd, "init");
    const before = read(cwd);
    release(cwd, "0.1.5");
    assert.equal((await run(cwd, "upgrade --check")).code, 0, "nothing has to change");
    assert.equal((await run(cwd, "upgrade")).code, 0);
    assert.match(read(cwd), /^# Sessile 0\.1\.5, schema 1:/);
    release(cwd, "0.1.0");
    assert.equal((await run(cwd, "upgrade")).code, 0);
    assert.equal(read(cwd), before);
  });

  test("development addresses, other packages and empty folders are refused", async (t) => {
    const cwd = project(t);
    const nothing = await run(cwd, "upgrade");
    assert.equal(nothing.code, 2);
    assert.match(nothing.err, /npx sessile init makes one/);
    await run(cwd, "init");
    // As `npx sessile@next upgrade` in a project that has another one installed.
    const other = await sessile(["upgrade"], { cwd });
    assert.equal(other.code, 0, other.err);
    release(cwd, "0.0.9");
    const older = await sessile(["upgrade"], { cwd });
    assert.equal(older.code, 2);
    assert.match(older.err, /is installed as 0\.0\.9 here: npm install sessile@/);
    release(cwd, "0.1.0");
    writeFileSync(join(cwd, "wrangler.toml"), `${read(cwd)}[vars]\nSESSILE_DEV = "1"\n`);
    const check = await run(cwd, "upgrade --check");
    assert.equal(check.code, 1);
    assert.match(check.err, /SESSILE_DEV, which is for development alone/);
  });
});
