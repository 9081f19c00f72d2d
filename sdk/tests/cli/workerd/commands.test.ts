// Each command against a real Worker, with the tokens that people have.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { getHistory } from "../../../../tests/support/http.ts";
import { makeToken, SIGNING_KEY } from "../../../../tests/support/token.ts";
import { agent, answer, getTurn, start } from "../../../../tests/support/turns.ts";
import { until } from "../../../../tests/support/wait.ts";
import { type Given, sessile } from "../io.ts";

const fixture = useServer();

const ADMIN = { "*": ["admin"] };

/** A run with a token of a client. */
async function as(
  sub: string,
  line: string | readonly string[],
  { caps = ADMIN, ...given }: Given & { caps?: Record<string, string[]> } = {},
) {
  const SESSILE_TOKEN = await makeToken({ sub, caps });
  const env = { SESSILE_URL: fixture.server.url, SESSILE_TOKEN, ...given.env };
  return sessile(typeof line === "string" ? line.split(" ") : line, { ...given, env });
}

test("send publishes an argument, standard input, or JSON, and prints the serial", async () => {
  const session = fixture.session();
  const one = await as("ann", ["send", session, "Hello", "you"]);
  assert.equal(one.code, 0, one.err);
  const two = await as("ann", ["send", session, "-"], { stdin: "two\nlines\n" });
  const line = `send ${session} {"n":1} --data --name note --role system --header k=v=w --json`;
  const three = await as("ann", line);
  const messages = await getHistory(fixture.server, session);
  assert.deepEqual(
    messages.map(({ data }) => data),
    ["Hello you", "two\nlines", { n: 1 }],
  );
  assert.deepEqual(
    messages.map(({ serial }) => serial),
    [one.out.trim(), two.out.trim(), JSON.parse(three.out).serial],
  );
  const { name, role, headers } = messages[2] ?? {};
  assert.deepEqual([name, role, headers], ["note", "system", { k: "v=w" }]);
  const again = [1, 2].map(() => as("ann", `send ${session} once --id x1`));
  const [first, second] = await Promise.all(again);
  assert.equal(first?.out, second?.out);
  assert.equal((await getHistory(fixture.server, session)).length, 4);
});

test("what is refused is 1, and what a token does not allow or is not, 4", async () => {
  const session = fixture.session();
  const gone = await as("ann", `cancel ${session} t9 --json`);
  assert.equal(gone.code, 1, gone.out);
  assert.equal(JSON.parse(gone.out).error.status, 404);
  const caps = { "*": ["viewer"] };
  const viewer = await as("vic", `send ${session} Hi`, { caps });
  assert.equal(viewer.code, 4);
  assert.match(viewer.err, /publish/);
  const env = { SESSILE_TOKEN: await makeToken({ key: "another key, and one of enough bytes" }) };
  const foreign = await as("ann", "ls --json", { env });
  assert.equal(foreign.code, 4);
  assert.equal(JSON.parse(foreign.out).error.code, "unauthorized");
});

test("steer and cancel reach the turn", async () => {
  const session = fixture.session();
  const bot = await agent(fixture.server, session);
  const { id } = await start(bot);
  const steered = await as("ann", ["steer", session, id, "shorter,", "please"]);
  assert.equal(steered.code, 0, steered.err);
  const frame = await bot.next("turn.steer");
  assert.deepEqual([frame.data, frame.message], ["shorter, please", steered.out.trim()]);
  const cancelled = await as("ann", ["cancel", session, id, "--reason", "too long"]);
  assert.deepEqual([cancelled.code, cancelled.out], [0, `${id}\n`]);
  const { cancel } = await getTurn(fixture.server, session, id);
  assert.deepEqual([cancel?.by, cancel?.reason], ["ann", "too long"]);
  await bot.close();
  const none = await as("ann", `cancel ${fixture.session()} --all`);
  assert.deepEqual([none.code, none.out, none.err], [0, "", "no turn was open\n"]);
});

test("approve lists what waits, decides it once, and answers questions", async () => {
  const session = fixture.session();
  const bot = await agent(fixture.server, session);
  const { id: turn } = await start(bot);
  const ask = (id: string, fields = {}) =>
    bot.ok({ type: "approval.request", id, turn, title: `May \x1b[2J${id}?`, ...fields });
  await ask("a1", { assignees: ["sue"] });
  await ask("a2");
  const options = [{ id: "red", label: "Red" }];
  await ask("q1", { kind: "question", options });

  const listed = await as("sue", `approve ${session}`);
  assert.match(listed.out, /a1 +approval +pending .* sue +May \\u001b\[2Ja1\?/);
  assert.match(listed.out, /q1 +question .*\(red: Red\)/);
  const inbox = () => as("sue", "approve --json");
  const waits = ({ out }: { out: string }) =>
    JSON.parse(out).approvals.some((it: { session: string }) => it.session === session);
  await until(inbox, waits, "the approval in the inbox of its assignee");

  const other = await as("ann", `approve ${session} a1`, { caps: { "*": ["user"] } });
  assert.equal(other.code, 4, other.err);
  const one = await as("sue", ["approve", session, "a1", "--comment", "Fine"]);
  assert.deepEqual([one.code, one.out], [0, "approved\n"]);
  const late = await as("sue", `approve ${session} a1 --reject`);
  assert.equal(late.code, 1);
  const two = await as("sue", `approve ${session} a2 --reject --json`);
  assert.equal(JSON.parse(two.out).status, "rejected");
  const three = await as("sue", `approve ${session} q1 --option red`);
  assert.deepEqual([three.code, three.out], [0, "answered\n"]);

  const rest = await as("sue", `approve ${session}`);
  assert.deepEqual([rest.out, rest.err], ["", "no approval waits\n"]);
  const all = JSON.parse((await as("sue", `approve ${session} --all --json`)).out).approvals;
  assert.deepEqual(all.map((it: { status: string }) => it.status).sort(), [
    "answered",
    "approved",
    "rejected",
  ]);
  assert.ok(all.some((it: { comment?: string }) => it.comment === "Fine"));
  await bot.close();
});

test("ls lists the sessions of the client, over pages", async () => {
  const sessions = [fixture.session(), fixture.session(), fixture.session()];
  for (const session of sessions) await as("lea", ["send", session, "Hi"]);
  const list = (line: string) => as("lea", line);
  const isWhole = ({ out }: { out: string }) => JSON.parse(out).sessions.length === 3;
  await until(() => list("ls --json"), isWhole, "three sessions");
  const { out } = await list("ls");
  assert.match(out, /^SESSION +LAST ACTIVITY +TURNS +APPROVALS +UNREAD +TITLE\n/);
  for (const session of sessions) assert.ok(out.includes(`${session} `), out);
  const two = await list("ls --limit 2");
  assert.equal(two.out.trim().split("\n").length, 3);
  assert.match(two.err, /there are more/);
  const none = await as("nobody", "ls");
  assert.deepEqual([none.code, none.out], [0, ""]);
});

test("P11.4 inspect shows diagnostics, and the record", async () => {
  const session = fixture.session();
  const bot = await agent(fixture.server, session);
  const { id } = await start(bot);
  const serial = await answer(bot, id);
  await bot.appendAll(serial, ["a", "b"]);
  const { out, code, err } = await as("ann", `inspect ${session}`);
  assert.equal(code, 0, err);
  assert.match(out, /1 open turn, 0 pending approvals/);
  assert.match(out, new RegExp(`${id} +active +scribe`));
  assert.match(out, /scribe +\w+ +\d+ ms +\d+ B +\S+Z anew/);
  const json = JSON.parse((await as("ann", `inspect ${session} --json`)).out);
  assert.equal(json.snapshot.session, session);
  assert.equal(json.diagnostics.connections.length, 1);
  assert.ok(json.diagnostics.rowsWritten > 0);

  const log = await as("ann", `inspect ${session} --log`);
  assert.match(log.out, /turn\.start +scribe/);
  assert.match(log.out, /message\.create +scribe/);
  const first = JSON.parse((await as("ann", `inspect ${session} --log --limit 1 --json`)).out);
  assert.equal(first.entries.length, 1);
  assert.ok(first.hasMore && first.next);
  const rest = `inspect ${session} --log --after ${first.next} --json`;
  const { entries, hasMore } = JSON.parse((await as("ann", rest)).out);
  assert.ok(!hasMore && entries.length > 0);
  assert.ok(entries.every((it: { serial: string }) => it.serial > first.entries[0].serial));

  const user = await as("ann", `inspect ${session}`, { caps: { "*": ["user"] } });
  assert.equal(user.code, 4);
  await bot.close();
});

test("P11.6 a session is exported, imported and forked", async () => {
  const session = fixture.session();
  const bot = await agent(fixture.server, session);
  const { id } = await start(bot);
  const serial = await answer(bot, id);
  await bot.appendAll(serial, ["a", "b"]);
  const large = "x".repeat(60_000);
  for (let count = 0; count < 20; count += 1) await bot.publish(`${count} ${large}`);
  const { out, code, err } = await as("ann", `export ${session}`);
  assert.equal(code, 0, err);
  const linesOf = (text: string) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const lines = linesOf(out);
  assert.equal(lines[0].session, session);
  assert.deepEqual(lines.at(-1), { type: "end", count: lines.length });
  const file = join(await mkdtemp(join(tmpdir(), "sessile-")), "all.ndjson");
  await writeFile(file, out);
  const copy = fixture.session();
  const made = await as("ann", `import ${file} ${copy} --json`);
  assert.equal(made.code, 0, made.err);
  assert.equal(JSON.parse(made.out).lines, lines.length);
  assert.equal((await as("ann", `import ${file} ${copy}`)).code, 1);
  assert.equal((await as("ann", `import ${file}.none ${copy}`)).code, 2);
  const fork = fixture.session();
  const forked = await as("ann", `fork ${session} ${fork} --at ${serial}`);
  assert.equal(forked.code, 0, forked.err);
  assert.equal(forked.out, `${fork}: ${session} up to ${serial}\n`);
  const messages = (text: string) => linesOf(text).filter(({ type }) => type === "message");
  const [copied, left] = await Promise.all(
    [copy, fork].map(async (it) => messages((await as("ann", `export ${it}`)).out)),
  );
  const texts = (all: { data: string }[] = []) => all.map(({ data }) => data);
  assert.deepEqual(texts(copied), texts(messages(out)));
  assert.deepEqual(texts(left), ["ab"]);
  const user = await as("ann", `export ${session}`, { caps: { "*": ["user"] } });
  assert.equal(user.code, 4);
  await rm(dirname(file), { recursive: true });
  await bot.close();
});

interface Check {
  name: string;
  state: string;
  text: string;
}

/** The states of the checks by their names. */
function states(out: string): Record<string, string> {
  const { checks } = JSON.parse(out) as { checks: Check[] };
  return Object.fromEntries(checks.map(({ name, state }) => [name, state]));
}

test("doctor finds a deployment well, and writes nothing in it", async () => {
  const session = fixture.session();
  const { code, out } = await as("ann", `doctor --json --session ${session}`);
  assert.deepEqual(states(out), {
    reachable: "ok",
    keys: "ok",
    clock: "ok",
    token: "ok",
    inbox: "ok",
    push: "skipped",
    connection: "ok",
  });
  assert.equal(code, 0);
  assert.deepEqual(await fixture.server.tables(session), []);
  const text = await as("ann", `doctor --session ${session}`);
  assert.match(text.out, /^ok +connection +attached in \d+ ms, protocol 1, 1 connection/m);
});

test("doctor says what a token lacks", async () => {
  const session = fixture.session();
  const key = "another key, and one of enough bytes";
  const bad = await as("ann", "doctor --json", {
    env: { SESSILE_TOKEN: await makeToken({ key }) },
  });
  assert.equal(bad.code, 4);
  assert.equal(states(bad.out).token, "failed");
  const caps = { other: ["user"] };
  const narrow = await as("ann", `doctor --json --session ${session}`, { caps });
  const { token, connection } = states(narrow.out);
  assert.deepEqual([narrow.code, token, connection], [0, "warning", "skipped"]);
  const soon = await makeToken({ expiresIn: 60 });
  const short = await as("ann", `doctor --json --session ${session}`, {
    env: { SESSILE_TOKEN: soon },
  });
  assert.equal(states(short.out).token, "warning");
});

test("on this machine the key is enough, and --as names the client", async () => {
  const session = fixture.session();
  const env = { SESSILE_URL: fixture.server.url, SESSILE_SIGNING_KEY: SIGNING_KEY };
  const sent = await sessile(["send", session, "Hi", "--as", "zoe"], { env });
  assert.equal(sent.code, 0, sent.err);
  const [message] = await getHistory(fixture.server, session);
  assert.equal(message?.client, "zoe");
});

test("erase asks for the client's id, deletes its sessions, and says how far it is", async () => {
  const sessions = [fixture.session(), fixture.session()];
  for (const session of sessions) assert.equal((await as("eve", `send ${session} Hi`)).code, 0);
  const known = async () => (await as("root", "erase eve")).err;
  await until(known, (it) => it.includes("eve and 2 sessions"), "the inbox knows both");
  const wrong = await as("root", "erase eve", { stdin: "ann\n" });
  assert.deepEqual([wrong.code, wrong.out], [1, ""]);
  assert.match(wrong.err, /nothing was erased/);
  const denied = await as("root", "erase eve --yes", { caps: { "a*": ["admin"] } });
  assert.equal(denied.code, 4);
  const begun = await as("root", "erase eve --no-wait --json", { stdin: "eve\n" });
  assert.deepEqual([begun.code, JSON.parse(begun.out).state], [0, "erasing"]);
  const done = await as("root", "erase eve --yes");
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /eve is erased, and 2 sessions with it/);
  for (const session of sessions)
    assert.equal((await getHistory(fixture.server, session)).length, 0);
});
