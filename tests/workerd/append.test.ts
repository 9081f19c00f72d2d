// P5: appends, sequence numbers, and who may append.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { getHistory, getMessage } from "../support/http.ts";

const fixture = useServer();

function stream(client: Client, data = ""): Promise<string> {
  return client.publish(data, { status: "streaming" });
}

describe("append", () => {
  test("P5.1 a streaming message grows by appends and is closed by one", async () => {
    const agent = await connect(fixture.server, fixture.session(), { sub: "agent" });
    const serial = await stream(agent, "Hel");
    const one = await agent.ok({ type: "append", serial, data: "lo" });
    assert.equal(one.serial, serial);
    assert.ok((one.version ?? "") > serial);
    await agent.ok({ type: "append", serial, data: "!", status: "complete" });
    const message = await getMessage(fixture.server, agent.session, serial);
    assert.deepEqual([message.data, message.status], ["Hello!", "complete"]);
    await agent.refused({ type: "append", serial, data: "late" }, "closed");
    assert.equal((await getHistory(fixture.server, agent.session)).length, 1);
  });

  test("P5.1 complete, cancelled and failed close; an empty append may carry it", async () => {
    const agent = await connect(fixture.server, fixture.session());
    for (const status of ["complete", "cancelled", "failed"]) {
      const serial = await stream(agent, "x");
      await agent.ok({ type: "append", serial, data: "", status });
      assert.equal((await getMessage(fixture.server, agent.session, serial)).status, status);
      await agent.refused({ type: "append", serial, data: "y" }, "closed");
    }
    const serial = await stream(agent, "x");
    await agent.refused({ type: "append", serial, data: "", status: "finished" }, "invalid-frame");
  });

  test("P5.1 a message that was not published as streaming takes no appends", async () => {
    const agent = await connect(fixture.server, fixture.session());
    const serial = await agent.publish("whole");
    await agent.refused({ type: "append", serial, data: "more" }, "closed");
  });

  test("P5.1 streaming needs text, and stays text", async () => {
    const agent = await connect(fixture.server, fixture.session());
    for (const data of [{ a: 1 }, ["a"], 7, null, true]) {
      const frame = { type: "publish", messages: [{ data, status: "streaming" }] };
      await agent.refused(frame, "invalid-frame");
    }
    const serial = await stream(agent, "text");
    await agent.refused({ type: "update", serial, data: { not: "text" } }, "invalid-frame");
    await agent.refused({ type: "append", serial, data: 7 }, "invalid-frame");
    await agent.refused({ type: "append", serial }, "invalid-frame");
    assert.equal((await getMessage(fixture.server, agent.session, serial)).data, "text");
  });

  test("P5.2 only the creator may append, or one with edit", async () => {
    const session = fixture.session();
    const caps = { "*": ["agent"] };
    const one = await connect(fixture.server, session, { sub: "one", caps });
    const two = await connect(fixture.server, session, { sub: "two", caps });
    const editor = await connect(fixture.server, session, {
      sub: "boss",
      caps: { "*": ["supervisor"] },
    });
    const serial = await stream(one, "a");
    const error = await two.refused({ type: "append", serial, data: "b" }, "forbidden");
    assert.match(error.message, /edit/);
    await editor.ok({ type: "append", serial, data: "c" });
    const again = await connect(fixture.server, session, { sub: "one", caps });
    await again.ok({ type: "append", serial, data: "d" });
    assert.equal((await getMessage(fixture.server, session, serial)).data, "acd");
  });

  test("P3.7 appends that a connection made itself are not sent back to it", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const second = await connect(fixture.server, session, { sub: "agent" });
    const serial = await stream(agent, "");
    await agent.ok({ type: "append", serial, data: "mine", seq: 1 });
    await second.ok({ type: "append", serial, data: "yours", seq: 2 });
    const seen = await agent.next("message.append");
    assert.deepEqual([seen.offset, seen.data], [4, "yours"]);
    const other = await second.next("message.append");
    assert.deepEqual([other.offset, other.data], [0, "mine"]);
    assert.ok(agent.inbox.every((frame) => frame.type !== "message.append"));
  });
});

describe("seq", () => {
  test("P5.3 a seq already taken is acknowledged again and changes nothing", async () => {
    const agent = await connect(fixture.server, fixture.session());
    const serial = await stream(agent);
    const first = await agent.ok({ type: "append", serial, data: "a", seq: 1 });
    assert.equal(first.seq, 1);
    assert.equal(first.duplicate, undefined);
    const again = await agent.ok({ type: "append", serial, data: "a", seq: 1 });
    assert.equal(again.duplicate, true);
    await agent.ok({ type: "append", serial, data: "b", seq: 2 });
    assert.equal((await agent.ok({ type: "append", serial, data: "a", seq: 1 })).duplicate, true);
    assert.equal((await getMessage(fixture.server, agent.session, serial)).data, "ab");
  });

  test("P5.3 one too high is refused with gap, expectedSeq and length", async () => {
    const agent = await connect(fixture.server, fixture.session());
    const serial = await stream(agent, "\u{1f600}");
    await agent.ok({ type: "append", serial, data: "ab", seq: 1 });
    const error = await agent.refused({ type: "append", serial, data: "d", seq: 3 }, "gap");
    assert.deepEqual([error.expectedSeq, error.length], [2, 4], "counted in UTF-16 code units");
    await agent.ok({ type: "append", serial, data: "c", seq: 2 });
    await agent.ok({ type: "append", serial, data: "d", seq: 3 });
    const message = await getMessage(fixture.server, agent.session, serial);
    assert.deepEqual([message.data, message.seq], ["\u{1f600}abcd", 3]);
  });

  test("P5.3 a pipelined gap refuses what follows it, and a resend heals it", async () => {
    const agent = await connect(fixture.server, fixture.session());
    const serial = await stream(agent);
    const at = (seq: number) => ({ type: "append", serial, data: `${seq} `, seq });
    const answers = await Promise.all([1, 2, 4, 5].map((seq) => agent.request(at(seq))));
    assert.deepEqual(
      answers.map((f) => f.error?.code ?? "ok"),
      ["ok", "ok", "gap", "gap"],
    );
    assert.deepEqual(
      answers.map((f) => f.error?.expectedSeq),
      [undefined, undefined, 3, 3],
    );
    await Promise.all([3, 4, 5].map((seq) => agent.ok(at(seq))));
    assert.equal((await getMessage(fixture.server, agent.session, serial)).data, "1 2 3 4 5 ");
  });

  test("P5.3 a resend on a new connection after eviction is no repeat", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await stream(agent);
    for (let seq = 1; seq <= 5; seq += 1) {
      await agent.ok({ type: "append", serial, data: `${seq}`, seq });
    }
    agent.cut();
    await fixture.server.evict(session);
    const again = await connect(fixture.server, session, { sub: "agent" });
    for (let seq = 3; seq <= 7; seq += 1) {
      const result = await again.ok({ type: "append", serial, data: `${seq}`, seq });
      assert.equal(result.duplicate ?? false, seq <= 5, `seq ${seq}`);
    }
    assert.equal((await getMessage(fixture.server, session, serial)).data, "1234567");
  });

  test("P5.3 update with the whole text and seq goes on from there", async () => {
    const agent = await connect(fixture.server, fixture.session());
    const serial = await stream(agent);
    await agent.ok({ type: "append", serial, data: "a", seq: 1 });
    await agent.ok({ type: "update", serial, data: "abc", seq: 3 });
    const late = await agent.ok({ type: "append", serial, data: "b", seq: 2 });
    assert.equal(late.duplicate, true);
    const low = await agent.ok({ type: "update", serial, data: "ab", seq: 2 });
    assert.equal(low.duplicate, true, "an update below the highest seq is a duplicate");
    await agent.ok({ type: "append", serial, data: "d", seq: 4 });
    assert.equal((await getMessage(fixture.server, agent.session, serial)).data, "abcd");
  });

  test("P5.3 a seq that is no whole number from 1 is refused", async () => {
    const agent = await connect(fixture.server, fixture.session());
    const serial = await stream(agent);
    for (const seq of [0, -1, 1.5, "1", 2 ** 60]) {
      const answer = await agent.request({ type: "append", serial, data: "x", seq });
      assert.equal(answer.type, "nack", `seq ${seq}`);
      assert.match(answer.error?.code ?? "", /^(invalid-frame|gap)$/);
    }
    assert.equal((await getMessage(fixture.server, agent.session, serial)).data, "");
  });

  test("P5.3 several in flight without waiting arrive whole and in order", async () => {
    const agent = await connect(fixture.server, fixture.session());
    const serial = await stream(agent);
    let text = "";
    const answers: Promise<unknown>[] = [];
    for (let seq = 1; seq <= 500; seq += 1) {
      text += `${seq},`;
      answers.push(agent.ok({ type: "append", serial, data: `${seq},`, seq }));
    }
    await Promise.all(answers);
    await agent.ok({ type: "append", serial, data: "", seq: 501, status: "complete" });
    const message = await getMessage(fixture.server, agent.session, serial);
    assert.deepEqual([message.data, message.seq], [text, 501]);
  });
});
