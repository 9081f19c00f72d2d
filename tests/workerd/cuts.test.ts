// P3.5, P3.7, P3.10: readers cut without a goodbye, during streams and during replays.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { getMessage } from "../support/http.ts";
import { Random, tokens } from "../support/random.ts";
import { EventReader, Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";
import { paced } from "../support/wait.ts";

const fixture = useServer();

interface Stream {
  serial: string;
  text: string;
  done: Promise<void>;
}

/** Streams numbered tokens at a steady pace and completes the message. */
async function stream(agent: Client, count: number, perSecond: number): Promise<Stream> {
  const serial = await agent.publish("", { status: "streaming" });
  const pieces = tokens(count);
  const done = paced(count, perSecond, (index) => {
    agent.send({ type: "append", serial, data: pieces[index], seq: index + 1 });
  }).then(async () => {
    await agent.ok({ type: "append", serial, data: "", seq: count + 1, status: "complete" });
  });
  return { serial, text: pieces.join(""), done };
}

describe("cuts", () => {
  test("P3.5 a reader cut 25 times during a stream misses and repeats nothing", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const readers = [0, 40, 160].map(
      (rollup) => new Reader(fixture.server, session, { sub: `r${rollup}`, query: { rollup } }),
    );
    for (const reader of readers) await reader.attach();
    const { serial, text, done } = await stream(agent, 1500, 300);
    let isOver = false;
    const over = done.then(() => {
      isOver = true;
    });
    const cutAgain = async (reader: Reader, cuts: number): Promise<void> => {
      for (let cut = 0; cut < cuts && !isOver; cut += 1) {
        const goal = reader.fold.text(serial).length + random.between(1, 600);
        const isThere = reader.holds((fold) => fold.text(serial).length >= goal, "more text");
        await Promise.race([isThere, over]);
        await reader.cut();
        const isWaiting = random.below(2) === 0;
        await reader.attach({}, isWaiting);
        if (isWaiting) assert.equal(reader.fold.attached?.resumed, true);
      }
    };
    const [first, ...others] = readers;
    assert.ok(first);
    await Promise.all([cutAgain(first, 25), ...others.map((reader) => cutAgain(reader, 10)), over]);
    for (const reader of readers) {
      await reader.holdsStatus(serial, "complete");
      assertText(reader.fold.text(serial), text);
      assertText(reader.fold.lenient.get(serial), text);
      reader.fold.assertSound();
    }
    assertText((await getMessage(fixture.server, session, serial)).data, text);
  });

  test("P3.8 an SSE reader cut again and again resumes with Last-Event-ID", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new EventReader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    const { serial, text, done } = await stream(agent, 600, 300);
    for (let cut = 0; cut < 8; cut += 1) {
      const goal = reader.fold.text(serial).length + random.between(1, 500);
      const isThere = reader.holds((fold) => fold.text(serial).length >= goal, "more text");
      await Promise.race([isThere, done]);
      await reader.cut();
      await reader.attach();
      assert.equal(reader.fold.attached?.resumed, true);
    }
    await done;
    await reader.holds((fold) => fold.messages.get(serial)?.status === "complete", "the end");
    assertText(reader.fold.text(serial), text);
    reader.fold.assertSound();
  });

  test("P3.7 a reader cut in the middle of a replay, again and again, gets there", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    const position = reader.fold.position;
    await reader.cut();
    const filler = "f".repeat(1500);
    for (let first = 0; first < 800; first += 100) {
      const messages = Array.from({ length: 100 }, (_, i) => ({ data: `${first + i} ${filler}` }));
      await agent.ok({ type: "publish", messages });
      await agent.ok({ type: "append", serial, data: `${first} ` });
    }
    let middle = 0;
    for (let cut = 0; cut < 12; cut += 1) {
      const { attaches } = reader.fold;
      await reader.attach({}, false);
      // Far enough from its end that what is on its way already is not all of the rest.
      const goal = random.between(0, 600);
      await reader.holds(
        (fold) =>
          fold.attaches > attaches &&
          (fold.isLive || (fold.sinceAttach["message.create"] ?? 0) > goal),
        "part of a replay",
      );
      if (!reader.fold.isLive) {
        middle += 1;
        assert.equal(reader.fold.position, position, "the position waits for caught-up");
      }
      await reader.cut();
      if (reader.fold.isLive) break;
      await agent.ok({ type: "append", serial, data: `cut ${cut} ` });
    }
    assert.ok(middle >= 3, `only ${middle} cuts fell into a replay`);
    await reader.attach();
    assert.equal(reader.fold.messages.size, 801);
    const whole = await getMessage(fixture.server, session, serial);
    assertText(reader.fold.text(serial), String(whole.data));
    assertText(reader.fold.lenient.get(serial), String(whole.data));
    reader.fold.assertSound();
  });

  test("P3.4 readers that come at any moment of a stream end with its text", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const { serial, text, done } = await stream(agent, 600, 300);
    let isOver = false;
    const over = done.then(() => {
      isOver = true;
    });
    const readers: Reader[] = [];
    while (!isOver && readers.length < 40) {
      const query = { rollup: random.pick([0, 10, 40, 250, 500]) };
      const reader = new Reader(fixture.server, session, { sub: `late${readers.length}`, query });
      await reader.attach();
      assert.equal(reader.fold.sinceAttach["message.create"], 1, "one frame, however late");
      readers.push(reader);
    }
    await over;
    assert.ok(readers.length > 5);
    for (const reader of readers) {
      await reader.holdsStatus(serial, "complete");
      assertText(reader.fold.text(serial), text);
      reader.fold.assertSound();
    }
  });

  test("P5.3 an agent cut at random resends from its last ack, and nothing doubles", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    let agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    const reader = new Reader(fixture.server, session, { sub: "reader", query: { rollup: 0 } });
    await reader.attach();
    const pieces = tokens(600);
    let acked = 0;
    for (let cuts = 0; acked < pieces.length; cuts += 1) {
      const client = agent;
      const first = acked;
      let isCut = false;
      const answers = pieces.slice(first, first + 120).map((data, i) =>
        client.request({ type: "append", serial, data, seq: first + i + 1 }).then((frame) => {
          assert.equal(frame.type, "ack", JSON.stringify(frame));
          acked = Math.max(acked, first + i + 1);
          if (cuts >= 15 || random.below(30) !== 0) return;
          isCut = true;
          client.cut();
        }),
      );
      await Promise.allSettled(answers);
      if (isCut) agent = await connect(fixture.server, session, { sub: "agent" });
    }
    await agent.ok({ type: "append", serial, data: "", seq: 601, status: "complete" });
    await reader.holdsStatus(serial, "complete");
    assertText(reader.fold.text(serial), pieces.join(""));
    reader.fold.assertSound();
  });
});
