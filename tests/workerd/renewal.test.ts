// Frames behind a fresh token wait for it, and count like all others.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();

describe("renewal", () => {
  test("P2.6, P14 text behind an auth frame is no way around 4 MiB a second", async () => {
    const session = fixture.session();
    const other = await connect(fixture.server, session, { sub: "other" });
    const client = await connect(fixture.server, session, { sub: "flood", keep: false });
    const token = await makeToken({ sub: "flood" });
    let refused = 0;
    client.onFrames = (frames) => {
      refused += frames.filter((f) => f.error?.code === "rate-limited").length;
    };
    const pad = "t".repeat(200_000);
    for (let i = 0; i < 400 && !client.isClosed && refused === 0; i += 1) {
      client.send([
        { type: "auth", token },
        { type: "nothing", ref: i, pad },
      ]);
      if (i % 10 === 0) await client.ping().catch(() => {});
    }
    assert.equal(client.isClosed, false);
    assert.ok(refused > 0, "80 MB at once are more than any burst");
    await other.publish("unharmed");
  });

  test("P2.6, P13.1 what waits behind an auth frame is answered in its place", async () => {
    const session = fixture.session();
    const client = await connect(fixture.server, session, { sub: "ann" });
    const token = await makeToken({ sub: "ann" });
    const renewed = client.request({ type: "auth", token });
    const published = Array.from({ length: 20 }, (_, i) =>
      client.request({ type: "publish", messages: [{ data: String(i) }] }),
    );
    const again = client.request({ type: "auth", token });
    const last = client.request({ type: "publish", messages: [{ data: "last" }] });
    const answers = await Promise.all([renewed, ...published, again, last]);
    assert.deepEqual(new Set(answers.map((answer) => answer.type)), new Set(["ack"]));
    const serials = answers.flatMap((answer) => answer.result?.messages ?? []).map((m) => m.serial);
    assert.deepEqual(serials, [...serials].sort());
  });

  test("P2.6 whatever happens next closes a reader whose token has expired", async () => {
    const session = fixture.session();
    const { server } = fixture;
    const { client: reader } = await attach(server, session, { sub: "ann", expiresIn: 2 });
    const asks = async () => {
      const answer = await call(server, session, "GET", "/turns", { sub: "ben" });
      assert.equal(answer.status, 200, answer.text);
      return reader.isClosed;
    };
    await until(asks, (isClosed) => isClosed, "the reader to be closed, to which nothing is sent");
    const { code, reason } = await reader.closed;
    assert.deepEqual([code, reason], [4401, "the token expired"]);
  });
});
