// The server is killed at any moment while inputs come and an agent takes them.

import assert from "node:assert/strict";
import { answered, answering, ask, type Wake } from "./bot.ts";
import { broken, type Endpoint } from "./endpoint.ts";
import type { Server } from "./server.ts";
import { settings } from "./turns.ts";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const INPUTS = 3;

/**
 * One kill for each session: before an input is stored, after that, while the agent is called, or
 * while it works. Nothing that is owed is forgotten, and nothing that was accepted is sent again
 * under another id.
 */
export async function killsWhileWoken(
  server: Server,
  endpoint: Endpoint,
  sessions: string[],
): Promise<void> {
  for (const [round, session] of sessions.entries()) {
    const onInput = round % 2 === 0 ? "queue" : "parallel";
    answering(endpoint, () => server, SECRET);
    const { answer } = endpoint;
    let isDown = round % 3 === 0;
    endpoint.answer = (response, called, count) =>
      isDown ? broken(response, called, count) : answer(response, called, count);
    await settings(server, session, { agent: { url: endpoint.url() }, onInput, takeMs: 20_000 });
    const asked = ask(server, session, INPUTS).catch(() => undefined);
    if (round % 4 === 0) await asked;
    else if (round % 4 === 1) await endpoint.called(session, 1);
    else await new Promise((done) => setTimeout(done, (round * 7) % 60));
    await server.restart();
    await asked;
    isDown = false;
    // Sent again by the same ids: an input whose answer was lost is the same input.
    const inputs = await ask(server, session, INPUTS);
    assert.equal(new Set(inputs).size, INPUTS);
    await answered(server, session, inputs, onInput === "queue" ? "in order" : undefined);
    const byInput = new Map<string, Set<string>>();
    for (const { body } of endpoint.about(session)) {
      const { id, input = "", attempt = 1 } = JSON.parse(body) as Wake;
      if (attempt > 1) continue;
      byInput.set(input, (byInput.get(input) ?? new Set()).add(id));
    }
    for (const [input, ids] of byInput) assert.equal(ids.size, 1, `round ${round}: ${input}`);
  }
}
