// P13.4: reads cost what they answer, however long the log is and however often somebody asks.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type Attacked, assertUndisturbed, besides } from "../support/bystanders.ts";
import { attach, type Client, connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { AGENT, agent, drive, settings, start, USER, VIEWER } from "../support/turns.ts";
import { sleep } from "../support/wait.ts";

/** So fast that a log is long before a test is. */
const QUICK = { framesPerSecond: 1e6, framesBurst: 1e6, messagesPerSecond: 1e6 };
const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(QUICK) } });

const ATTACK_MS = 1000;
/** Rows that one client may read in a second, by the bytes that they count as (P14). */
const ROWS_A_SECOND = (32 * 1024 * 1024) / 256;
/** Loops of one client at once. */
const LOOPS = 8;
/** Turns that changed: more than a replay looks at (P3.6). */
const TURNS = 2_100;
/** Messages: more than are looked at for those of a name, or for a conversation. */
const MESSAGES = 22_000;
/** Rows that any attach or read here takes at most. */
const ROWS = { end: 100, looked: 4_100, named: 8_200, page: 2_000, conversation: 21_000 };

/** Publishes so many small messages. */
async function publishMany(client: Client, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 100) {
    const messages = Array.from({ length: Math.min(100, left) }, () => ({ data: "x" }));
    await client.ok({ type: "publish", messages });
  }
}

/** Asks in some loops for a while; gives how often that was. */
async function loops(ask: () => Promise<void>): Promise<number> {
  const end = performance.now() + ATTACK_MS;
  let asked = 0;
  const loop = async (): Promise<void> => {
    for (; performance.now() < end; asked += 1) await ask();
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
  return asked;
}

describe("loops of a viewer in a long log", () => {
  // Not evicted after each test, since all of them read it.
  const session = "long";
  let first: string;
  let last: string;

  before(async () => {
    const writer = await agent(fixture.server, session, { keep: false });
    // A turn that is open all the time, so that its messages are far apart.
    const turn = await start(writer, { leaseMs: 600_000 });
    first = await writer.publish("the first", { turn: turn.id });
    await publishMany(writer, MESSAGES);
    for (let count = 0; count < TURNS; count += 1) {
      const id = `t${count}`;
      writer.send([
        { type: "turn.start", id },
        { type: "turn.end", turn: id, status: "complete" },
      ]);
    }
    last = await writer.publish("the last", { turn: turn.id });
    await writer.close();
  });

  /** Reads in loops beside bystanders; each time may read so many rows. */
  async function reading(ask: (token: string) => Promise<void>, rows: number): Promise<void> {
    const token = await makeToken(VIEWER);
    let asked = 0;
    let seconds = 0;
    const cost = await besides(fixture.server, session, fixture.session("other"), async () => {
      const from = performance.now();
      asked = await loops(() => ask(token));
      seconds = (performance.now() - from) / 1000;
    });
    assert.ok(asked >= LOOPS, `asked ${asked} times`);
    // Each loop reads to the end of its last request.
    const most = ROWS_A_SECOND * (1 + seconds) + LOOPS * rows;
    assertUndisturbed(cost, Math.min(asked * rows, most));
  }

  const attaches: [string, () => Record<string, string | number>, number][] = [
    ["P3.5 a position at the end", () => ({ since: last, rewind: 0 }), ROWS.end],
    ["P3.6 an old position", () => ({ since: first, rewind: 0 }), ROWS.looked],
    ["P3.3 a rewind to names that nothing has", () => ({ names: "rare" }), ROWS.looked],
    ["P3.6 both", () => ({ since: first, names: "rare" }), ROWS.named],
  ];
  for (const [what, query, rows] of attaches) {
    test(`${what}: an attach reads what is looked at, and no more`, () =>
      reading(async (token) => {
        const options = { token, query: query(), keep: false };
        try {
          await (await attach(fixture.server, session, options)).client.close();
        } catch (error) {
          assert.match(String(error), /"rate-limited"/);
        }
      }, rows));
  }

  const pages: [string, () => string, number][] = [
    ["P3.9 a page of history", () => "/messages?limit=1000", ROWS.page],
    ["P11.1 a snapshot", () => "?rewind=1000", ROWS.page],
    ["P6.10 a page of turns", () => "/turns?limit=1000", ROWS.page],
    ["P6.9 a conversation", () => `/messages?to=${last}&limit=1000`, ROWS.conversation],
  ];
  for (const [what, path, rows] of pages) {
    test(`${what} reads what it holds, or what is looked at`, () =>
      reading(async (token) => {
        const answer = await call(fixture.server, session, "GET", path(), { token });
        assert.ok([200, 429].includes(answer.status), answer.text.slice(0, 300));
      }, rows));
  }
});

describe("a turn that has been open for long", () => {
  test("P6.8 its adoption reads no more, the more others said meanwhile", async () => {
    const [session, other] = [fixture.session("adopted"), fixture.session("other")];
    const rows: number[] = [];
    await besides(fixture.server, session, other, async () => {
      const [scribe, next] = [
        await agent(fixture.server, session, { keep: false }),
        await agent(fixture.server, session, { keep: false }),
      ];
      const people = await connect(fixture.server, session, { ...USER, keep: false });
      const turn = await start(scribe, { leaseMs: 600_000 });
      const message = { turn: turn.id, data: "half", role: "assistant" };
      await scribe.ok({ type: "publish", messages: [message] });
      for (const count of [10, 1_000, 1_000]) {
        await publishMany(people, count);
        const before = (await diagnostics(fixture.server, session)).rowsRead;
        for (let time = 0; time < 5; time += 1) {
          await drive(time % 2 === 0 ? next : scribe, "turn.adopt", turn.id, { keep: true });
        }
        await drive(next, "turn.adopt", turn.id);
        rows.push((await diagnostics(fixture.server, session)).rowsRead - before);
      }
      for (const client of [scribe, next, people]) await client.close();
    });
    const [few = 0, , many = 0] = rows;
    assert.ok(many <= few + 100, `rows read: ${rows}`);
  });
});

describe("retention", () => {
  test("P11.2 takes steps, each by what it deletes, and not one for each message", async () => {
    const [session, other] = [fixture.session("retained"), fixture.session("other")];
    const count = 3_000;
    let trims = 0;
    const cost: Attacked = await besides(fixture.server, session, other, async () => {
      await settings(fixture.server, session, { retentionMs: 1_000 });
      const writer = await connect(fixture.server, session, { ...AGENT, keep: false });
      writer.onFrames = (frames) => {
        trims += frames.filter(({ type }) => type === "log.trim").length;
      };
      for (let sent = 0; sent < count; sent += 100) {
        await publishMany(writer, 100);
        // Each time some more of it are old.
        await sleep(100);
      }
      await writer.close();
    });
    assert.ok(trims <= 1, `${trims} steps in some seconds`);
    assert.ok(cost.read < 10 * count, `${cost.read} rows read for ${count} messages`);
    assert.ok(cost.written < 10 * count, `${cost.written} rows written for ${count} messages`);
  });
});
