// The command line without a Worker: usage, keys, tokens, and where a target comes from.

import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { jwtVerify } from "jose";
import { Api } from "../../src/cli/api.ts";
import { part } from "../../src/cli/commands/doctor.ts";
import { parseDevVars } from "../../src/cli/dev-vars.ts";
import { sessile } from "./io.ts";

const KEY = "a signing key of a checkout, longer than thirty-two bytes";

/** A checkout with a key in its `.dev.vars`, and a folder below it. */
function checkout(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "sessile-cli-"));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, ".dev.vars"), `# local\nSESSILE_SIGNING_KEY="${KEY}"\n`);
  const below = join(root, "src", "deep");
  mkdirSync(below, { recursive: true });
  return below;
}

/** A server that is no session layer. */
async function foreign(t: TestContext, status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a wrong command line is refused with 2 before anything is sent", async () => {
  const env = { SESSILE_TOKEN: "a.b.c", SESSILE_URL: "http://127.0.0.1:1" };
  const wrong: [string, RegExp][] = [
    ["fly", /unknown command 'fly'/],
    ["send", /missing required argument 'session'/],
    ["ls --fast", /unknown option '--fast'/],
    ["send a/b text", /a\/b is no session/],
    ["send s -", /there is no text/],
    ["send s {] --data", /the message is no JSON/],
    ["send s text --header x", /NAME=VALUE/],
    ["cancel s", /a turn, --input SERIAL, --all/],
    ["cancel s t1 --all", /a turn, --input SERIAL, --all/],
    ["approve s a1 --reject --dismiss", /give one of: --reject/],
    ["approve s a1 --option x --data 1", /takes --answer/],
    ["approve s --reject", /name the session and the approval/],
    ["ls --limit 0", /--limit takes 1 to/],
    ["tail s -n 1001", /-n takes 0 to 1000/],
    ["ls --url sessions.example", /no address of a Worker/],
    ["ls --url https://sessions.example/v1/sessions/s", /must end before \/v1/],
    ["ls --token secret", /^sessile: --token is no token(?!.*secret)/],
    ["keys make apple", /there is no kind apple/],
    ["keys make constructor", /there is no kind constructor/],
    ["token ann --expires soon", /--expires takes/],
    ["token ann --cap *", /--cap takes/],
  ];
  for (const [line, reason] of wrong) {
    const { code, out, err } = await sessile(line.split(" "), { env });
    assert.equal(code, 2, line);
    assert.match(err, reason);
    assert.equal(out, "", line);
  }
});

test("help and version are no errors, and help names the exit codes", async () => {
  const help = await sessile(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /Exit codes: 0 done; 1 refused; 2 .*; 3 unreachable;\s4/s);
  assert.deepEqual(await sessile(["--version"]), { code: 0, out: "1.2.3\n", err: "" });
});

test("P2.1 a token is signed with the key of the checkout, or of the environment", async (t) => {
  const line = "token ann --name Ann --cap support-*=user,turn --cap support-*=push --expires 15m";
  const made = await sessile(line.split(" "), { cwd: checkout(t) });
  assert.equal(made.code, 0, made.err);
  const { payload, protectedHeader } = await jwtVerify(
    made.out.trim(),
    new TextEncoder().encode(KEY),
  );
  assert.equal(protectedHeader.alg, "HS256");
  assert.deepEqual([payload.sub, payload.name], ["ann", "Ann"]);
  assert.deepEqual(payload.caps, { "support-*": ["user", "turn", "push"] });
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 900);

  const other = `another ${KEY}`;
  const env = { SESSILE_SIGNING_KEY: other };
  const json = await sessile(["token", "bob", "--json"], { cwd: checkout(t), env });
  const { token, claims } = JSON.parse(json.out);
  await jwtVerify(token, new TextEncoder().encode(other));
  assert.deepEqual(claims.caps, { "*": ["user"] });

  const none = await sessile(["token", "bob"]);
  assert.deepEqual([none.code, none.out], [2, ""]);
  const short = await sessile(["token", "bob"], { env: { SESSILE_SIGNING_KEY: "short" } });
  assert.deepEqual([short.code, short.out], [2, ""]);
  assert.match(short.err, /at least 32 bytes/);
});

test("a key of a checkout signs nothing for another machine", async (t) => {
  const cwd = checkout(t);
  const away = await sessile(["ls", "--url", "https://sessions.example"], { cwd });
  assert.equal(away.code, 2);
  assert.match(away.err, /no token for https:\/\/sessions.example: set SESSILE_TOKEN/);
  // On this machine it does, and then nobody answers.
  const here = await sessile(["ls", "--url", "http://127.0.0.1:1"], { cwd });
  assert.equal(here.code, 3, here.err);
});

test("doctor skips what a deployment leaves out, and doubts what fails", async (t) => {
  const refusing = async (code: string, status: number) => {
    const url = await foreign(
      t,
      status,
      JSON.stringify({ error: { code, status, message: "no" } }),
    );
    const { signal } = new AbortController();
    const io = {
      env: {},
      cwd: "/",
      root: "/",
      isTty: false,
      signal,
      out() {},
      err() {},
      stdin: async () => "",
      line: async () => "",
    };
    const api = new Api({ url, token: "a.b.c" }, io);
    const states = ["inbox", "push"].map(async (name) => (await part(api, name, name, ""))[1]);
    return (await Promise.all(states)).join();
  };
  assert.equal(await refusing("not-found", 404), "skipped,skipped");
  assert.equal(await refusing("not-configured", 503), "skipped,skipped");
  assert.equal(await refusing("internal", 500), "warning,failed");
  assert.equal(await refusing("over-limit", 429), "failed,failed");
});

test("without a WebSocket, as on Node 20, tail says so", async (t) => {
  const { WebSocket } = globalThis;
  t.after(() => Object.assign(globalThis, { WebSocket }));
  Object.assign(globalThis, { WebSocket: undefined });
  const { code, err } = await sessile(["tail", "s"], { env: { SESSILE_TOKEN: "a.b.c" } });
  assert.equal(code, 2);
  assert.match(err, /tail needs Node 22/);
});

test("the lines of .dev.vars are read as wrangler reads them", () => {
  const text = "# A=0\nA=1\r\n B = two words \nexport C='x=y'\nD=\"\"\nnothing\n";
  assert.deepEqual(parseDevVars(text), { A: "1", B: "two words", C: "x=y", D: "" });
});

test("nobody there, and somebody else there, are 3; --json says it as JSON, too", async (t) => {
  const env = { SESSILE_TOKEN: "a.b.c" };
  for (const command of [
    ["ls"],
    ["send", "s", "Hi"],
    ["tail", "s"],
    ["inspect", "s"],
    ["doctor"],
  ]) {
    const { code, err } = await sessile([...command, "--url", "http://127.0.0.1:1"], { env });
    assert.equal(code, 3, `${command}: ${err}`);
  }
  const page = await foreign(t, 200, "<html>");
  for (const command of ["ls", "doctor"]) {
    assert.equal((await sessile([command, "--url", page], { env })).code, 3, command);
  }
  const failing = JSON.stringify({ error: { code: "internal", status: 503, message: "ill" } });
  for (const body of [failing, '{"error": {"code": "E42"}}', '{"session": "other"}']) {
    const url = await foreign(t, 503, body);
    const { code, out } = await sessile(["doctor", "--url", url], { env });
    assert.equal(code, 3, body);
    assert.match(out, /^failed +reachable/m);
  }
  const down = await foreign(t, 502, "{}");
  const { code, out } = await sessile(["ls", "--json", "--url", down], { env });
  assert.equal(code, 3);
  assert.equal(JSON.parse(out).error.code, "unreachable");
});

test("keys are made anew each time, and are what the Worker takes", async () => {
  const make = async (kind: string) => {
    const made = await sessile(["keys", "make", kind]);
    assert.equal(made.code, 0);
    assert.match(made.err, /wrangler secret put SESSILE_/);
    return made.out.trim();
  };
  assert.equal(Buffer.from(await make("signing"), "base64url").length, 32);
  assert.notEqual(await make("signing"), await make("signing"));
  const [, secret = ""] = /^whsec_(.+)$/.exec(await make("webhook")) ?? [];
  assert.equal(Buffer.from(secret, "base64").length, 32);
  const vapid = createECDH("prime256v1");
  vapid.setPrivateKey(Buffer.from(await make("vapid"), "base64url"));
  assert.equal(vapid.getPublicKey().length, 65);
  const json = await sessile(["keys", "make", "vapid", "--json"]);
  assert.equal(JSON.parse(json.out).variable, "SESSILE_VAPID_KEY");
});

test("the list of keys says which are set here, and never their values", async (t) => {
  const env = { SESSILE_VAPID_KEY: "secret-1" };
  const { out } = await sessile(["keys", "list"], { env, cwd: checkout(t) });
  assert.match(out, /^SESSILE_SIGNING_KEY +secret .* \.dev\.vars$/m);
  assert.match(out, /^SESSILE_VAPID_KEY +secret .* environment$/m);
  assert.match(out, /^SESSILE_LIMITS .* -$/m);
  assert.ok(!out.includes(KEY) && !out.includes("secret-1"));
  const json = await sessile(["keys", "list", "--json"], { cwd: checkout(t) });
  const { settings } = JSON.parse(json.out) as { settings: { name: string; here?: string }[] };
  assert.deepEqual(
    settings.filter(({ here }) => here !== undefined).map(({ name }) => name),
    ["SESSILE_SIGNING_KEY"],
  );
});

test("a list longer than a page is read to its end, or to the limit", async (t) => {
  const asked: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    const at = Number(new URL(url, "http://x").searchParams.get("cursor") ?? 0);
    const one = { lastActivityAt: 0, openTurns: 0, pendingApprovals: 0, unread: 100 };
    const sessions = [1, 2].map((add) => ({ ...one, id: `s${at + add}`, title: "a\nb" }));
    response.end(JSON.stringify({ sessions, ...(at < 6 && { next: String(at + 2) }) }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  const SESSILE_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/below/`;
  const env = { SESSILE_URL, SESSILE_TOKEN: "a.b.c" };
  const all = await sessile(["ls"], { env });
  assert.deepEqual([all.code, all.err], [0, ""]);
  assert.deepEqual(all.out.match(/^s\d/gm), ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"]);
  assert.match(all.out, /^s1 +1970-01-01T00:00:00Z +0 +0 +100\+ +a b$/m);
  assert.equal(asked[0], "/below/v1/sessions?limit=100");
  const some = await sessile(["ls", "--limit", "4"], { env });
  assert.equal(some.out.trim().split("\n").length, 5);
  assert.match(some.err, /there are more/);
});
