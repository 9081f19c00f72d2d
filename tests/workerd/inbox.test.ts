// P15: the inbox of a client and of a role, as far as there is one.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inbox } from "../support/classes.ts";
import { openAt } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call } from "../support/http.ts";

const fixture = useServer();

describe("the inbox", () => {
  test("P15.1 it is there for whoever asks, empty and without a row", async () => {
    const answer = await inbox.read(fixture.server, "ann", { caps: { "s-*": ["read"] } });
    assert.equal(answer.status, 200, answer.text);
    const { serial, ...rest } = answer.body as { serial: string };
    assert.deepEqual(rest, { sessions: [], approvals: [], calls: [], work: [] });
    assert.equal(serial.length, 12);
  });

  test("P15.2 a connection is sent all of it first, and when its token expires", async () => {
    const client = await inbox.begin(fixture.server, "ann", {
      by: "header",
      query: { since: "x" },
    });
    const { connection, expiresAt, limits, at, serial, ...rest } = (await client.next(
      "inbox",
    )) as unknown as Record<string, unknown>;
    assert.deepEqual(rest, {
      type: "inbox",
      protocol: 1,
      inbox: "client:ann",
      client: "ann",
      resumed: false,
      sessions: [],
      approvals: [],
      calls: [],
      work: [],
    });
    assert.ok(Number(expiresAt) > Number(at) && String(connection) !== "" && serial);
    assert.equal((limits as Record<string, number>).frameBytes, 256 * 1024);
    await client.close();
  });

  test("P15.1 an inbox belongs to one client, or to the role that the token says", async () => {
    const read = (role: string, options: Record<string, unknown>) =>
      call(fixture.server, "", "GET", `/v1/inbox?role=${role}`, { sub: "sue", ...options });
    const supervisor = await read("supervisor", { caps: { "*": ["supervisor"] } });
    assert.equal(supervisor.status, 200, supervisor.text);
    const said = await read("agent", { role: "agent", caps: { a: ["read"] } });
    assert.equal(said.status, 200, said.text);
    const other = await read("supervisor", { role: "agent", caps: { "*": ["supervisor"] } });
    assertRefused(other, 403, "forbidden");
    assertRefused(await read("king", {}), 400, "invalid-frame");
    const url = `${fixture.server.url}/v1/inbox/connect`;
    const query = { role: "supervisor" };
    const client = await openAt(url, "sue", { sub: "sue", role: "supervisor", query });
    const frame = (await client.next("inbox")) as unknown as Record<string, unknown>;
    assert.deepEqual([frame.inbox, frame.client], ["role:supervisor", "sue"]);
    await client.close();
  });

  test("P15.2 it takes no frames of a session", async () => {
    const client = await inbox.open(fixture.server, "bob");
    for (const type of ["publish", "cancel", "presence.set"]) {
      const frame = { type, messages: [{ data: 1 }], all: true };
      await client.refused(frame, "unknown-frame");
    }
    await client.refused({ type: "dance" }, "unknown-frame");
    await client.close();
  });

  test("P15.1 without a token, or over plain HTTP, it is refused by name", async () => {
    const nobody = await call(fixture.server, "", "GET", "/v1/inbox", { token: null });
    assertRefused(nobody, 401, "unauthorized");
    const plain = await call(fixture.server, "", "GET", "/v1/inbox/connect");
    assertRefused(plain, 400, "invalid-frame");
  });
});
