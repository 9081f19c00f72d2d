// Of many members some are listed, and all are counted (P7.3).

import assert from "node:assert/strict";
import { test } from "node:test";
import { PresenceFeature } from "../../src/client/presence.ts";
import type { AttachedFrame, Engine, Member } from "../../src/index.ts";

const member = (connection: string): Member => ({
  ...{ client: connection, connection, role: "user", since: 0 },
});

test("members are counted though they are not listed", () => {
  const link = { attached: undefined, send: () => true };
  const presence = new PresenceFeature({ link, options: {} } as unknown as Engine);
  const [a, b, c] = ["a", "b", "c"].map(member) as [Member, Member, Member];
  presence.attached({ presence: [a, b], presenceCount: 7 } as unknown as AttachedFrame);
  const shown = () => [presence.members.map(({ client }) => client).join(), presence.count];
  assert.deepEqual(shown(), ["a,b", 7]);
  presence.take({ type: "presence.count", presenceCount: 9 });
  assert.deepEqual(shown(), ["a,b", 9]);
  presence.take({ type: "presence.leave", member: a });
  presence.take({ type: "presence.enter", member: c });
  presence.take({ type: "presence.count", presenceCount: 8 });
  assert.deepEqual(shown(), ["b,c", 8]);
  presence.take({ type: "presence.leave", member: member("silent") });
  assert.deepEqual(shown(), ["b,c", 8], "it was counted only");
  presence.take({ type: "presence.count", presenceCount: 2 });
  presence.take({ type: "presence.leave", member: b });
  assert.deepEqual(shown(), ["c", 1], "all are listed");
});
