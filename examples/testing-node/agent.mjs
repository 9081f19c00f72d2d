// The agent of a chat. Its model is a function, so that a test may put another one in its place.
import { conversation, createAgentSession } from "sessile/agent";

/** Joins a session, and answers each message with what `model(messages, signal)` yields. */
export async function startAgent({ model, ...where }) {
  const joined = Promise.withResolvers();
  const agent = createAgentSession({
    ...where,
    onInput: (_, start) => agent.answer(start, answer).catch((error) => console.error(error)),
    onStatus: ({ state }) => state === "connected" && joined.resolve(),
  });
  async function answer(turn) {
    const said = await conversation(agent, turn.info.input);
    await turn.stream(model(said, turn.signal));
  }
  await joined.promise;
  return agent;
}
