// The prompt (P6.9): an agent that asks what leads to an input is told what the person sees who
// sent it, through regenerated answers, edits, edits of edits and two tabs.

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { convertToModelMessages } from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { until } from "../../../../tests/support/wait.ts";
import { type AgentSession, conversation, type StartOptions } from "../../../src/agent/index.ts";
import { toUIMessages } from "../../../src/ai-sdk/index.ts";
import { branchesOf, type Message, type Session } from "../../../src/index.ts";
import { open, shows } from "../../support.ts";
import { join } from "./agent.ts";

const fixture = useServer();

/** An agent that answers each input with its prompt, and a page that says things. */
async function printer(t: TestContext, session: string) {
  const asked: StartOptions[] = [];
  const agent = join(fixture.server, session, { onInput: (_, start) => void asked.push(start) });
  const tabs = [
    await open(t, fixture.server, session, { sub: "ada", rollup: 0 }),
    await open(t, fixture.server, session, { sub: "ada", rollup: 0 }),
  ] as const;
  // An input that was there before the agent is history to it.
  const isThere = () => agent.link.status.state === "connected";
  await until(isThere, Boolean, "the agent to be there");
  let answers = 0;
  /** Answers what was asked last; gives the prompt and the answer's serial. */
  const answer = async (): Promise<[prompt: string[], said: string]> => {
    await until(
      () => asked.length,
      (count) => count > 0,
      "the input to reach the agent",
    );
    const { input = "", ...start } = asked.shift() ?? {};
    const prompt = await printed(agent, input);
    answers += 1;
    let said = "";
    await agent.answer({ input, ...start }, async (turn) => {
      said = await turn.message(`answer ${answers}`, { role: "assistant" });
    });
    for (const each of tabs) {
      await shows(each, () => each.log.some(({ serial }) => serial === said), "the answer");
    }
    return [prompt, said];
  };
  return { agent, tabs, answer };
}

/** The prompt as texts. */
async function printed(agent: AgentSession, input: string): Promise<string[]> {
  const messages = await conversation(agent, input);
  assert.equal(messages.at(-1)?.serial, input, "it ends with what is to be answered");
  return textsOf(messages);
}

function textsOf(messages: readonly Message[]): string[] {
  return messages.filter(({ name }) => name === "message").map(({ data }) => String(data));
}

/** The texts that a tab shows. */
function seen(session: Session): string[] {
  return textsOf(branchesOf(session).messages);
}

describe("an agent that prints its prompt", () => {
  test("is told what the person sees, through regenerate, edit and edit of an edit", async (t) => {
    const session = fixture.session();
    const { tabs, answer } = await printer(t, session);
    const [tab] = tabs;
    const ask = async (sent: PromiseLike<{ serial: string }>) => {
      const { serial } = await sent;
      const sees = seen(tab);
      const [prompt, said] = await answer();
      return { serial, sees, prompt, said };
    };
    const again = (parent: string) => branchesOf(tab).send(null, { name: "regenerate", parent });

    const first = await ask(branchesOf(tab).send("one"));
    assert.deepEqual(first.prompt, ["one"]);
    const second = await ask(branchesOf(tab).send("two"));
    assert.deepEqual(second.prompt, ["one", "answer 1", "two"]);
    assert.deepEqual(second.prompt, second.sees);

    const regenerated = await ask(again(second.serial));
    assert.deepEqual(regenerated.prompt, ["one", "answer 1", "two"], "without the old answer");
    assert.deepEqual(seen(tab), ["one", "answer 1", "two", "answer 3"]);
    const third = await ask(branchesOf(tab).send("three"));
    assert.deepEqual(third.prompt, ["one", "answer 1", "two", "answer 3", "three"]);
    assert.deepEqual(third.prompt, third.sees);

    const edited = await ask(branchesOf(tab).edit(second.serial, "two, better"));
    assert.deepEqual(edited.prompt, ["one", "answer 1", "two, better"]);
    assert.deepEqual(edited.prompt, edited.sees);
    const twice = await ask(branchesOf(tab).edit(edited.serial, "two, best"));
    assert.deepEqual(twice.prompt, ["one", "answer 1", "two, best"]);
    const root = await ask(branchesOf(tab).edit(first.serial, "uno"));
    assert.deepEqual(root.prompt, ["uno"], "nothing precedes another first message");
    const after = await ask(branchesOf(tab).send("dos"));
    assert.deepEqual(after.prompt, ["uno", `answer 7`, "dos"]);
    assert.deepEqual(after.prompt, after.sees);

    // Back to the first answer to the second question, and on from there.
    branchesOf(tab).select(first.serial);
    branchesOf(tab).select(second.serial);
    branchesOf(tab).select(second.said);
    const back = await ask(branchesOf(tab).send("from the old answer"));
    assert.deepEqual(back.prompt, ["one", "answer 1", "two", "answer 2", "from the old answer"]);
    assert.deepEqual(back.prompt, back.sees);
  });

  test("tells two tabs that look at different branches apart", async (t) => {
    const session = fixture.session();
    const { tabs, answer } = await printer(t, session);
    const [one, other] = tabs;
    const first = await branchesOf(one).send("one");
    const [, said] = await answer();
    await branchesOf(one).send(null, { name: "regenerate", parent: first.serial });
    await answer();
    branchesOf(other).select(said);
    await branchesOf(one).send("of the newer answer");
    assert.deepEqual((await answer())[0], ["one", "answer 2", "of the newer answer"]);
    await branchesOf(other).send("of the older answer");
    assert.deepEqual(seen(other), ["one", "answer 1", "of the older answer"]);
    assert.deepEqual((await answer())[0], seen(other).slice(0, 3));
    await branchesOf(one).send("and on");
    const [prompt] = await answer();
    assert.deepEqual(prompt, seen(one).slice(0, prompt.length));
  });

  test("is told both of two questions that were asked at once, and both answers", async (t) => {
    const session = fixture.session();
    const { tabs, answer } = await printer(t, session);
    const [tab] = tabs;
    await branchesOf(tab).send("one");
    await branchesOf(tab).send("two");
    assert.deepEqual((await answer())[0], ["one"], "what came before the question");
    assert.deepEqual((await answer())[0], ["one", "two"], "an answer came after the question");
    await branchesOf(tab).send("three");
    const [prompt] = await answer();
    assert.deepEqual(prompt, ["one", "two", "answer 1", "answer 2", "three"]);
  });
});

describe("a long conversation", () => {
  test("goes back so far, and to the beginning of the answer there", async (t) => {
    const session = fixture.session();
    const { agent, tabs } = await printer(t, session);
    const [tab] = tabs;
    let input = "";
    for (let round = 1; round <= 3; round += 1) {
      input = (await branchesOf(tab).send(`question ${round}`)).serial;
      await agent.answer({ input }, async (turn) => {
        for (let part = 1; part <= 4; part += 1) await turn.message(`${round}.${part}`);
      });
    }
    input = (await branchesOf(tab).send("the last")).serial;
    const texts = async (limit: number) => textsOf(await conversation(agent, input, { limit }));
    const third = ["question 3", "3.1", "3.2", "3.3", "3.4", "the last"];
    assert.deepEqual(await texts(1), ["the last"]);
    for (const limit of [2, 5, 6]) assert.deepEqual(await texts(limit), third, `${limit}`);
    assert.equal((await texts(7)).length, 11);
    assert.equal((await texts(200)).length, 16);
  });

  test("is a prompt for a model, tool calls and all", async (t) => {
    const session = fixture.session();
    const { agent, tabs } = await printer(t, session);
    const [tab] = tabs;
    const { serial } = await branchesOf(tab).send("weather?");
    await agent.answer({ input: serial }, async (turn) => {
      const headers = { toolCallId: "call-1", toolName: "weather" };
      await turn.message({ city: "Oslo" }, { name: "tool-input", headers });
      const output = {
        name: "tool-output",
        role: "tool",
        headers: { ...headers, state: "available" },
      } as const;
      await turn.message({ degrees: 7 }, output);
      await turn.message("7 degrees");
    });
    const { serial: input } = await branchesOf(tab).send("and in Bergen?");
    const messages = await conversation(agent, input);
    const prompt = await convertToModelMessages(toUIMessages({ messages }));
    assert.deepEqual([prompt.at(0)?.role, prompt.at(-1)?.role], ["user", "user"]);
    const whole = JSON.stringify(prompt);
    for (const part of ["call-1", '"city":"Oslo"', '"degrees":7', "7 degrees"]) {
      assert.ok(whole.includes(part), `${part} is in ${whole}`);
    }
  });
});
