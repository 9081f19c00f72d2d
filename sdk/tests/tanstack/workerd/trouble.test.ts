// Sessions that change while chats look at them: cuts, other attempts, answers side by
// side, what pages do by themselves.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { hasBegun, isReady, Pages, shows, textsOf } from "./pages.ts";

const fixture = serve();
const pages = new Pages(fixture);

type Loose = { type: string } & Record<string, unknown>;

const WORDS = Array.from({ length: 150 }, (_, n) => `word${n} 🌊 `);
const TEXT = WORDS.join("");

async function* slowly(words: readonly string[], ms: number): AsyncGenerator<string> {
  for (const word of words) {
    await new Promise((done) => setTimeout(done, ms));
    yield word;
  }
}

describe("cuts", () => {
  test("a page behind a wire that cuts shows the same in the end", async () => {
    const session = "cuts";
    const proxy = await CuttingProxy.start(Number(new URL(fixture.server.url).port));
    pages.scripted(session, (turn) => turn.stream(slowly(WORDS, 8)));
    const [one, two] = [pages.page(session), pages.live(session, { url: proxy.url })];
    const cutting = setInterval(() => proxy.cut(), 150);
    await within(one.chat.sendMessage("Hello"), "the answer");
    clearInterval(cutting);
    assert.deepEqual(textsOf(one), ["user: Hello", `assistant: ${TEXT}`]);
    await shows(two, textsOf(one), "the other page to have it");
    await isReady(two);
    two.connection.close();
    await proxy.stop();
  });
});

describe("answers", () => {
  test("another attempt takes the place of what was said before", async () => {
    const session = fixture.session();
    const [one, two] = [pages.live(session), pages.live(session, { sub: "bob" })];
    const [first, second] = [pages.agent(session), pages.agent(session)];
    const asking = one.chat.sendMessage("Hello");
    await until(
      () => two.connection.session.log.length,
      (count) => count > 0,
      "the input",
    );
    const input = two.connection.session.log[0]?.serial ?? "";
    const turn = await first.startTurn({ input });
    const begun = turn.write();
    begun.append("What I wanted to say when I died is this");
    await hasBegun(two);
    const late = pages.hydrated(session);
    await hasBegun(late);
    const again = await second.adopt(turn.id);
    await again.stream(slowly(["Something ", "else."], 5));
    await again.end();
    await within(asking, "the answer");
    const answered = ["user: Hello", "assistant: Something else."];
    for (const it of [one, two, late]) {
      await shows(it, answered, "the second attempt alone");
      await isReady(it);
    }
  });

  test("two at once are told apart, and another question in between is seen", async () => {
    const session = fixture.session();
    let count = 0;
    pages.scripted(session, (turn) => {
      count += 1;
      const words = Array.from({ length: 30 }, (_, n) => `${count === 1 ? "one" : "two"}${n} `);
      return turn.stream(slowly(words, 15));
    });
    const [one, two] = [pages.live(session), pages.live(session, { sub: "bob" })];
    const first = one.chat.sendMessage("First");
    await hasBegun(two);
    const second = two.chat.sendMessage("Second");
    await within(Promise.all([first, second]), "both answers");
    const all = (what: string) => Array.from({ length: 30 }, (_, n) => `${what}${n} `).join("");
    const wanted = [
      "user: First",
      "user: Second",
      `assistant: ${all("one")}`,
      `assistant: ${all("two")}`,
    ];
    for (const it of [one, two, pages.live(session), pages.hydrated(session)]) {
      await until(
        () => textsOf(it).sort(),
        (shown) => shown.join("\n") === [...wanted].sort().join("\n"),
        "all of it, once",
      );
    }
  });

  test("what a page found out by itself is shown on others, and once it is reloaded", async () => {
    const session = fixture.session();
    const [one, two] = [pages.page(session), pages.live(session, { sub: "bob" })];
    pages.scripted(session, (turn) => {
      const headers = { toolCallId: "c1", toolName: "where" };
      return turn.message({}, { name: "tool-input", headers });
    });
    await within(one.chat.sendMessage("Hello"), "the call");
    const messages = structuredClone(one.chat.getMessages());
    const call = messages[1]?.parts[0] as unknown as Loose;
    assert.deepEqual([call.type, call.state], ["tool-call", "input-complete"]);
    Object.assign(call, { state: "complete", output: { city: "Paris" } });
    await one.connection.send(messages);
    for (const it of [two, pages.live(session), pages.hydrated(session)]) {
      const partsOf = () => (it.chat.getMessages()[1]?.parts ?? []) as unknown as Loose[];
      await until(
        () =>
          partsOf()
            .map(({ type, state }) => `${type} ${state}`)
            .join(),
        (shown) => shown === "tool-call complete,tool-result complete",
        "the result",
      );
      assert.deepEqual(partsOf()[0]?.output, { city: "Paris" });
    }
  });
});
