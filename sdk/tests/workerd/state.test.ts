// Shared state, annotations and read marks, on the SDK of a page against a real Worker (P9).

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { call } from "../../../tests/support/http.ts";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { until } from "../../../tests/support/wait.ts";
import { annotationsOf, marksOf, type SharedState, sharedState } from "../../src/index.ts";
import { open, shows } from "../support.ts";

const fixture = useServer();
const ANN = { sub: "ann", caps: { "*": ["user"] } };
const BOB = { sub: "bob", caps: { "*": ["user"] } };
const EACH = 100;

interface Tree {
  count?: number;
  name?: string;
  big?: string;
}

async function stored(name: string): Promise<SharedState> {
  const answer = await call(fixture.server, name, "GET", "/state", ANN);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as SharedState;
}

async function proxied(t: TestContext, name: string, claims: typeof ANN) {
  const wire = await CuttingProxy.start(fixture.server.port);
  t.after(() => wire.stop());
  return { wire, page: await open(t, wire, name, claims) };
}

test("P9.1 two clients that are cut off again and again count exactly", async (t) => {
  const name = fixture.cutSession();
  const both = await Promise.all([proxied(t, name, ANN), proxied(t, name, BOB)]);
  const counts = both.map(async ({ wire, page }) => {
    const state = sharedState<Tree>(page);
    for (let at = 0; at < EACH; at += 10) {
      const added = Array.from({ length: 10 }, () => state.increment(["count"]));
      if (at % 20 === 0) wire.cut();
      await Promise.all(added);
    }
  });
  await Promise.all(counts);
  assert.deepEqual((await stored(name)).value, { count: 2 * EACH });
  for (const { page } of both) {
    await shows(page, () => sharedState<Tree>(page).get(["count"]) === 2 * EACH, "the count");
  }
});

test("P9.1 a refused change leaves no trace, and a batch that throws is not sent", async (t) => {
  const name = fixture.session();
  const page = await open(t, fixture.server, name, ANN);
  const state = sharedState<Tree>(page);
  await state.set(["name"], "Rome");
  await shows(page, () => state.version !== "", "the change");
  const { version } = await stored(name);
  const wrong = state.batch((batch) => {
    batch.increment(["count"]);
    batch.increment(["name"]);
  });
  assert.equal(state.get(["count"]), 1, "shown until it is refused");
  await assert.rejects(wrong, { code: "invalid-frame", message: /ops\[1\]/ });
  const thrown = state.batch((batch) => {
    batch.increment(["count"]);
    throw new Error("mine");
  });
  await assert.rejects(thrown, /mine/);
  await assert.rejects(state.batch((batch) => batch.reset(), { ifVersion: "" }));
  assert.deepEqual(state.value, { name: "Rome" });
  assert.deepEqual(await stored(name), { value: { name: "Rome" }, version });
});

test("P9.2 a late page has a tree too large for `attached`, begun early or late", async (t) => {
  const name = fixture.session();
  const tree = { big: "x".repeat(100_000), count: 1 };
  const first = await open(t, fixture.server, name, ANN);
  await sharedState<Tree>(first).set([], tree);
  const early = await open(t, fixture.server, name, { ...BOB, isIdle: true });
  const state = sharedState<Tree>(early);
  await early.connect();
  assert.deepEqual(state.value, tree);
  const late = await open(t, fixture.server, name, BOB);
  await shows(late, () => sharedState<Tree>(late).get(["big"]) === tree.big, "the tree");
  await sharedState<Tree>(first).increment(["count"]);
  for (const page of [early, late]) {
    await shows(page, () => sharedState<Tree>(page).get(["count"]) === 2, "the change");
  }
});

test("P9.3, P9.5 annotations are summed at each reader, and marks are told", async (t) => {
  const name = fixture.session();
  const [ann, bob] = [
    await open(t, fixture.server, name, ANN),
    await open(t, fixture.server, name, BOB),
  ];
  const { serial } = await ann.send("Shall we?");
  const total = () => ann.messages[0]?.annotations?.["like:distinct"]?.yes?.total;
  const likes = annotationsOf(bob);
  await likes.add(serial, "like:distinct", { name: "yes", data: { why: "sun" } });
  await shows(ann, () => total() === 1, "the sum");
  const { annotations } = await likes.list(serial, { limit: 10 });
  assert.deepEqual(
    annotations.map((it) => [it.client, it.name, it.data]),
    [["bob", "yes", { why: "sun" }]],
  );
  await likes.remove(serial, "like:distinct");
  await shows(ann, () => total() === undefined, "none");
  marksOf(ann);
  await marksOf(bob).read(serial);
  const isMarked = (marks: readonly { client: string; serial: string }[]) =>
    marks.some((mark) => mark.client === "bob" && mark.serial === serial);
  await until(async () => marksOf(ann).value, isMarked, "the mark");
  assert.ok(isMarked((await marksOf(bob).list()).marks));
});

test("P9.3 sums that were missed come with a resume, and disturb no edit", async (t) => {
  const name = fixture.cutSession();
  const { wire, page } = await proxied(t, name, ANN);
  const bob = await open(t, fixture.server, name, BOB);
  const { serial } = await page.send("Shall we?");
  const shown = (kind: string) => page.messages[0]?.annotations?.[kind]?.[""]?.total;
  await annotationsOf(bob).add(serial, "like:distinct");
  await shows(page, () => shown("like:distinct") === 1, "the sum");
  wire.cut();
  await annotationsOf(bob).add(serial, "star:multiple", { count: 3 });
  await shows(page, () => shown("star:multiple") === 3, "the sum that was missed");
  const ifVersion = page.messages[0]?.version as string;
  await page.link.request({ type: "update", serial, data: "Let us!", ifVersion });
  await shows(page, () => page.messages[0]?.data === "Let us!", "the edit");
  assert.deepEqual([shown("like:distinct"), shown("star:multiple")], [1, 3]);
});
