// Answers one input: the same function whatever woke the agent, and wherever it runs.

import { conversation } from "sessile/agent";

export async function answer(turn, { input }) {
  const said = await conversation(turn.host, input);
  await turn.stream(model(said.map(({ data }) => String(data))));
}

/** Stands for a model: gives an answer word by word. */
async function* model(prompt) {
  for (const word of `You said: ${prompt.at(-1)}`.split(/(?<= )/)) {
    await new Promise((done) => setTimeout(done, 20));
    yield word;
  }
}
