// An agent as a process of its own, so that a test can kill it while it waits for a person.

import {
  type AgentSession,
  createAgentSession,
  overFetch,
  type StartOptions,
} from "../../../src/agent/index.ts";

const { URL: url = "", SESSION: session = "", TOKEN: token = "", LINK } = process.env;

async function buy(_: unknown, start: StartOptions): Promise<void> {
  await agent.answer(start, async (turn) => {
    const { seats } = await turn.call<{ seats: number }>("friends", {});
    await turn.message("I have found two tickets");
    const { status, data, decidedBy } = await turn.approve({
      title: "Buy them?",
      data: { seats },
    });
    await turn.message({ status, data, decidedBy });
  });
}

const agent: AgentSession = createAgentSession({
  ...{ url, session, token },
  ...(LINK === "fetch alone" && { link: overFetch }),
  onInput: buy,
  onQueued: buy,
  onStatus: ({ state }) => process.send?.(state),
});
