// An agent that spends nothing on an empty room: it answers in steps, pauses before a step while
// nobody is there, and goes on when somebody comes back.

import { createAgentSession } from "sessile/agent";
import { steps } from "./model.mjs";

const { URL: url, SESSION: name, TOKEN: token, ALWAYS } = process.env;

const session = createAgentSession({
  url,
  session: name,
  token,
  onInput: (_, start) => answer(start).catch(console.error),
  onStatus: ({ state, error }) => console.log(error ? `${state}: ${error.message}` : state),
});

async function answer(start) {
  let tokens = 0;
  const { status } = await session.answer(start, async (turn) => {
    for (const step of steps) {
      // Rejects when the turn is cancelled meanwhile, which ends the answer.
      if (!ALWAYS) await turn.watched({ who });
      // Each step is a call of the model, and costs what it says.
      await turn.stream(
        step(turn.signal, () => {
          tokens += 1;
        }),
      );
      console.log(`${tokens} tokens so far`);
      if (!ALWAYS && turn.audience.count === 0) console.log("nobody is there");
    }
  });
  console.log(`${status} after ${tokens} tokens`);
}

/** A page tells of itself when it is hidden: then nobody looks, though somebody is there. */
function who({ data }) {
  return data?.hidden !== true;
}
