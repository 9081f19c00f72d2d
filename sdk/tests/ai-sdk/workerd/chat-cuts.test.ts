// A wire that is cut in the middle of a replay, so that the end of a turn has come and what was
// said in it has not.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Chat } from "@ai-sdk/react";
import type { UIMessage } from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { createAgentSession } from "../../../src/agent/index.ts";
import { SessileChatTransport } from "../../../src/ai-sdk/index.ts";

const fixture = useServer();
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
});

const PARTS = 10;
/** A replay comes in arrays of some 64 KiB: two of these texts are more than one. */
const PART_BYTES = 30_000;
/** After how many bytes the connections end that are to bring the rest, which is some 270 000. */
const CUTS = [70_000, 150_000];

function textsOf({ messages }: { messages: UIMessage[] }): string[] {
  const parts = messages.filter(({ role }) => role === "assistant").flatMap(({ parts }) => parts);
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
}

test("an answer whose replay is cut short twice is whole", async () => {
  const session = fixture.cutSession();
  const proxy = await CuttingProxy.start(fixture.server.port);
  const agent = createAgentSession({
    url: fixture.server.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
  });
  const transport = new SessileChatTransport({
    url: proxy.url,
    token: () => makeToken({ sub: "alice", caps: { "*": ["user"] } }),
  });
  ends.push(
    () => transport.close(),
    () => agent.close(),
    () => proxy.stop(),
  );
  // At random, or compression would leave nothing to cut.
  const parts = Array.from({ length: PARTS }, () => randomBytes(PART_BYTES).toString("base64"));
  const chat = new Chat<UIMessage>({ id: session, transport });
  const asking = chat.sendMessage({ text: "Hello" });
  const input = await until(
    () => transport.use(session).session.log.at(0)?.serial,
    (serial) => serial !== undefined,
    "the question",
  );
  const turn = await agent.startTurn({ input: input as string });
  await turn.message(parts[0]);
  await until(
    () => textsOf(chat).length,
    (count) => count === 1,
    "the first part",
  );
  proxy.unplug();
  for (const part of parts.slice(1)) await turn.message(part);
  await turn.end();
  proxy.cutAfter(...CUTS);
  proxy.plug();
  await within(asking, "the whole answer");
  assert.ok(textsOf(chat).join() === parts.join(), "every part, once, in order");
  assert.equal(proxy.cutShort, CUTS.length, "it was cut in the middle of the replay");
});
