// The samples for pages in the README of the SDK, each as it stands there, in a real Chromium.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { useExample } from "../../../tests/browser/example.ts";
import type { Client } from "../../../tests/support/client.ts";
import { call, getHistory } from "../../../tests/support/http.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { agent, answer, end, start } from "../../../tests/support/turns.ts";
import { until } from "../../../tests/support/wait.ts";
import { buildSample, inComponent, samplesIn } from "../samples.ts";

/** The reader's own page: the session's address, and something to show it with. */
const HAS = `
  import { createElement } from "react";
  import { createRoot } from "react-dom/client";
  import { Panel } from "./ai-sdk/page/panel.ts";
  const hash = new URLSearchParams(location.hash.slice(1));
  const { url, session: id, token } = Object.fromEntries(hash);
  const turnId = "t1";
  const render = (shown) => {
    const messages = Array.isArray(shown) ? shown : (shown?.messages ?? [{ data: shown }]);
    document.body.textContent = messages.map(({ data, title }) => data ?? title).join("|");
  };
  const mount = (component, props) => {
    const root = document.body.appendChild(document.createElement("main"));
    createRoot(root).render(createElement(component, props));
  };
`;

/** A component that shows what \`useSessileChat\` gave. */
function chat(code: string): string {
  const [, given = ""] = /const \{ ([^}]+) \} =/.exec(code) ?? [];
  const props = `{ ...{ regenerate() {}, addToolApprovalResponse() {} }, ${given} }`;
  return `${inComponent(code, `createElement(Panel, ${props})`)}\nmount(Sample);`;
}

/** The samples in their order; the last two are an agent's (\`workerd/readme.test.ts\`). */
const WAYS: readonly ((code: string) => string)[] = [
  chat,
  (code) => code.replace('"https://sessions.example.com"', "url"),
  (code) => code,
  (code) => code,
  (code) => `${code}\nrender([{ data: "handed back" }]);`,
  (code) => `${code}\nrender([{ data: trip.get(["hotel", "nights"]) + " nights" }]);`,
  (code) => `${code}\nrender([{ data: "all decided" }]);`,
  (code) => `${code}\nmount(Conversation, { url, id, token });`,
  (code) => `
    import { createSession } from "sessile";
    ${code}
    const session = createSession({ url, session: id, token });
    session.connect();
    mount(Approvals, { session });
  `,
  chat,
  (code) => `${code}\nmount(Chat, { id });`,
];

const ANN = { sub: "ann", caps: { "*": ["user"] } };
const samples = samplesIn("README.md");
const example = useExample(async (directory) => {
  writeFileSync(join(directory, "token"), await makeToken(ANN));
  for (const [index, way] of WAYS.entries()) {
    const code = HAS + way(samples[index] ?? "");
    await buildSample(code, join(directory, `${index}.js`), {});
    const page = `<!doctype html><body></body><script type="module" src="${index}.js"></script>`;
    writeFileSync(join(directory, `${index}.html`), page);
  }
});
const { fixture } = example;

async function open(
  index: number,
  session = fixture.session(),
  more: Record<string, string> = {},
): Promise<[Page, string]> {
  const options = { path: `${index}.html`, more };
  const { page } = await example.open(await example.device(), session, options);
  return [page, session];
}

/** The page runs the tool of the samples. */
async function locates(bot: Client, turn: string, id: string): Promise<void> {
  await bot.ok({ type: "tool.call", id, turn, name: "time-zone" });
  const { call } = (await bot.next("tool.result")) as { call?: { output: string } };
  assert.match(call?.output ?? "", /^UTC$|\//);
}

async function shows(page: Page, text: string): Promise<void> {
  await until(
    () => page.textContent("body"),
    (shown) => shown?.includes(text) === true,
    `the page to show ${text}`,
  );
}

describe("the README of the SDK", () => {
  test("has these samples, and each is run", () => {
    assert.equal(samples.length, WAYS.length + 2);
    const [first] = samplesIn("../README.md");
    assert.equal(first, samples[0], "the project's README has the first one, too");
  });

  for (const index of [0, 9, 10]) {
    test(`a chat, sample ${index}: it is answered, and stop stops the answer`, async () => {
      const [page, session] = await open(index);
      const bot = await agent(fixture.server, session);
      await page.fill("input", "What is a tide?");
      await page.press("input", "Enter");
      const { message } = await bot.next("message.create");
      assert.equal(message?.data, "What is a tide?");
      const { id } = await start(bot, { input: message?.serial ?? "" });
      const serial = await answer(bot, id, { name: "message" });
      await bot.appendAll(serial, ["The sea ", "rises"], 1);
      await shows(page, "The sea rises");
      await page.click("#stop");
      const { turn } = await bot.next("turn.cancel");
      assert.equal(turn?.id, id);
      await end(bot, id, "cancelled");
    });
  }

  test("a page without a framework says hello", async () => {
    const [page] = await open(1);
    await shows(page, "Hello");
    // The page shows it before it is stored.
    const stored = await until(
      () => getHistory(fixture.server, "support-42"),
      (messages) => messages.length > 0,
      "the message to be stored",
    );
    assert.deepEqual(
      stored.map(({ data, client }) => [data, client]),
      [["Hello", "ann"]],
    );
  });

  test("features: somebody is there, and an edit is a branch", async () => {
    const [page] = await open(2);
    await shows(page, "What is a neap tide?");
    const stored = await getHistory(fixture.server, "support-42");
    const [first, edited] = stored.slice(-2);
    assert.deepEqual([first?.data, edited?.data], ["What is a tide?", "What is a neap tide?"]);
    assert.equal(edited?.headers?.["sessile-edits"], first?.serial);
  });

  test("a person decides, and the page's tool is run", async () => {
    const [page] = await open(3);
    const asked = new Promise<string>((done) => {
      page.on("dialog", (dialog) => {
        done(dialog.message());
        void dialog.accept();
      });
    });
    const bot = await agent(fixture.server, "support-42");
    const { id: turn } = await start(bot);
    await bot.ok({ type: "approval.request", id: "a1", turn, title: "Buy?" });
    assert.equal(await asked, "Buy?");
    const { approval } = (await bot.next("approval.decide")) as { approval?: { status: string } };
    assert.equal(approval?.status, "approved");
    await locates(bot, turn, "call-of-3");
    await end(bot, turn);
  });

  test("a supervisor takes over, speaks and hands back", async () => {
    const token = await makeToken({ sub: "sue", caps: { "*": ["supervisor"] } });
    const [page] = await open(4, "support-42", { token });
    await shows(page, "handed back");
    const said = (await getHistory(fixture.server, "support-42")).at(-1);
    assert.deepEqual([said?.data, said?.client, said?.role], ["May I help?", "sue", "assistant"]);
  });

  test("state, annotations and marks: what the page did, the session has", async () => {
    const [page] = await open(5);
    await shows(page, "3 nights");
    const { body } = await call(fixture.server, "support-42", "GET", "/state", ANN);
    const { value } = body as { value: unknown };
    assert.deepEqual(value, { hotel: { name: "Adler", nights: 3 }, votes: 2 });
    const said = (await getHistory(fixture.server, "support-42")).at(-1);
    const { annotations } = said as { annotations?: Record<string, unknown> };
    assert.deepEqual(annotations, { "like:distinct": { "": { total: 1, clients: { ann: 1 } } } });
  });

  test("an inbox is empty in the end", async () => {
    const [page] = await open(6);
    await shows(page, "all decided");
  });

  test("a component of React decides, and runs a tool", async () => {
    const [page, session] = await open(8);
    const bot = await agent(fixture.server, session);
    const { id: turn } = await start(bot);
    await bot.ok({ type: "approval.request", id: "a1", turn, title: "Buy?" });
    await shows(page, "Buy?");
    await page.click("text=No");
    const { approval } = (await bot.next("approval.decide")) as { approval?: { status: string } };
    assert.equal(approval?.status, "rejected");
    await until(
      () => page.locator("fieldset").count(),
      (count) => count === 0,
      "nothing to decide",
    );
    await locates(bot, turn, "call-of-8");
    await end(bot, turn);
  });

  test("a component of React shows the messages", async () => {
    const [page, session] = await open(7);
    const bot = await agent(fixture.server, session);
    await bot.publish("A tide");
    await shows(page, "A tide");
  });
});
