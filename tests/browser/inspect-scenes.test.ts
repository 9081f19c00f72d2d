// The inspector in a real Chromium, and what somebody finds out with it: lanes, entries,
// connections, frames, and the same in a shell.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { attach, connect } from "../support/client.ts";
import { call } from "../support/http.ts";
import {
  finding,
  moves,
  OPS,
  oneLine,
  part,
  returns,
  rows,
  useInspector,
  width,
} from "../support/inspector.ts";
import { makeToken } from "../support/token.ts";
import { agent, answer, end, settings, start, USER } from "../support/turns.ts";
import { sleep, until } from "../support/wait.ts";

const inspectors = useInspector({ vars: { SESSILE_DEV: "1" } });
const run = promisify(execFile);

/** A conversation of two turns; the second one asks, and somebody decides. */
async function conversation(session: string) {
  const { server } = inspectors;
  const { client: ann } = await attach(server, session, USER);
  const scribe = await agent(server, session);
  const input = await ann.publish("where am I?");
  await start(scribe, { id: "first", input });
  const text = await answer(scribe, "first", { id: "answer" });
  for (let seq = 1; seq <= 5; seq += 1) {
    await scribe.ok({ type: "append", serial: text, data: "é".repeat(100), seq });
  }
  await scribe.ok({ type: "append", serial: text, data: "", seq: 6, status: "complete" });
  await end(scribe, "first");
  const again = await ann.publish("and now?");
  await start(scribe, { id: "second", input: again });
  await scribe.ok({ type: "approval.request", id: "a1", turn: "second", title: "Look it up?" });
  await ann.ok({ type: "approval.decide", approval: "a1", decision: "approve" });
  await end(scribe, "second", "failed", { error: { message: "no map" } });
  return { ann, scribe, text };
}

function entriesOf(page: Page) {
  return part(page, "Entries").getByRole("table");
}

describe("the timeline", () => {
  test("has a lane for each client with its turns, and moves by keys and buttons", async () => {
    const { ann, scribe } = await conversation("lanes");
    const page = await inspectors.open("lanes");
    const timeline = part(page, "Timeline");
    const labels = timeline.locator(".lane-label");
    await labels.first().waitFor();
    assert.deepEqual(await labels.allTextContents(), ["ann", "scribe"]);
    const statuses = await timeline
      .locator(".lanes .turn")
      .evaluateAll((all) => all.map((one) => one.getAttribute("data-status")));
    assert.deepEqual(statuses.sort(), ["complete", "failed"]);
    assert.equal(await timeline.locator(".stream").count(), 1, "the time in which a text grew");
    const all = await width(page);
    const box = timeline.getByRole("group");
    await box.focus();
    await page.keyboard.press("+");
    const near = await moves(page, all);
    await page.keyboard.press("End");
    const late = await moves(page, near);
    await page.keyboard.press("ArrowLeft");
    await moves(page, late);
    await page.keyboard.press("0");
    await returns(page, all);
    await timeline.getByRole("button", { name: "Closer" }).click();
    await moves(page, all);
    await timeline.getByRole("button", { name: "All" }).click();
    await returns(page, all);
    await ann.close();
    await scribe.close();
  });

  test("is a table as well, of what is in view", async () => {
    const { ann, scribe, text } = await conversation("table");
    const page = await inspectors.open("table");
    const log = await call(inspectors.server, "table", "GET", "/log?limit=1000");
    const { entries } = log.body as { entries: { serial: string; type: string }[] };
    const shown = await rows(entriesOf(page));
    assert.deepEqual(
      shown.map(([, kind, , , , , serial]) => [serial, kind]),
      entries.map(({ serial, type }) => [serial, type]).reverse(),
    );
    const [, , who, about, size] = shown.find((row) => row.at(-1) === text) ?? [];
    assert.deepEqual([who, size], ["scribe", "1.0 KB"], "500 letters of two bytes");
    assert.match(about ?? "", /answer · assistant · id answer · turn first · complete · 6 appends/);
    const decide = shown.find(([, kind]) => kind === "approval.decide");
    assert.match(decide?.[5] ?? "", /since the request$/);
    await part(page, "Entries").getByRole("searchbox").fill("approval");
    const found = await until(
      () => rows(entriesOf(page)),
      ({ length }) => length <= 2,
      "two entries",
    );
    assert.deepEqual(
      found.map(([, kind]) => kind),
      ["approval.decide", "approval.request"],
    );
    await part(page, "Entries").getByRole("searchbox").fill("");
    await until(
      () => rows(entriesOf(page)),
      ({ length }) => length === entries.length,
      "all entries",
    );
    await part(page, "Timeline").getByRole("button", { name: "Closer" }).click();
    await part(page, "Timeline").getByRole("button", { name: "Closer" }).click();
    await until(
      () => entriesOf(page).locator("tbody tr").count(),
      (fewer) => fewer < entries.length,
      "the entries of a quarter of the time",
    );
    await ann.close();
    await scribe.close();
  });

  test("chooses an entry by its mark, and marks an entry that the table chooses", async () => {
    const { ann, scribe, text } = await conversation("choose");
    const page = await inspectors.open("choose");
    await entriesOf(page)
      .getByRole("button", { name: `Choose entry ${text}` })
      .click();
    const ring = part(page, "Timeline").locator('.mark[data-selected="true"]');
    await ring.first().waitFor();
    assert.equal(await entriesOf(page).locator('tr[data-selected="true"]').count(), 1);
    const mark = part(page, "Timeline").locator(".lanes .mark").first();
    await mark.click();
    const serial = await mark.getAttribute("data-serial");
    const chosen = entriesOf(page).locator(`[aria-pressed="true"]`);
    await until(
      () => chosen.textContent(),
      (it) => it === serial,
      "the table to show the mark's entry",
    );
    await ann.close();
    await scribe.close();
  });

  test("follows what happens, and text as it grows, without being opened again", async () => {
    const session = "live";
    const { server } = inspectors;
    const scribe = await agent(server, session);
    await scribe.publish("hello");
    const page = await inspectors.open(session);
    await page.getByText("Live", { exact: true }).waitFor();
    // By its own connection, and not by reading everything every now and then, which may happen
    // beside one of three messages.
    const readings = () =>
      inspectors.front.asked.filter((path) => path.endsWith("?rewind=0")).length;
    let followed = 0;
    for (const data of ["one", "two", "three"]) {
      const before = readings();
      const serial = await scribe.publish(data);
      await entriesOf(page).getByText(serial).waitFor();
      followed += readings() === before ? 1 : 0;
    }
    assert.ok(followed > 0, "each message came with a reading of everything");
    const text = await scribe.publish("", { status: "streaming", name: "story" });
    const row = entriesOf(page).locator("tr", { has: page.getByText(text, { exact: true }) });
    await row.waitFor();
    await scribe.ok({ type: "append", serial: text, data: "x".repeat(5000), seq: 1 });
    await row.getByText("5.0 KB").waitFor();
    const more = { type: "append", serial: text, data: "y".repeat(1000), seq: 2 };
    await scribe.ok({ ...more, status: "complete" });
    await row.getByText("6.0 KB").waitFor();
    await row.getByText(/complete/).waitFor();
    await start(scribe, { id: "late" });
    await part(page, "Timeline").locator('.turn[data-status="active"]').first().waitFor();
    await scribe.close();
  });
});

describe("a session that", () => {
  test("sleeps is woken by what happens, and the page says what memory has forgotten", async () => {
    const session = "asleep";
    const { server } = inspectors;
    const writer = await connect(server, session, { sub: "writer" });
    await writer.publish("hello");
    const page = await inspectors.open(session);
    await page.getByText("Live", { exact: true }).waitFor();
    const open = part(page, "Connections").getByRole("table", { name: "Open connections" });
    await open.getByText("ops (this page)").waitFor();
    assert.ok(await server.evict(session), "the page's connection lets it sleep");
    const serial = await writer.publish("again");
    await entriesOf(page).getByText(serial).waitFor();
    await page.getByRole("button", { name: "Read again" }).click();
    await open.getByText("before the object woke").first().waitFor();
    await writer.close();
  });

  test("is deleted is gone from the page, and what begins in its place is shown", async () => {
    const session = "deleted";
    const { server } = inspectors;
    const { ann, scribe } = await conversation(session);
    await ann.close();
    await scribe.close();
    const page = await inspectors.open(session);
    await page.getByText("Live", { exact: true }).waitFor();
    const deleted = await call(server, session, "DELETE", "");
    assert.equal(deleted.status, 200, deleted.text);
    await page.getByRole("heading", { name: "No such session" }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const writer = await connect(server, session, { sub: "writer" });
    const serial = await writer.publish("another life");
    await entriesOf(page).getByText(serial).waitFor();
    assert.equal((await rows(entriesOf(page))).length, 1);
    await writer.close();
  });

  test("a developer's own Worker serves needs no token", async () => {
    const writer = await connect(inspectors.server, "local", { sub: "writer" });
    await writer.publish("hello");
    const page = await inspectors.open("local", { token: null });
    await page.getByText("Live", { exact: true }).waitFor();
    await entriesOf(page).waitFor();
    await writer.close();
  });
});

describe("connections", () => {
  test("show a resume with what it was replayed, and refusals by their code", async () => {
    const session = "resumed";
    const { server } = inspectors;
    const writer = await connect(server, session, { sub: "writer" });
    const since = await writer.publish("seen");
    const first = await connect(server, session, { sub: "reader" });
    await first.close();
    for (const data of ["a", "b", "c"]) await writer.publish(data);
    const reader = await connect(server, session, { sub: "reader", query: { since } });
    await reader.refused({ type: "turn.end", turn: "none", status: "complete" }, "not-found");
    const page = await inspectors.open(session);
    const open = part(page, "Connections").getByRole("table", { name: "Open connections" });
    const [, , , , began, replayed, refused] =
      (await rows(open)).find(([client]) => client === "reader") ?? [];
    assert.match(began ?? "", /, resumed$/);
    assert.match(replayed ?? "", /^3 frames, [\d.]+ K?B$/);
    assert.equal(refused, "1 not-found");
    assert.match(await finding(page, /refused/), /Frames of reader were refused: 1 not-found/);
    const gone = part(page, "Connections").getByRole("table", { name: /gone/ });
    const [, , , , how, serial] = (await rows(gone)).find(([it]) => it === "reader") ?? [];
    assert.deepEqual([how, serial], ["the client closed it, or its network", since]);
    const back = part(page, "Connections").getByRole("table", { name: /came back/ });
    const [[client, , connection, , , missed, way, brought] = []] = await rows(back);
    assert.deepEqual([client, missed, way], ["reader", "3 entries", "resumed"]);
    assert.match(brought ?? "", /^3 frames/);
    assert.equal(connection, (await rows(open)).find(([it]) => it === "reader")?.[1]);
    await open.getByText("ops (this page)").waitFor();
    await writer.close();
    await reader.close();
  });

  test("tell what one of them had seen at a moment, and what is not known", async () => {
    const session = "seen";
    const { server } = inspectors;
    const writer = await connect(server, session, { sub: "writer" });
    const reader = await connect(server, session, { sub: "reader" });
    const serials: string[] = [];
    for (const data of ["one", "two", "three"]) {
      serials.push(await writer.publish(data));
      // Entries of one millisecond are told at once.
      await sleep(5);
    }
    const page = await inspectors.open(session);
    const seen = part(page, "What a connection had seen");
    const select = seen.getByRole("combobox");
    const option = select.locator("option", { hasText: /^reader/ });
    await select.selectOption((await option.getAttribute("value")) ?? "");
    const [, second = ""] = serials;
    await entriesOf(page)
      .getByRole("button", { name: `Choose entry ${second}` })
      .click();
    await seen.getByRole("button", { name: "That of the chosen entry" }).click();
    const known = await until(
      async () => oneLine(await seen.textContent()),
      (words) => words.includes(`It had been sent everything up to ${second} `),
      "what it had been sent",
    );
    assert.match(known, /Not known.*it has answered no probe/);
    await seen.getByRole("button", { name: "Now" }).click();
    await seen.getByText(new RegExp(`everything up to ${serials[2]} `)).waitFor();
    await seen.getByLabel("Moment").fill("2001-01-01T00:00:00.000");
    await seen.getByText(/after that moment/).waitFor();
    await writer.close();
    await reader.close();
  });
});

test("turns show what they answered, how they ended, and in which trace", async () => {
  const session = "turns";
  const { ann, scribe } = await conversation(session);
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  await start(scribe, { id: "traced", traceparent });
  await scribe.ok({ type: "turn.usage", turn: "traced", usage: { tokens: 7 } });
  await ann.ok({ type: "cancel", turn: "traced", reason: "enough" });
  await end(scribe, "traced", "cancelled");
  const page = await inspectors.open(session);
  const table = part(page, "Turns").getByRole("table");
  const [traced, second, first] = await rows(table);
  assert.deepEqual([traced?.[0], traced?.[1], traced?.[2]], ["traced", "cancelled", "scribe"]);
  assert.equal(traced?.[7], '{"tokens":7}');
  assert.match(traced?.[8] ?? "", /cancelled by ann at .* \(enough\) · trace 00-a{32}-b{16}-01/);
  assert.deepEqual([second?.[0], second?.[1]], ["second", "failed"]);
  assert.match(second?.[8] ?? "", /error {"message":"no map"}/);
  assert.deepEqual([first?.[0], first?.[1]], ["first", "complete"]);
  await table.getByRole("button", { name: "Show turn first in the timeline" }).click();
  await part(page, "Timeline").locator('.turn[data-status="complete"]').waitFor();
  await ann.close();
  await scribe.close();
});

test("turns beyond the first page are read when somebody asks for them", async () => {
  const session = "many-turns";
  const scribe = await agent(inspectors.server, session);
  for (let count = 1; count <= 230; count += 1) {
    await start(scribe, { id: `t${count}` });
    await end(scribe, `t${count}`);
  }
  const page = await inspectors.open(session);
  const table = part(page, "Turns").getByRole("table");
  const older = part(page, "Turns").getByRole("button", { name: "Older turns" });
  for (let shown = 50; shown < 230; shown += 50) {
    await until(
      () => table.locator("tbody tr").count(),
      (count) => count >= shown,
      `${shown} turns`,
    );
    await older.click();
  }
  await table.getByText("t1", { exact: true }).waitFor();
  assert.equal(await table.locator("tbody tr").count(), 230);
  await scribe.close();
});

test("approvals show who asked, what came of it, and what is still waited for", async () => {
  const { ann, scribe } = await conversation("asked");
  await start(scribe, { id: "third" });
  const more = { type: "approval.request", turn: "third", id: "a2", deadlineMs: 3_600_000 };
  await scribe.ok({ ...more, title: "Buy it?", assignees: ["ann"] });
  const page = await inspectors.open("asked");
  const table = part(page, "Approvals and calls").getByRole("table", { name: /Approvals/ });
  const [waiting, settled] = await rows(table);
  assert.deepEqual(waiting?.slice(0, 6), [
    "Buy it?",
    "approval",
    "pending",
    "scribe",
    "ann",
    "third",
  ]);
  assert.match(waiting?.[6] ?? "", /^in \d+ min$/);
  assert.deepEqual(settled?.slice(0, 3), ["Look it up?", "approval", "approved"]);
  assert.match(settled?.[7] ?? "", /request by scribe · .* decide by ann/);
  assert.match(await finding(page, /has waited/), /The approval Buy it\? of scribe has waited/);
  await ann.close();
  await scribe.close();
});

describe("raw frames", () => {
  test("come as they are on the wire, stand still while paused, and end", async () => {
    const session = "raw";
    const { server } = inspectors;
    const writer = await connect(server, session, { sub: "writer" });
    await writer.publish("hello");
    const page = await inspectors.open(session);
    const frames = part(page, "Raw frames");
    const listed = frames.getByRole("listitem");
    await listed.filter({ hasText: "got attached" }).waitFor();
    const serial = await writer.publish('a "quoted" word');
    const frame = listed.filter({ hasText: "got message.create" }).first();
    await frame.waitFor();
    await frame.locator("summary").click();
    const raw = (await frame.locator("pre").textContent()) ?? "";
    assert.equal(JSON.parse(raw).message.serial, serial);
    const size = Buffer.byteLength(raw);
    assert.match(oneLine(await frame.locator("summary").textContent()), new RegExp(` ${size} B `));
    await frames.getByRole("button", { name: "Pause" }).click();
    const before = await listed.count();
    await writer.publish("while it is paused");
    await frames.getByText(/paused, [1-9]\d* frames? passed by/).waitFor();
    assert.equal(await listed.count(), before);
    await frames.getByRole("button", { name: "Go on" }).click();
    await writer.publish("and again");
    await until(
      () => listed.count(),
      (count) => count > before,
      "frames to be listed again",
    );
    await frames.getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("Live view off").waitFor();
    const clients = async () => {
      const { body } = await call(server, session, "GET", "/diagnostics");
      return (body as { connections: { client: string }[] }).connections.map((it) => it.client);
    };
    await until(clients, (left) => left.join() === "writer", "the page's connection to be gone");
    await frames.getByRole("button", { name: "Connect" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await writer.close();
  });
});

describe("the same with curl", () => {
  test("every line runs in a shell and gives what the page shows; no token is in it", async () => {
    const session = "it~is:a.name";
    const { ann, scribe } = await conversation(session);
    const page = await inspectors.open(encodeURIComponent(session));
    // Its own connection is among those that the lines show.
    await page.getByText("Live", { exact: true }).waitFor();
    const shown = await rows(entriesOf(page));
    const lines = await part(page, "The same with curl").locator(".line").allInnerTexts();
    assert.ok(lines.length >= 6, `${lines.length} reads`);
    const token = await makeToken(OPS);
    const answers = new Map<string, Record<string, unknown>>();
    for (const line of lines) {
      assert.ok(!line.includes(token.split(".")[1] ?? ""), "the token's claims are not in it");
      const { stdout } = await run("sh", ["-c", line], { env: { ...process.env, TOKEN: token } });
      const path = /\/v1\/[^'?]*/.exec(line)?.[0].split("/").at(-1) ?? "";
      answers.set(path, JSON.parse(stdout));
    }
    const { entries } = answers.get("log") as { entries: { serial: string }[] };
    assert.deepEqual(
      entries.map(({ serial }) => serial).reverse(),
      shown.map((row) => row.at(-1)),
    );
    const { turns } = answers.get("turns") as { turns: { id: string }[] };
    assert.deepEqual(
      turns.map(({ id }) => id),
      ["second", "first"],
    );
    const { connections } = answers.get("diagnostics") as { connections: { connection: string }[] };
    const open = part(page, "Connections").getByRole("table", { name: "Open connections" });
    await open.getByText("(this page)").waitFor();
    const told = (await rows(open)).map(([, connection]) => connection);
    assert.deepEqual(connections.map(({ connection }) => connection).sort(), told.sort());
    await ann.close();
    await scribe.close();
  });

  test("a button copies the line of its part", async () => {
    const { ann, scribe } = await conversation("copied");
    const page = await inspectors.open("copied", {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const button = part(page, "Approvals and calls").getByRole("button", { name: /^Copy as curl/ });
    await button.click();
    await page.getByText("Copied", { exact: true }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^curl .*\$TOKEN.*\/v1\/sessions\/copied\/approvals\?status=all/);
    await ann.close();
    await scribe.close();
  });
});

test("names that others made up stay text, in every part", async () => {
  const session = "hostile";
  const { server } = inspectors;
  const evil = `"><img src=x onerror=document.title='owned'>'\`$(id)`;
  const sub = `<script>document.title='owned'</script>`;
  await settings(server, session, { title: evil });
  const user = await connect(server, session, { sub });
  const scribe = await agent(server, session, { sub: evil, caps: { "*": ["agent"] } });
  const input = await user.publish(evil, { name: evil, id: evil });
  await start(scribe, { id: evil, input });
  await scribe.ok({ type: "approval.request", id: evil, turn: evil, title: evil, grant: evil });
  await user.ok({ type: "presence.set", data: { evil } });
  await start(scribe, { id: `${evil}2` });
  await end(scribe, `${evil}2`, "failed", { error: { message: evil } });
  await user.publish(`RTL \u202e and \u0007`, { name: `\u202eevil` });
  const page = await inspectors.open(session);
  assert.match(await finding(page, /ended turn/), /onerror=document\.title='owned'>'ˋ\$\(id\)/);
  const shown = await rows(entriesOf(page));
  assert.ok(shown.some(([, , who]) => who === sub.slice(0, 40) || who?.startsWith("<script>")));
  assert.ok(shown.some(([, , , about]) => about?.includes("\\u{202e}evil")));
  for (const frame of await page.getByRole("listitem").locator("summary").all()) {
    await frame.click();
  }
  const found = await page.evaluate(() => ({
    title: document.title,
    images: document.querySelectorAll("img").length,
    scripts: document.querySelectorAll("script:not([src])").length,
  }));
  assert.deepEqual(found, { title: "hostile · Inspector", images: 0, scripts: 0 });
  await user.close();
  await scribe.close();
});
