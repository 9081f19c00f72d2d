// An agent that cannot be called: it takes its work from its inbox. Start as many as you like; each
// input is answered by one of them.

import { conversation } from "sessile/agent";
import { createInbox } from "sessile/inbox";
import { type AgentTurn, type Waking, workOn } from "sessile/wake";

const { URL: url = "", TOKEN: token = "", DELAY_MS = "20" } = process.env;

const stop = new AbortController();
// It takes nothing more, and finishes what it has begun.
process.once("SIGTERM", () => stop.abort());

async function answer(turn: AgentTurn, { session, input = "" }: Waking): Promise<void> {
  console.log(`answering ${input} of ${session}, attempt ${turn.attempt}`);
  const said = await conversation(turn.host, input);
  await turn.stream(model(said.map(({ data }) => String(data))));
}

/** Stands for a model: gives an answer word by word. */
async function* model(prompt: string[]): AsyncGenerator<string> {
  for (const word of `You said: ${prompt.at(-1)}`.split(/(?<= )/)) {
    await new Promise((done) => setTimeout(done, Number(DELAY_MS)));
    yield word;
  }
}

const inbox = createInbox({ url, token });
await workOn(inbox, answer, { leaseMs: 5_000, signal: stop.signal });
