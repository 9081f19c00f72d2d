// The planner: hands a trip to three specialists, whose turns run within its own, waits for them,
// and answers questions about the trip from the shared state.

import { isOpen, type Message } from "sessile";
import { type AgentTurn, createAgentSession, type StartOptions, TakenError } from "sessile/agent";
import { itinerary, KINDS, type Task, turnOf } from "../trip.ts";
import { say, trip, turnsAre, where } from "./session.ts";

const session = createAgentSession({
  ...where,
  onInput: answer,
  onStatus: ({ state, error }) => console.log(error ? `${state}: ${error.message}` : state),
});

async function answer({ data }: Message, start: StartOptions): Promise<void> {
  const said = String(data);
  try {
    await session.answer(start, (turn) =>
      /itinerary/i.test(said) ? say(turn, itinerary(trip.value)) : plan(turn, said),
    );
  } catch (error) {
    // Another process of this agent was first.
    if (!(error instanceof TakenError)) console.error(error);
  }
}

async function plan(turn: AgentTurn, said: string): Promise<void> {
  await replace(trip.value.plan);
  const destination = /\bto ([^.,!?]+)/.exec(said)?.[1] ?? said;
  await trip.set([], { destination, plan: turn.id });
  // A message of its name is an input to each specialist. The ids make them safe to send again.
  const messages = KINDS.map((kind) => {
    const data: Task = { within: turn.id, destination };
    return { id: turnOf(turn.id, kind), name: kind, data };
  });
  await session.link.request({ type: "publish", messages });
  await say(turn, `Three specialists look for ${destination}. Choose while they search.`);
  await turnsAre(
    (turns) =>
      KINDS.every((kind) => turns.some((it) => it.id === turnOf(turn.id, kind) && !isOpen(it))),
    turn.signal,
  );
  // A cancel of this turn was one of theirs as well, and they have stopped by themselves.
  if (turn.signal.aborted) return;
  const counts = KINDS.map((kind) => {
    const options = trip.value.searches?.[kind]?.options ?? {};
    return `${Object.keys(options).length} ${kind}`;
  });
  await say(turn, `For ${destination} there are ${counts.join(", ")}.`);
}

/** A new plan takes the place of the one before, once nobody works on that any more. */
async function replace(old: string | undefined): Promise<void> {
  if (old === undefined) return;
  await session.link.request({ type: "cancel", turn: old, reason: "another trip" });
  await turnsAre((turns) =>
    turns.every((turn) => !isOpen(turn) || (turn.id !== old && turn.within !== old)),
  );
}
