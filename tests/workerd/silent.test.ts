// P2.6: bodies that are still being produced, and say nothing any more when their token expires.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { getMessage, streamBody } from "../support/http.ts";
import { until, within } from "../support/wait.ts";

const fixture = useServer();

describe("silent bodies", () => {
  test("P2.6 a streamed message ends with the token that let it in", async () => {
    const session = fixture.session();
    const reader = await connect(fixture.server, session, { sub: "reader" });
    const body = await streamBody(fixture.server, session, "/messages?stream=1", "text/plain", {
      sub: "agent",
      caps: { "*": ["agent"] },
      expiresIn: 3,
    });
    body.write("said ");
    const created = await reader.next("message.create");
    const { serial } = created.message as { serial: string };
    const answer = await within(body.answer, "the end of a body that says nothing");
    assert.equal(answer.status, 401);
    const message = await until(
      () => getMessage(fixture.server, session, serial),
      (message) => message.status === "failed",
      "the message to fail",
    );
    assert.equal(message.data, "said ");
    await reader.close();
  });

  test("P2.6 so do lines", async () => {
    const session = fixture.session();
    const lines = await streamBody(fixture.server, session, "/frames", "application/x-ndjson", {
      sub: "agent",
      expiresIn: 3,
    });
    lines.write(`${JSON.stringify({ type: "publish", ref: 1, messages: [{ data: "a" }] })}\n`);
    const answer = await within(lines.answer, "the end of lines that say nothing");
    const [ack, nack] = answer.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(ack.type, "ack");
    assert.equal(nack.error.code, "unauthorized");
  });
});
