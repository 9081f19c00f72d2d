// Searching with the SDK of a page against a real Worker (P11.9).

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../../tests/support/client.ts";
import { useServer } from "../../../tests/support/fixture.ts";
import { searchOf } from "../../src/index.ts";
import { open } from "../support.ts";

const fixture = useServer();

test("P11.9 a page finds what was said, in pages, however long the log is", async (t) => {
  const name = fixture.session();
  const writer = await connect(fixture.server, name, { sub: "writer" });
  for (let first = 0; first < 1_200; first += 100) {
    const messages = Array.from({ length: 100 }, (_, index) => ({
      data: `${(first + index) % 400 === 399 ? "a rare" : "a common"} word ${first + index}`,
    }));
    await writer.ok({ type: "publish", messages });
  }
  const session = await open(t, fixture.server, name, { rewind: 0 });
  const search = searchOf(session);
  const { found, hasMore, next = "" } = await search.find("rare wor*", { limit: 2 });
  assert.deepEqual(
    found.map(({ snippet }) => snippet.filter((_, index) => index % 2 === 1)),
    [
      ["rare", "word"],
      ["rare", "word"],
    ],
  );
  assert.equal(hasMore, true);
  const { hasMore: isMore, ...last } = await search.find("rare wor*", { limit: 2, before: next });
  assert.deepEqual([last.found[0]?.snippet.join(""), isMore], ["a rare word 399", false]);
  await assert.rejects(search.find("*"), { code: "invalid-frame" });
  await writer.close();
});
