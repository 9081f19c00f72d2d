// An agent on the AI SDK: it answers every message of a session, each in a turn of its own.

import { convertToModelMessages, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { createAgentSession, TakenError } from "sessile/agent";
import { streamToTurn } from "sessile/ai-sdk";
import { model } from "./model.js";

const { URL: url, SESSION: name, TOKEN: token } = process.env;

const session = createAgentSession({
  url,
  session: name,
  token,
  onInput: (_, start) => answer(start),
  // Also one whose questions were decided while no agent was there.
  onQueued: (_, start) => answer(start),
  onStatus: ({ state, error }) => console.log(error ? `${state}: ${error.message}` : state),
});

const tools = {
  weather: tool({
    description: "The weather of a city",
    inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } } }),
    execute: async ({ city }) => ({ city, degrees: 7 }),
  }),
  buy: tool({
    description: "Buys something",
    inputSchema: jsonSchema({ type: "object", properties: { item: { type: "string" } } }),
    // A person has to allow it: the turn waits for that, however long it takes.
    needsApproval: true,
    execute: async ({ item }) => ({ bought: item }),
  }),
};

async function answer(start) {
  try {
    const { id, status } = await session.answer(start, (turn) =>
      // Called with what the sender of the input sees, and again once a call was allowed or not.
      streamToTurn(turn, async (messages) =>
        streamText({
          model,
          tools,
          messages: await convertToModelMessages(messages, { tools }),
          stopWhen: stepCountIs(5),
          // A cancel reaches the model, and whatever the tools do.
          abortSignal: turn.signal,
          // Instructions that come meanwhile count from the next step on.
          prepareStep: async ({ messages }) => ({
            messages: [...messages, ...(await turn.steered()).map(instruction)],
          }),
        }),
      ),
    );
    console.log(`turn ${id} is ${status}`);
  } catch (error) {
    // Another process of this agent was first.
    if (!(error instanceof TakenError)) console.error(error);
  }
}

function instruction({ data }) {
  return { role: "user", content: String(data) };
}
