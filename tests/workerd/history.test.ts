// P3.9: pages of history, and their seam with the live log.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Message, Page } from "../support/frames.ts";
import { assertRefused, call, getPage } from "../support/http.ts";

const fixture = useServer();

async function written(count: number): Promise<{ session: string; serials: string[] }> {
  const session = fixture.session();
  const writer = await connect(fixture.server, session);
  const serials: string[] = [];
  for (let at = 0; at < count; at += 50) {
    const messages = Array.from({ length: Math.min(50, count - at) }, (_, i) => ({ data: at + i }));
    const result = await writer.ok({ type: "publish", messages });
    serials.push(...(result.messages ?? []).map((m) => m.serial));
  }
  await writer.close();
  return { session, serials };
}

function serialsOf(page: Page): string[] {
  return page.messages.map((message) => message.serial);
}

describe("history", () => {
  test("P3.9 newest first with before or neither, oldest first with after", async () => {
    const { session, serials } = await written(120);
    const newest = await getPage(fixture.server, session);
    assert.deepEqual(serialsOf(newest), serials.slice(-100).reverse(), "100 unless told");
    assert.equal(newest.hasMore, true);
    const rest = await getPage(fixture.server, session, { before: newest.next ?? "" });
    assert.deepEqual(serialsOf(rest), serials.slice(0, 20).reverse());
    assert.equal(rest.hasMore, false);
    const after = await getPage(fixture.server, session, { after: serials[9] ?? "", limit: 5 });
    assert.deepEqual(serialsOf(after), serials.slice(10, 15));
    assert.equal(after.hasMore, true);
    const end = await getPage(fixture.server, session, { after: serials.at(-1) ?? "" });
    assert.deepEqual([end.messages, end.hasMore], [[], false]);
  });

  test("P3.9 a page holds what its limit says; a limit out of 1–1000 is refused", async () => {
    const { session } = await written(20);
    assert.equal((await getPage(fixture.server, session, { limit: 1 })).messages.length, 1);
    assert.equal((await getPage(fixture.server, session, { limit: 1000 })).messages.length, 20);
    for (const limit of ["0", "1001", "-5", "many", "1.5"]) {
      const answer = await call(fixture.server, session, "GET", `/messages?limit=${limit}`);
      assert.match(assertRefused(answer, 400, "invalid-frame").message, /limit/);
    }
  });

  test("P3.9 one item per message, aggregated, at its place of creation", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const first = await writer.publish("1:", { status: "streaming" });
    const second = await writer.publish("second");
    const numbers = Array.from({ length: 30 }, (_, n) => `${n}`);
    await writer.appendAll(first, numbers);
    await writer.ok({ type: "update", serial: second, data: "changed" });
    const page = await getPage(fixture.server, session);
    assert.deepEqual(serialsOf(page), [second, first]);
    const text = `1:${numbers.join("")}`;
    assert.deepEqual(
      page.messages.map((m) => m.data),
      ["changed", text],
    );
  });

  test("P3.9 pages meet while the log grows, both ways", async () => {
    const { session, serials } = await written(150);
    const writer = await connect(fixture.server, session);
    const seen: Message[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await getPage(fixture.server, session, {
        limit: 20,
        ...(before === undefined ? {} : { before }),
      });
      seen.push(...page.messages);
      await writer.ok({ type: "publish", messages: [{ data: "newer" }, { data: "newer" }] });
      if (!page.hasMore) break;
      before = page.next;
    }
    assert.deepEqual(seen.map((m) => m.serial).reverse(), serials, "each once, none missed");
    const forward: string[] = [];
    let after = serials[0] ?? "";
    for (let turns = 0; ; turns += 1) {
      const page = await getPage(fixture.server, session, { limit: 20, after });
      forward.push(...serialsOf(page));
      if (turns < 3) await writer.publish("newest");
      if (!page.hasMore) break;
      after = page.next ?? "";
    }
    assert.equal(new Set(forward).size, forward.length, "no repeat");
    assert.deepEqual(forward.slice(0, 149), serials.slice(1));
    assert.equal(forward.length, 149 + 2 * 8 + 3);
  });

  test("P3.4, P3.9 what a rewind left out joins on without gap or overlap", async () => {
    const { session, serials } = await written(90);
    const { client, attached } = await attach(fixture.server, session, { query: { rewind: 30 } });
    assert.equal(attached.hasOlder, true);
    const shown = client.inbox.flatMap((f) => (f.message === undefined ? [] : [f.message.serial]));
    const older = await getPage(fixture.server, session, { before: shown[0] ?? "", limit: 1000 });
    assert.deepEqual([...serialsOf(older).reverse(), ...shown], serials);
  });

  test("P3.9 a page ends at 1 MiB, and the next goes on", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    for (let i = 0; i < 15; i += 1) await writer.publish(`${i}`.padEnd(200_000, "z"));
    const serials: string[] = [];
    let before: string | undefined;
    let pages = 0;
    for (;;) {
      const answer = await call(
        fixture.server,
        session,
        "GET",
        `/messages?limit=1000${before === undefined ? "" : `&before=${before}`}`,
      );
      assert.equal(answer.status, 200);
      assert.ok(answer.text.length <= 1024 * 1024 + 65_536, `${answer.text.length} bytes`);
      const page = answer.body as Page;
      assert.ok(page.messages.length > 0, "a page always brings one on");
      serials.push(...serialsOf(page));
      pages += 1;
      if (!page.hasMore) break;
      before = page.next;
    }
    assert.equal(new Set(serials).size, 15);
    assert.ok(pages >= 3 && pages <= 5, `${pages} pages`);
  });

  test("P1.2 the history of a session that never was is empty", async () => {
    const session = fixture.session();
    const page = await getPage(fixture.server, session);
    assert.deepEqual([page.messages, page.hasMore], [[], false]);
    assert.deepEqual(await fixture.server.tables(session), []);
  });
});
