// An inbox of the SDK against a real Worker: supervisors decide in sessions unknown to them (P15).

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { agent, start } from "../../../tests/support/turns.ts";
import { until, within } from "../../../tests/support/wait.ts";
import { createInbox, type Inbox, type InboxSnapshot } from "../../src/inbox/index.ts";
import { QUICK } from "../support.ts";

const fixture = useServer();
let people = 0;

/** The inbox of a supervisor that no other test has. */
async function open(t: TestContext, url = fixture.server.url, sub = ""): Promise<Inbox> {
  people += 1;
  const claims = { sub: sub || `sue-${people}`, caps: { "*": ["supervisor"] } };
  const inbox = createInbox({ url, token: () => makeToken(claims), timing: QUICK });
  t.after(() => inbox.close());
  await within(inbox.connect(), "an inbox to connect");
  return inbox;
}

async function shows(
  inbox: Inbox,
  is: (snapshot: InboxSnapshot) => boolean,
  what: string,
): Promise<void> {
  await until(
    () => is(inbox.getSnapshot()),
    (so) => so,
    what,
  );
}

/** An agent that waits for a supervisor. */
async function asking(ids: readonly string[]) {
  const session = fixture.session("inbox");
  const bot = await agent(fixture.server, session);
  const { id: turn } = await start(bot);
  const request = (id: string) =>
    bot.ok({ type: "approval.request", id, turn, title: "Buy?", assignees: ["role:supervisor"] });
  for (const id of ids) await request(id);
  return { session, bot, request };
}

const of = ({ approvals }: InboxSnapshot, session: string) =>
  approvals.filter((it) => it.session === session).map(({ id }) => id);

test("P15 an approval is found, decided and gone, live in another inbox, too", async (t) => {
  const early = await open(t);
  const { session, bot, request } = await asking(["a1"]);
  await shows(early, (it) => of(it, session).join() === "a1", "the approval, live");
  const late = await open(t);
  await shows(late, (it) => of(it, session).join() === "a1", "the approval, at first");
  const found = late.getSnapshot().sessions.find(({ id }) => id === session);
  assert.equal(found?.pendingApprovals, 1);
  const [approval] = late.getSnapshot().approvals.filter((it) => it.session === session);
  assert.ok(approval);
  const deciding = late.decide(approval, "approve", { comment: "Fine" });
  const shown = late.getSnapshot().approvals.find((it) => it.session === session);
  assert.equal(shown?.deciding, "approve");
  const decided = await deciding;
  assert.deepEqual([decided.status, decided.comment], ["approved", "Fine"]);
  assert.deepEqual(of(late.getSnapshot(), session), []);
  await bot.next("approval.decide");
  await shows(early, (it) => of(it, session).length === 0, "that it is decided");
  const again = early.decide(approval, "reject");
  await assert.rejects(again, ({ info }) => info.approval.decidedBy === decided.decidedBy);
  await request("a2");
  for (const inbox of [early, late]) {
    await shows(inbox, (it) => of(it, session).join() === "a2", "the next one");
  }
  await bot.close();
});

test("P15.2 an inbox whose wire was cut shows what it missed, also after kill -9", async (t) => {
  const wire = await CuttingProxy.start(fixture.server.port);
  t.after(() => wire.stop());
  const inbox = await open(t, wire.url);
  const { session, bot, request } = await asking(["a1"]);
  await shows(inbox, (it) => of(it, session).join() === "a1", "the approval");
  wire.unplug();
  await shows(inbox, ({ connection }) => connection.state === "waiting", "a lost wire");
  await bot.ok({ type: "approval.withdraw", approval: "a1" });
  await request("a2");
  wire.plug();
  await shows(inbox, (it) => of(it, session).join() === "a2", "what it missed");
  await fixture.server.kill9();
  await fixture.server.start();
  await shows(inbox, ({ connection }) => connection.state === "connected", "a connection");
  await shows(inbox, (it) => of(it, session).join() === "a2", "the same");
});

test("P15.1 lists are read in pages", async (t) => {
  const ids = Array.from({ length: 110 }, (_, index) => `a${index}`);
  const asked = await Promise.all(Array.from({ length: 10 }, () => asking(ids)));
  const live = await open(t);
  const isTold = (it: InboxSnapshot) =>
    asked.every(
      ({ session }) => it.sessions.find(({ id }) => id === session)?.pendingApprovals === 110,
    );
  await shows(live, isTold, "all of them");
  const inbox = await open(t);
  const { approvals, hasMore } = inbox.getSnapshot();
  assert.ok(hasMore.approvals && approvals.length < 1_100, "the first frame has not all");
  while (inbox.getSnapshot().hasMore.approvals) await inbox.loadMore("approvals");
  for (const { session, bot } of asked) {
    assert.deepEqual(of(inbox.getSnapshot(), session), ids.toReversed());
    await bot.close();
  }
});
