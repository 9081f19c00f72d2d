// P11.9: words are searched for in the real runtime, whose SQLite has FTS5.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../support/client.ts";
import { rowsWritten, useServer } from "../support/fixture.ts";
import { assertRefused, call } from "../support/http.ts";
import { settings, USER, VIEWER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const fixture = useServer({ vars: { SESSILE_WEBHOOK_SECRETS: SECRET } });

interface Page {
  found: { serial: string; snippet: string[] }[];
  hasMore: boolean;
  next?: string;
  behind?: boolean;
}

async function search(name: string, query: Record<string, string>): Promise<Page> {
  const asked = `/search?${new URLSearchParams(query)}`;
  const answer = await call(fixture.server, name, "GET", asked, USER);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as Page;
}

async function publish(name: string, ...texts: unknown[]): Promise<string[]> {
  const messages = texts.map((data) => ({ data }));
  const json = { type: "publish", ref: 1, messages };
  const answer = await call(fixture.server, name, "POST", "/frames", { ...USER, json });
  assert.equal(answer.status, 200, answer.text);
  const placed = (answer.body as { result: { messages: { serial: string }[] } }).result;
  return placed.messages.map(({ serial }) => serial);
}

/** Asks until the index has all of the log. */
async function whole(name: string, query: Record<string, string>): Promise<Page> {
  let page = await search(name, query);
  while (page.behind) page = await search(name, query);
  return page;
}

test("P11.9 words, beginnings and other scripts, in pages, with where they are", async () => {
  const name = fixture.session();
  const texts = [
    "The café opens",
    { parts: [{ text: "a Cafe\u0301 in 東京" }] },
    "私は東京都に",
    "none",
  ];
  const [cafe, json, kyoto] = await publish(name, ...texts);
  const found = async (q: string) => (await search(name, { q })).found.map((hit) => hit.serial);
  assert.deepEqual(await found("CAFE"), [json, cafe]);
  assert.deepEqual(await found("caf*"), [json, cafe]);
  assert.deepEqual(await found("caf"), []);
  assert.deepEqual(await found("東京"), [kyoto, json]);
  assert.deepEqual(await found('opens" OR "none'), []);
  const first = await search(name, { q: "cafe", limit: "1" });
  assert.deepEqual([first.hasMore, first.next], [true, json]);
  const last = await search(name, { q: "cafe", limit: "1", before: first.next ?? "" });
  assert.deepEqual(last.found[0]?.snippet, ["The ", "café", " opens"]);
  assert.equal(last.hasMore, false);
});

test("P11.9 a search needs read, and is refused by name", async () => {
  const name = fixture.session();
  const { server } = fixture;
  const asks = (q: string, claims: object) =>
    call(server, name, "GET", `/search?${new URLSearchParams({ q })}`, claims);
  const writer = { sub: "w", caps: { "*": ["publish"] } };
  assertRefused(await asks("a", writer), 403, "forbidden");
  assertRefused(await asks("*", VIEWER), 400, "invalid-frame");
  assertRefused(await asks("a ".repeat(17), VIEWER), 400, "invalid-frame");
  assert.equal((await asks("a", VIEWER)).status, 200);
  assert.deepEqual(await server.tables(name), [], "a search of nothing writes nothing");
});

test("P11.9 what streams is found at its close; what is said costs no row more", async () => {
  const name = fixture.session();
  const agent = await connect(fixture.server, name, { ...USER, sub: "agent" });
  const [serial = ""] = await publish(name, "before");
  const rows = async (act: () => Promise<unknown>): Promise<number> => {
    const before = await rowsWritten(fixture.server, name);
    await act();
    return (await rowsWritten(fixture.server, name)) - before;
  };
  const say = () => publish(name, "a needle");
  const unsearched = await rows(say);
  await search(name, { q: "needle" });
  assert.equal(await rows(say), unsearched);
  const streaming = await agent.ok({
    type: "publish",
    messages: [{ data: "nee", status: "streaming" }],
  });
  const [{ serial: streams }] = (streaming as unknown as { messages: [{ serial: string }] })
    .messages;
  assert.equal((await search(name, { q: "needle" })).found.length, 2);
  await agent.ok({ type: "append", serial: streams, data: "dle", seq: 1, status: "complete" });
  const { found } = await search(name, { q: "needle" });
  assert.deepEqual([found.length, found[0]?.serial], [3, streams]);
  assert.equal(await rows(() => search(name, { q: "needle" })), 0);
  assert.equal((await search(name, { q: "before" })).found[0]?.serial, serial);
  await agent.close();
});

test("P11.9 the index outlives kill -9 and goes with what was deleted", async () => {
  const name = fixture.session();
  const { server } = fixture;
  await settings(server, name, {
    hooks: [{ url: "https://hooks.example/", events: ["session.delete"] }],
  });
  const texts = Array.from({ length: 1500 }, (_, index) => `word quagmire${index}`);
  const serials: string[] = [];
  for (let at = 0; at < texts.length; at += 100) {
    serials.push(...(await publish(name, ...texts.slice(at, at + 100))));
  }
  const first = await search(name, { q: "word" });
  assert.equal(first.behind, true);
  await server.kill9();
  await server.restart();
  const all = await whole(name, { q: "quagmire1499" });
  assert.deepEqual(
    all.found.map(({ serial }) => serial),
    [serials.at(-1)],
  );
  await publish(name, "xylophone zeppelin");
  const { found } = await search(name, { q: "zeppelin" });
  await call(server, name, "DELETE", `/messages/${found[0]?.serial}`, USER);
  assert.equal((await search(name, { q: "xylophone" })).found.length, 0);
  const holds = async (word: string): Promise<boolean> => {
    const rows = await server.query(
      name,
      `SELECT count(*) AS n FROM said_data WHERE instr(block, CAST('${word}' AS BLOB))`,
    );
    return Number(rows[0]?.n) > 0;
  };
  assert.equal(await holds("quagmire"), true);
  assert.equal(await holds("ylophone"), false, "the index has nothing of it");
  const erased = await call(server, name, "DELETE");
  assert.equal(erased.status, 200, erased.text);
  assert.deepEqual(
    await server.tables(name),
    ["delivery"],
    "a hook is still owed, and nothing else",
  );
});

test("P11.9 where retention takes much, the index goes, and is made anew", async () => {
  const name = fixture.session();
  const { server } = fixture;
  const texts = Array.from({ length: 40 }, () => "a needle ".repeat(500));
  await publish(name, ...texts);
  assert.equal((await search(name, { q: "needle", limit: "100" })).found.length, 40);
  const hasIndex = async () => (await server.tables(name)).includes("said");
  assert.equal(await hasIndex(), true);
  await settings(server, name, { retentionMs: 1000 });
  await until(hasIndex, (has) => !has, "the index to go");
  await settings(server, name, { retentionMs: null });
  const [serial] = await publish(name, "another needle");
  const { found } = await search(name, { q: "needle" });
  assert.deepEqual(
    found.map((hit) => hit.serial),
    [serial],
  );
});
