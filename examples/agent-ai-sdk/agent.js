// An agent on the AI SDK: it answers every message of a session, each in a turn of its own.

import { convertToModelMessages, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { aiSdk, conversation, createAgentSession, TakenError } from "sessile/agent";
import { toUIMessages } from "sessile/ai-sdk";
import { model } from "./model.js";

const { URL: url, SESSION: name, TOKEN: token } = process.env;

const session = createAgentSession({
  url,
  session: name,
  token,
  onInput: (_, start) => answer(start),
  onQueued: ({ input }) => answer({ input }),
  onStatus: ({ state, error }) => console.log(error ? `${state}: ${error.message}` : state),
});

const tools = {
  weather: tool({
    description: "The weather of a city",
    inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } } }),
    execute: async ({ city }) => ({ city, degrees: 7 }),
  }),
};

async function answer(start) {
  try {
    const { id, status } = await session.answer(start, async (turn) => {
      const result = streamText({
        model,
        tools,
        messages: await prompt(start.input),
        stopWhen: stepCountIs(5),
        // A cancel reaches the model, and whatever the tools do.
        abortSignal: turn.signal,
        // Instructions that come meanwhile count from the next step on.
        prepareStep: async ({ messages }) => ({
          messages: [...messages, ...(await turn.steered()).map(instruction)],
        }),
      });
      await turn.stream(result.toUIMessageStream(), aiSdk());
    });
    console.log(`turn ${id} is ${status}`);
  } catch (error) {
    // Another process of this agent was first.
    if (!(error instanceof TakenError)) console.error(error);
  }
}

/** The messages that the sender of an input sees, with tools' results and providers' notes. */
async function prompt(input) {
  const messages = await conversation(session, input);
  return convertToModelMessages(toUIMessages({ messages }));
}

function instruction({ data }) {
  return { role: "user", content: String(data) };
}
