// P13.8: frames that are taken in order or not at all, over every way that frames come in.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { call, getHistory, getMessage } from "../support/http.ts";

const fixture = useServer();

function codes(answers: Frame[]): unknown[] {
  return answers.map((answer) => answer.error?.code ?? answer.type);
}

describe("a chain", () => {
  test("is broken by a refusal, and stays so over a sleep", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const serial = await agent.publish("", { status: "streaming" });
    await agent.ok({ type: "append", serial, data: "a", seq: 1, chain: 1 });
    await agent.refused({ type: "append", serial, data: "c", seq: 3, chain: 1 }, "gap");
    await fixture.server.evict(session);
    await agent.refused({ type: "append", serial, data: "b", seq: 2, chain: 1 }, "skipped");
    await agent.ok({ type: "append", serial, data: "b", seq: 2, chain: 2 });
    assert.equal((await getMessage(fixture.server, session, serial)).data, "ab");
  });

  test("holds among the frames of a request and among the lines of a body", async () => {
    const session = fixture.session();
    const say = (data: string) => ({ type: "publish", messages: [{ data }], chain: 7 });
    const list = [say("one"), { type: "delete", serial: "first", chain: 7 }, say("two")];
    const array = await call(fixture.server, session, "POST", "/frames", { json: list });
    assert.deepEqual(codes(array.body as Frame[]), ["ack", "invalid-frame", "skipped"]);
    const lines = await call(fixture.server, session, "POST", "/frames", {
      type: "application/x-ndjson",
      body: list.map((frame) => JSON.stringify(frame)).join("\n"),
    });
    const answers = lines.text.trim().split("\n");
    const read = answers.map((line) => JSON.parse(line) as Frame);
    assert.deepEqual(codes(read), ["ack", "invalid-frame", "skipped"]);
    const said = (await getHistory(fixture.server, session)).map(({ data }) => data);
    assert.deepEqual(said, ["one", "one"]);
  });
});
