// The audience as frames and lists tell it (P7.3), where these do not name everybody.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Crowd } from "../../src/agent/audience.ts";
import type { Wire } from "../../src/agent/link.ts";
import { TokenSource } from "../../src/connection/token.ts";
import type { AttachedFrame, Member, MemberList } from "../../src/protocol/index.ts";

function member(client: string, role: Member["role"] = "user"): Member {
  return { client, connection: `of-${client}`, role, since: 1 };
}

/** A crowd of a session that answers a read of its members with these lists, one after another. */
function crowdOf(...lists: MemberList[]) {
  let reads = 0;
  const answers = lists.map((list) => Promise.resolve(Response.json(list)));
  const fetch = () => {
    reads += 1;
    return answers.shift() ?? Promise.reject(new Error("no network"));
  };
  const options = { url: "https://example.com", session: "s", token: "a.b.c", fetch };
  const tokens = new TokenSource("a.b.c");
  const link = { address: "https://example.com/v1/sessions/s", options, tokens };
  const crowd = new Crowd({ link: link as unknown as Wire });
  return { crowd, reads: () => reads };
}

function attached(list: MemberList): AttachedFrame {
  return { type: "attached", ...list } as AttachedFrame;
}

describe("the audience of an agent", () => {
  test("P7.3 members that are only counted are people", () => {
    const { crowd } = crowdOf();
    crowd.take(attached({ presence: [member("bot", "agent"), member("ada")], presenceCount: 250 }));
    const { members, count } = crowd.audience;
    assert.deepEqual([members.map(({ client }) => client), count], [["ada"], 249]);
    crowd.take({ type: "presence.count", presenceCount: 251 });
    assert.equal(crowd.audience.count, 250);
  });

  test("P3.4 a list that was left out is read when it is needed, and not before", async () => {
    const { crowd, reads } = crowdOf({ presence: [member("ada"), member("bob")] });
    crowd.take(attached({ presenceCount: 2 }));
    assert.equal(reads(), 0);
    const watched = crowd.watched([]);
    // A member that leaves while the list is on its way is not in it.
    crowd.take({ type: "presence.leave", member: member("ada") });
    assert.deepEqual((await watched).members, [member("bob")]);
    assert.equal(reads(), 1);
    assert.equal(crowd.audience.count, 1);
  });

  test("a read that failed is made again at the next look", async () => {
    const { crowd, reads } = crowdOf();
    crowd.take(attached({ presenceCount: 2 }));
    assert.equal(crowd.audience.count, 2);
    await new Promise((done) => setImmediate(done));
    assert.equal(crowd.audience.count, 2);
    assert.equal(reads(), 2);
  });

  test("P3.4 a new connection's list replaces what was held", () => {
    const { crowd } = crowdOf();
    crowd.take(attached({ presence: [member("ada")] }));
    crowd.take(attached({ presence: [] }));
    assert.deepEqual(crowd.audience, { members: [], count: 0 });
  });
});
