// P1.3, P3.10: text of every script through every path, offsets in UTF-16 code units.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { assertRefused, call, getHistory, getMessage } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { EventReader, Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";

const fixture = useServer();

const FAMILY = "\u{1f469}\u{1f3fd}\u200d\u2764\ufe0f\u200d\u{1f48b}\u200d\u{1f469}\u{1f3ff}";
const SCRIPTS = {
  emoji: `${FAMILY}\u{1f1e8}\u{1f1ed}\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}`,
  devanagari: "क्षत्रिय स्त्री र्‍य हिन्दी में",
  arabic: "السَّلامُ عَلَيْكُم\u200f مرحبا",
  combining: "Z\u0351\u036b\u0343a\u0301\u0327\u0323l\u0334g\u0321o\u0322 e\u0301",
  astral: "\u{20000}\u{10ffff}\u{1d11e}",
  separators: "a\u2028b\u2029c\u0085d\u00a0e\ufefff\u0000g\u001fh\u007fi",
  json: '"\\/\b\f\n\r\t</script>{}[]\\u0041',
  plain: "the quick brown fox",
} as const;

/** Cuts text anywhere but inside a surrogate pair: also inside a cluster of marks or joiners. */
function cut(text: string, random: Random): string[] {
  const characters = [...text];
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; ) {
    const length = random.between(1, 4);
    pieces.push(characters.slice(at, at + length).join(""));
    at += length;
  }
  return pieces;
}

describe("unicode", () => {
  for (const [script, text] of Object.entries(SCRIPTS)) {
    test(`P3.10 ${script}: appends cut anywhere are whole for every reader`, async (t) => {
      const random = new Random();
      t.diagnostic(`SESSILE_SEED=${random.seed}`);
      const session = fixture.session();
      const agent = await connect(fixture.server, session, { sub: "agent" });
      const live = new Reader(fixture.server, session, { sub: "live", query: { rollup: 0 } });
      await live.attach();
      const cutOff = new Reader(fixture.server, session, { sub: "cut", query: { rollup: 20 } });
      await cutOff.attach();
      const sse = new EventReader(fixture.server, session, { sub: "sse" });
      await sse.attach();
      const serial = await agent.publish(text, { status: "streaming" });
      const pieces = cut(text.repeat(6), random);
      let sent: string = text;
      for (const [i, data] of pieces.entries()) {
        const result = await agent.ok({ type: "append", serial, data, seq: i + 1 });
        assert.equal(result.seq, i + 1);
        sent += data;
        if (random.below(10) === 0) {
          await cutOff.cut();
          await cutOff.attach();
        }
      }
      const gap = { type: "append", serial, data: "x", seq: pieces.length + 2 };
      const error = await agent.refused(gap, "gap");
      assert.equal(error.length, sent.length, "length in UTF-16 code units");
      await agent.ok({ type: "append", serial, data: "", status: "complete" });
      for (const reader of [live, cutOff]) {
        await reader.holdsStatus(serial, "complete");
        assertText(reader.fold.text(serial), sent);
        reader.fold.assertSound();
      }
      await sse.holds((fold) => fold.messages.get(serial)?.status === "complete", "the end");
      assertText(sse.fold.text(serial), sent);
      sse.fold.assertSound();
      assertText((await getMessage(fixture.server, session, serial)).data, sent);
      const late = new Reader(fixture.server, session, { sub: "late" });
      await late.attach();
      assertText(late.fold.text(serial), sent);
      await fixture.server.evict(session);
      assertText((await getMessage(fixture.server, session, serial)).data, sent);
    });
  }

  test("P1.3 names, ids, headers, titles and keys of every script come back as sent", async () => {
    const session = fixture.session();
    const client = await connect(fixture.server, session, { sub: "Ζωή \u{1f98a}", name: "ẞ" });
    const reader = await connect(fixture.server, session, { sub: "reader" });
    for (const [script, text] of Object.entries(SCRIPTS)) {
      const name = text
        .replaceAll(/\p{Cc}/gu, "")
        .slice(0, 40)
        .toWellFormed();
      const message = { name, id: name, data: { [text]: [text] }, headers: { [script]: text } };
      await client.ok({ type: "publish", messages: [message] });
      const seen = (await reader.next("message.create")).message;
      assert.deepEqual(
        [seen?.name, seen?.id, seen?.data, seen?.headers, seen?.client],
        [name, name, message.data, message.headers, "Ζωή \u{1f98a}"],
      );
    }
    const again = await getHistory(fixture.server, session);
    assert.deepEqual(
      again.map((m) => m.data),
      Object.values(SCRIPTS).map((text) => ({ [text]: [text] })),
    );
  });

  test("P1.3 half of a surrogate pair is refused, wherever it stands", async () => {
    const session = fixture.session();
    const client = await connect(fixture.server, session, { sub: "agent" });
    const serial = await client.publish("", { status: "streaming" });
    const halves = ['"\\ud83d"', '"a\\ude00"', '"\\ude00\\ud83d"'];
    for (const [i, half] of halves.entries()) {
      const frames = [
        `{"type":"append","ref":"h${i}","serial":"${serial}","data":${half}}`,
        `{"type":"publish","ref":"p${i}","messages":[{"data":${half}}]}`,
        `{"type":"publish","ref":"n${i}","messages":[{"data":1,"name":${half}}]}`,
        `{"type":"publish","ref":"d${i}","messages":[{"data":{"deep":[${half}]}}]}`,
      ];
      for (const frame of frames) {
        client.socket.send(frame);
        const nack = await client.next((f: Frame) => f.type === "nack" || f.type === "ack");
        assert.equal(nack.type, "nack", `${frame} was accepted`);
        assert.equal(nack.error?.code, "invalid-frame", frame);
      }
      const body = `{"data":${half}}`;
      const type = "application/json";
      const answer = await call(fixture.server, session, "POST", "/messages", { body, type });
      assertRefused(answer, 400, "invalid-frame");
    }
    await client.ok({ type: "append", serial, data: "\u{1f600}", status: "complete" });
    assert.equal((await getMessage(fixture.server, session, serial)).data, "\u{1f600}");
    assert.equal((await getHistory(fixture.server, session)).length, 1);
  });
});
