// P13.4: nobody costs a session more than they may, and nobody else notices that they try.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Attacked, assertUndisturbed, besides } from "../support/bystanders.ts";
import { type Client, connect, open } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { rowsWritten, useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { call } from "../support/http.ts";
import { Reader } from "../support/reader.ts";
import { makeToken } from "../support/token.ts";
import { AGENT, USER, VIEWER } from "../support/turns.ts";
import { sleep, within } from "../support/wait.ts";

const fixture = useServer();
const FRAME_BYTES = 256 * 1024;
/** Rows that an attach reads in a session of next to nothing. */
const ATTACH_ROWS = 10;

/** Bystanders in a session and in another one, while something happens in the first. */
async function beside(act: (session: string) => Promise<void>): Promise<Attacked> {
  const [session, other] = [fixture.session("attacked"), fixture.session("other")];
  return besides(fixture.server, session, other, () => act(session));
}

async function attack(act: (session: string) => Promise<void>): Promise<void> {
  await beside(act);
}

/** The same by somebody who may only read, and attaches so often: the rest costs no rows. */
async function viewerAttack(
  attaches: number,
  act: (session: string) => Promise<void>,
): Promise<void> {
  assertUndisturbed(await beside(act), attaches * ATTACH_ROWS);
}

function counted(frames: readonly Frame[], code: string): number {
  return frames.filter(({ error }) => error?.code === code).length;
}

/** A message of 1 MiB. */
async function large(session: string): Promise<string> {
  const client = await connect(fixture.server, session, { ...USER, keep: false });
  const serial = await client.publish("", { status: "streaming" });
  const data = "x".repeat(FRAME_BYTES - 1000);
  for (let part = 0; part < 4; part += 1) await client.ok({ type: "append", serial, data });
  await client.ok({ type: "append", serial, status: "complete" });
  await client.close();
  return serial;
}

describe("what one message makes the session do", () => {
  const zeros = `[${"0,".repeat(FRAME_BYTES / 2 - 2)}0]`;

  test("P13.6 an array of 130 000 frames is one refusal and a close", () =>
    viewerAttack(20, async (session) => {
      for (let time = 0; time < 20; time += 1) {
        const viewer = await connect(fixture.server, session, VIEWER);
        viewer.socket.send(zeros);
        const nack = await viewer.next("nack");
        assert.equal(nack.error?.code, "too-large");
        await viewer.closedWith(4413);
        assert.equal(viewer.inbox.filter(({ type }) => type === "nack").length, 0, "one answer");
      }
      const posted = await call(fixture.server, session, "POST", "/frames", {
        ...VIEWER,
        body: zeros,
        type: "application/json",
      });
      assert.equal(posted.status, 413, posted.text.slice(0, 300));
    }));

  test("P14 refused frames have a rate: whoever only sends such is closed", () =>
    viewerAttack(1, async (session) => {
      const viewer = await connect(fixture.server, session, VIEWER);
      const refused = { type: "update", serial: "aaaa00000001", data: 1 };
      const array = Array.from({ length: 1000 }, () => refused);
      for (let time = 0; time < 40 && !viewer.isClosed; time += 1) {
        viewer.send(array);
        await sleep(20);
      }
      await viewer.closedWith(4429);
    }));

  test("P14 lines that are no frames have a rate as well", () =>
    viewerAttack(0, async (session) => {
      const ask = () =>
        call(fixture.server, session, "POST", "/frames", {
          ...VIEWER,
          body: "0\n".repeat(130_000),
          type: "application/x-ndjson",
        });
      // An answer that ends before the body was read may reset the request's connection.
      const answer = await ask().catch(ask).catch(ask);
      const lines = answer.text.trim().split("\n");
      assert.ok(lines.length < 25_000, `${lines.length} lines were answered`);
      assert.match(lines.at(-1) ?? "", /rate-limited/);
    }));

  test("P13.6 a hundred updates of a large message are done until they are too much", () =>
    attack(async (session) => {
      const serial = await large(session);
      const client = await connect(fixture.server, session, USER);
      const update = (n: number) => ({
        type: "update",
        ref: `u${n}`,
        serial,
        headers: { n: `${n}` },
      });
      for (let time = 0; time < 10; time += 1) {
        client.send(Array.from({ length: 100 }, (_, n) => update(time * 100 + n)));
        await client.next(({ ref }) => ref === `u${time * 100 + 99}`);
      }
      const many = Array.from({ length: 1000 }, (_, n) => update(n));
      const posted = await call(fixture.server, session, "POST", "/frames", {
        ...USER,
        json: many,
      });
      const text = posted.text;
      if (posted.status === 200) {
        const answers = posted.body as Frame[];
        assert.equal(answers.length, 1000);
        assert.ok(counted(answers, "rate-limited") > 900, text.slice(0, 300));
      } else assert.equal(posted.status, 429, text.slice(0, 300));
      const nacks = client.inbox.filter(({ type }) => type === "nack");
      assert.ok(counted(nacks, "rate-limited") > 100);
      await client.close();
    }));

  test("P13.5 cancels of a hundred turns are answered by ids, and only so many", () =>
    attack(async (session) => {
      const agent = await connect(fixture.server, session, { ...AGENT, keep: false });
      const metadata = { m: "x".repeat(4000) };
      for (let turn = 0; turn < 100; turn += 1) {
        await agent.ok({ type: "turn.start", id: `t${turn}`, leaseMs: 600_000, metadata });
      }
      const user = await connect(fixture.server, session, USER);
      const array = Array.from({ length: 1000 }, (_, n) => ({ type: "cancel", ref: n, all: true }));
      user.send(array);
      const last = await user.next(({ ref }) => ref === 999);
      assert.equal(last.error?.code, "rate-limited");
      for (let time = 0; time < 7 && !user.isClosed; time += 1) user.send(array);
      await user.next(({ ref }) => ref === 999).catch(() => {});
      assert.ok(user.bytes < 16 * 1024 * 1024, `${user.bytes} bytes of answers`);
      await agent.close();
    }));
});

describe("bursts of the session's own", () => {
  /** Some 250 KB that make more than one request may, and more than a reader may leave unsent. */
  function bulk(): unknown[] {
    const messages = Array.from({ length: 100 }, () => ({ data: 1 }));
    return Array.from({ length: 210 }, () => ({ type: "publish", messages }));
  }

  test("P13.7 readers who keep up are not closed, and whoever sent it is answered", async () => {
    const others = [fixture.session("other"), fixture.session("other")] as const;
    await besides(fixture.server, ...others, () => burst(fixture.session("bulk")));
  });

  async function burst(session: string): Promise<void> {
    // The frames that are made of so little text are mostly this name.
    const sub = "somebody with a name that is as long as a name may be".padEnd(128, ".");
    const readers: { client: Client; created: number; all: () => void }[] = [];
    let published = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 6; n += 1) {
      const client = await connect(fixture.server, session, { sub: `reader-${n}`, keep: false });
      const reader = { client, created: 0, all: () => {} };
      // Counted in the text: to parse all of it would hold up this process, and its clients.
      client.socket.begin((text) => {
        reader.created += text.split('"type":"message.create"').length - 1;
        if (reader.created >= published) reader.all();
      });
      readers.push(reader);
    }
    const events = await openEvents(fixture.server, session, { sub: "reader-sse", keep: false });
    let [told, allTold] = [0, () => {}];
    events.onEvent = ({ frame }) => {
      told += frame.type === "message.create" ? 1 : 0;
      if (told >= published) allTold();
    };
    const posted = Array.from({ length: 3 }, () =>
      call(fixture.server, session, "POST", "/frames", { sub, json: bulk() }),
    );
    let taken = 0;
    for (const answer of await Promise.all(posted)) {
      assert.equal(answer.status, 200, answer.text.slice(0, 300));
      const answers = answer.body as Frame[];
      assert.equal(answers.length, 210);
      taken += answers.filter(({ type }) => type === "ack").length * 100;
    }
    assert.ok(taken > 20_000, `${taken} messages`);
    published = taken;
    for (const reader of readers) {
      const all = new Promise<void>((done) => {
        reader.all = done;
        if (reader.created >= published) done();
      });
      await within(Promise.race([all, reader.client.closed]), "all that was published");
      assert.equal(reader.created, published);
      assert.equal(reader.client.isClosed, false, "nobody who keeps up is closed");
      await reader.client.close();
    }
    const whole = new Promise<void>((done) => {
      allTold = done;
      if (told >= published) done();
    });
    await within(Promise.race([whole, events.ended]), "all that was published, as events");
    assert.equal(told, published, "no event stream that keeps up is ended");
    events.cut();
  }
});

describe("refusals and attaches", () => {
  test("P2.5 a token without any operation wakes no session", async () => {
    const session = fixture.session("asleep");
    const token = await makeToken({ sub: "nobody", caps: { "*": [], "other-*": ["admin"] } });
    const post = { token, json: {} };
    const answers = [
      await call(fixture.server, session, "POST", "/frames", post),
      await call(fixture.server, session, "POST", "/messages", post),
      await call(fixture.server, session, "PATCH", "", post),
      await call(fixture.server, session, "GET", "/messages", { token }),
      await call(fixture.server, session, "POST", "/messages?stream=1", {
        token,
        body: "text",
        type: "text/plain",
      }),
    ];
    for (const answer of answers) assert.equal(answer.status, 403, answer.text);
    const client = await open(fixture.server, session, { token });
    assert.equal((await client.next("nack")).error?.code, "forbidden");
    await client.closedWith(4403);
    assert.equal(await fixture.server.evict(session), false, "there was nothing to evict");
  });

  const STREAM_MS = 4000;
  const query = { rollup: 500, rewind: 0 };

  /** Streams for a while with a reader at 500 ms, and gives the rows and frames that it cost. */
  async function stream(beside: (session: string, isOver: () => boolean) => Promise<void>) {
    const session = fixture.session("stream");
    const agent = await connect(fixture.server, session, { ...AGENT, query, keep: false });
    const reader = new Reader(fixture.server, session, { sub: "reader", query });
    await reader.attach();
    const serial = await agent.publish("", { status: "streaming" });
    const [rows, arrays] = [await rowsWritten(fixture.server, session), reader.arrays];
    let isOver = false;
    const other = beside(session, () => isOver);
    const end = performance.now() + STREAM_MS;
    while (performance.now() < end) {
      agent.send({ type: "append", serial, data: "x" });
      await sleep(20);
    }
    isOver = true;
    await within(other, "the other to end");
    const cost = {
      rows: (await rowsWritten(fixture.server, session)) - rows,
      arrays: reader.arrays - arrays,
    };
    reader.fold.assertSound();
    await reader.close();
    await agent.close();
    return cost;
  }

  test("P5.4 they cost no rows, and readers no frames, beyond those of the stream", async () => {
    const others: [string, (session: string, isOver: () => boolean) => Promise<void>][] = [
      [
        "refused updates",
        async (session, isOver) => {
          const viewer = await connect(fixture.server, session, { ...VIEWER, query, keep: false });
          const update = { type: "update", serial: "aaaa00000001", data: 1 };
          while (!isOver()) {
            assert.equal((await viewer.request(update)).type, "nack");
            // No faster than what is refused by name alone (P14).
            await sleep(1);
          }
          await viewer.close();
        },
      ],
      [
        "a token without any operation",
        async (session, isOver) => {
          const token = await makeToken({ sub: "nobody", caps: { "*": [] } });
          while (!isOver()) {
            const answer = await call(fixture.server, session, "POST", "/frames", {
              token,
              json: {},
            });
            assert.equal(answer.status, 403, answer.text);
          }
        },
      ],
      [
        "refused requests",
        async (session, isOver) => {
          while (!isOver()) {
            const json = { type: "publish", messages: [{ data: 1 }] };
            await call(fixture.server, session, "POST", "/frames", { ...VIEWER, json });
          }
        },
      ],
      [
        "attaches",
        async (session, isOver) => {
          const token = await makeToken(VIEWER);
          while (!isOver()) {
            const client: Client = await open(fixture.server, session, { token, query });
            await client.next("caught-up");
            await client.close();
          }
        },
      ],
    ];
    // Each in a session of its own, and all at once: what is counted is each session's.
    const alone = stream(async () => {});
    const costs = await Promise.all(others.map(([_, beside]) => stream(beside)));
    const undisturbed = await alone;
    for (const [index, cost] of costs.entries()) {
      const what = others[index]?.[0];
      const said = `${what}: ${JSON.stringify(cost)}, undisturbed ${JSON.stringify(undisturbed)}`;
      assert.ok(cost.rows <= 2 * undisturbed.rows, said);
      assert.ok(cost.arrays <= 2 * undisturbed.arrays, said);
    }
  });
});
