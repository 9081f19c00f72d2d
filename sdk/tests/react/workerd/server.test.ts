// `sessile/react` on a server: what a snapshot holds is in the page before any script runs, and
// whoever uses it wrongly is told what to do.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createElement, type ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { connect } from "../../../../tests/support/client.ts";
import { diagnostics, useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { agent, start, USER } from "../../../../tests/support/turns.ts";
import { createSession, fetchSnapshot, SessileError } from "../../../src/index.ts";
import {
  useChildTurns,
  useMessages,
  useReadMarks,
  useSession,
  useSharedState,
  useUsage,
} from "../../../src/react/index.ts";
import { App } from "../page/app.ts";

const fixture = useServer();

describe("a page that is rendered on a server", () => {
  test("has messages, who is there and whether there is more, without a connection", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session, USER);
    await writer.ok({ type: "presence.set" });
    for (const data of ["one", "two <b>", "three"]) await writer.publish(data);
    const options = { url: fixture.server.url, session, token: () => makeToken(USER) };
    const initial = await fetchSnapshot({ ...options, rewind: 2 });
    const html = renderToString(
      createElement(App, { session: createSession({ ...options, initial }) }),
    );
    assert.match(html, /<ol id="messages"><li>two &lt;b&gt;<\/li><li>three<\/li><\/ol>/);
    assert.match(html, new RegExp(`<output id="facts">${session} idle 1 0 true</output>`));
    const { connections } = await diagnostics(fixture.server, session);
    assert.equal(connections.length, 1, "only the writer is connected");
  });

  test("has the shared state, the marks, the usage and the turns within a turn", async () => {
    const session = fixture.session();
    const bot = await agent(fixture.server, session);
    await bot.ok({ type: "state", ops: [{ op: "set", path: ["trip", "nights"], value: 3 }] });
    const serial = await bot.publish("one");
    await bot.ok({ type: "read", serial });
    const { id: root } = await start(bot);
    const { id: child } = await start(bot, { within: root });
    await bot.ok({ type: "turn.usage", turn: child, usage: { tokens: 5 } });
    const options = { url: fixture.server.url, session, token: () => makeToken(USER) };
    const initial = await fetchSnapshot(options);
    const made = createSession({ ...options, initial });
    let seen: unknown;
    const use = () => {
      const nights = useSharedState(["trip", "nights"], made);
      const marks = useReadMarks(made).map((mark) => mark.serial);
      const { sums } = useUsage(made);
      seen = [nights, marks, sums, useChildTurns(root, made).map(({ id }) => id)];
    };
    renderToString(createElement(User, { use }));
    assert.deepEqual(seen, [3, [serial], { tokens: 5 }, [child]]);
  });

  test("is empty without a snapshot", () => {
    const options = { url: "https://example.com", session: "empty", token: () => "" };
    const html = renderToString(createElement(App, { session: createSession(options) }));
    assert.match(html, /<ol id="messages"><\/ol><output id="facts">empty idle 0 0 false/);
  });
});

function User({ use }: { use: () => unknown }): ReactNode {
  use();
  return null;
}

describe("wrong use says what to do", () => {
  const render = (use: () => unknown) => renderToString(createElement(User, { use }));

  test("no session anywhere", () => {
    assert.throws(() => render(() => useSession()), /give it options or a session, or put a Sess/);
    assert.throws(() => render(() => useMessages()), /give the hook one, or a SessionProvider/);
  });

  test("options that cannot be", () => {
    const right = { url: "https://example.com", session: "s", token: () => "" };
    render(() => useSession(right));
    const wrong = { url: "example.com", session: "a session", token: "" };
    for (const [name, value] of Object.entries(wrong)) {
      const isTold = (error: unknown) =>
        error instanceof SessileError && error.message.includes(`it needs a ${name}: `);
      assert.throws(() => render(() => useSession({ ...right, [name]: value })), isTold, name);
    }
  });
});
