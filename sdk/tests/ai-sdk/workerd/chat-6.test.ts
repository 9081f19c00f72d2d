// The same transport under the chat of ai@6.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import * as six from "ai-6";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { SessileChatTransport } from "../../../src/ai-sdk/index.ts";
import { ANSWER, joinAgent } from "../agent.ts";

const fixture = useServer();
const ends: (() => unknown)[] = [];
after(() => {
  for (const end of ends) end();
});

/** A framework's addition to `AbstractChat`: the place of the messages. */
class Chat extends six.AbstractChat<six.UIMessage> {
  constructor(id: string, transport: SessileChatTransport) {
    let messages: six.UIMessage[] = [];
    super({
      id,
      transport: transport as unknown as six.ChatTransport<six.UIMessage>,
      state: {
        status: "ready",
        error: undefined,
        get messages() {
          return messages;
        },
        set messages(value) {
          messages = value;
        },
        pushMessage: (message) => {
          messages = [...messages, message];
        },
        popMessage: () => {
          messages = messages.slice(0, -1);
        },
        replaceMessage: (index, message) => {
          messages = messages.map((held, at) => (at === index ? message : held));
        },
        snapshot: structuredClone,
      },
    });
  }

  get text(): string {
    const parts = this.messages.at(-1)?.parts ?? [];
    return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  }
}

function page(session: string): { chat: Chat; transport: SessileChatTransport } {
  const token = () => makeToken({ caps: { "*": ["user"] } });
  const transport = new SessileChatTransport({ url: fixture.server.url, token });
  ends.push(() => transport.close());
  return { chat: new Chat(session, transport), transport };
}

test("an answer streams, is resumed on another page, and is stopped from there", async () => {
  const session = fixture.session();
  const joined = joinAgent(fixture.server.url, session, 40);
  ends.push(joined.close);
  const one = page(session);
  await within(one.chat.sendMessage({ text: "Hello" }), "the answer");
  assert.equal(one.chat.text, ANSWER);
  const asking = one.chat.sendMessage({ text: "Again" });
  await until(
    () => [one.chat.messages.length, one.chat.text.startsWith("Here is")],
    ([count, hasBegun]) => count === 4 && hasBegun === true,
    "the second to begin",
  );
  const two = page(session);
  const resuming = two.chat.resumeStream();
  await until(
    () => two.chat.text,
    (text) => text.startsWith("Here is"),
    "it to be there as well",
  );
  await two.transport.cancel(session);
  await within(Promise.all([asking, resuming]), "both to end");
  assert.equal(one.chat.text, two.chat.text);
  assert.ok(ANSWER.startsWith(one.chat.text) && one.chat.text !== ANSWER, one.chat.text);
  assert.deepEqual([one.chat.status, two.chat.status], ["ready", "ready"]);
  assert.equal(joined.calls, 2);
});
