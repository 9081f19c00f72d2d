// An agent that lives in a Worker: it answers one input for each request, over either link.

import { createAgentSession, overFetch, readMessage } from "../../../src/agent/index.ts";

export default {
  async fetch(request) {
    const { url, session, token, input, link } = await request.json();
    const over = link === "fetch" ? { link: overFetch } : {};
    await using agent = createAgentSession({ url, session, token, ...over });
    const turn = await agent.answer({ input }, async (turn) => {
      const { data } = await readMessage(agent, input);
      const bytes = new TextEncoder().encode(`A Worker heard “${data}”.`);
      await turn.stream(new Response(bytes).body);
    });
    return Response.json(turn);
  },
};
