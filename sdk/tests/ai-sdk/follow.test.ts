// A chat that no session can be made for is followed without an error, and says so in development.

import assert from "node:assert/strict";
import { test } from "node:test";
import { followChat, SessileChatTransport } from "../../src/ai-sdk/index.ts";

test("options that no session can be made of are on the console, once for a transport", (t) => {
  const { mock } = t.mock.method(console, "warn", () => {});
  const url = "https://sessions.example/v1/sessions/demo";
  const transport = new SessileChatTransport({ url, token: "a.b.c" });
  const chat = { setMessages: () => {}, resumeStream: async () => {} };
  followChat(transport, "demo", chat)();
  followChat(transport, "demo", chat)();
  assert.equal(mock.callCount(), 1);
  const [said] = mock.calls[0]?.arguments ?? [];
  assert.match(String(said), /^sessile: chat demo: unable to create a session; it needs a url/);
});
