// The hooks for people's part in a session, in a real Chromium with StrictMode: tools, approvals,
// the lead.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { says, useExample } from "../../../tests/browser/example.ts";
import type { Client } from "../../../tests/support/client.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { agent, start } from "../../../tests/support/turns.ts";
import type { ToolCall, ToolCallFrame } from "../../src/index.ts";
import { buildSample } from "../samples.ts";

/** A page that says how it stands, and whose tool answers with a number that a button raises. */
const PAGE = `
  import { memo, StrictMode, useState } from "react";
  import { createRoot } from "react-dom/client";
  import {
    SessionProvider, useApprovals, useConnection, useLead, useSession, useToolCalls,
  } from "sessile/react";
  const hash = new URLSearchParams(location.hash.slice(1));
  const { url, session: id, token } = Object.fromEntries(hash);

  function Tools() {
    const [number, setNumber] = useState(1);
    const [runs, setRuns] = useState(0);
    const calls = useToolCalls({
      number: () => {
        setRuns((held) => held + 1);
        return number;
      },
    });
    return (
      <p>
        <button onClick={() => setNumber(number + 1)}>Raise</button>
        <output id="runs">{runs}</output> <output id="calls">{calls.length}</output>
      </p>
    );
  }

  // Rendered again only where the hooks' values are others.
  const Facts = memo(() => {
    window.rendered = (window.rendered ?? 0) + 1;
    const { pending, settled, decide } = useApprovals();
    const { lead, isOwn, takeOver, handBack } = useLead();
    const facts = [
      pending.map((it) => it.id + (it.deciding ? "!" : "")).join(),
      settled.map((it) => it.id + " " + it.status).join(),
      lead ? lead.client + (isOwn ? " (me)" : "") : "nobody",
    ];
    return (
      <p>
        <output id="facts">{facts.join(" | ")}</output>
        <button onClick={() => decide(pending[0].id, "approve")}>Approve</button>
        <button onClick={() => takeOver({ note: "me" })}>Take over</button>
        <button onClick={() => handBack()}>Hand back</button>
      </p>
    );
  });

  function App() {
    const session = useSession({ url, session: id, token });
    const [hasTools, setHasTools] = useState(true);
    return (
      <SessionProvider session={session}>
        <State />
        <Facts />
        {hasTools && <Tools />}
        <button onClick={() => setHasTools(!hasTools)}>Toggle</button>
      </SessionProvider>
    );
  }

  function State() {
    return <output id="state">{useConnection().state}</output>;
  }

  const root = document.body.appendChild(document.createElement("main"));
  createRoot(root).render(<StrictMode><App /></StrictMode>);
`;

const example = useExample(async (directory) => {
  const define = { "process.env.NODE_ENV": '"development"' };
  await buildSample(PAGE, join(directory, "page.js"), { define, jsxDev: false });
  const page = '<!doctype html><body></body><script type="module" src="page.js"></script>';
  writeFileSync(join(directory, "index.html"), page);
});
const { fixture } = example;

async function open(session: string, more: Record<string, string> = {}): Promise<Page> {
  const { page } = await example.open(await example.device(), session, { more });
  await says(page, "#state", "connected");
  return page;
}

async function calling(session: string): Promise<{ bot: Client; call(id: string): Promise<void> }> {
  const bot = await agent(fixture.server, session);
  const { id: turn } = await start(bot);
  const call = async (id: string) => {
    await bot.ok({ type: "tool.call", id, turn, name: "number" });
  };
  return { bot, call };
}

async function resultOf(bot: Client, id: string): Promise<ToolCall> {
  const frame = await bot.next((it) => {
    const { type, call } = it as Partial<ToolCallFrame>;
    return type === "tool.result" && call?.id === id;
  }, "the result");
  return (frame as unknown as ToolCallFrame).call;
}

describe("the hooks for people", () => {
  test("a tool is run once, by the latest function, and not while it is unmounted", async () => {
    const session = fixture.session();
    const page = await open(session);
    const { bot, call } = await calling(session);
    await call("c1");
    assert.equal((await resultOf(bot, "c1")).output, 1);
    await page.click("text=Raise");
    await call("c2");
    assert.equal((await resultOf(bot, "c2")).output, 2);
    await says(page, "#runs", "2");
    await page.click("text=Toggle");
    await call("c3");
    const other = await open(session);
    assert.equal((await resultOf(bot, "c3")).output, 1, "another page has it");
    await says(other, "#calls", "0");
    await other.close();
    await page.click("text=Toggle");
    await call("c4");
    assert.equal((await resultOf(bot, "c4")).output, 1);
  });

  test("of two pages one runs a call", async () => {
    const session = fixture.session();
    const pages = [await open(session), await open(session)];
    const { bot, call } = await calling(session);
    const ids = ["c1", "c2", "c3", "c4", "c5"];
    for (const id of ids) {
      await call(id);
      await resultOf(bot, id);
    }
    for (const page of pages) await says(page, "#calls", "0");
    const runs = await Promise.all(pages.map((page) => page.textContent("#runs")));
    assert.equal(
      runs.map(Number).reduce((sum, count) => sum + count),
      ids.length,
    );
  });

  test("approvals and the lead show what happens, and render for that alone", async () => {
    const session = fixture.session();
    const sue = { token: await makeToken({ sub: "sue", caps: { "*": ["supervisor"] } }) };
    const [page, desk] = [await open(session), await open(session, sue)];
    const { bot } = await calling(session);
    await bot.ok({ type: "approval.request", id: "a1", title: "Buy?" });
    for (const it of [page, desk]) await says(it, "#facts", "a1 |  | nobody");
    await desk.click("text=Approve");
    for (const it of [page, desk]) await says(it, "#facts", " | a1 approved | nobody");
    await desk.click("text=Take over");
    await says(desk, "#facts", " | a1 approved | sue (me)");
    await says(page, "#facts", " | a1 approved | sue");
    const rendered = () =>
      page.evaluate(() => (window as unknown as { rendered: number }).rendered);
    const before = await rendered();
    await bot.ok({ type: "presence.set", data: 1 });
    await desk.click("text=Hand back");
    await says(page, "#facts", " | a1 approved | nobody");
    // StrictMode renders each time twice.
    assert.equal((await rendered()) - before, 2);
  });
});
