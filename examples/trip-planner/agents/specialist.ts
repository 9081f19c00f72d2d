// A specialist: it works in a turn of its own within the planner's, says what it does, and writes
// its progress and results into the shared state.

import type { Message } from "sessile";
import { createAgentSession, type StartOptions, TakenError } from "sessile/agent";
import { type Kind, type Option, type Task, turnOf } from "../trip.ts";
import { trip, where, work } from "./session.ts";

/** A place to look, and what is found there. */
export type Source = [name: string, options: Record<string, Option>];

export function specialist(kind: Kind, sources: readonly Source[]): void {
  const session = createAgentSession({
    ...where,
    // The planner's tasks for this specialist.
    names: [kind],
    onInput: (task, start) => void search(task, start),
    onStatus: ({ state, error }) => console.log(error ? `${state}: ${error.message}` : state),
  });

  async function search({ data }: Message, start: StartOptions): Promise<void> {
    const { within, destination } = data as Task;
    const id = turnOf(within, kind);
    const of = sources.length;
    try {
      await session.answer({ ...start, id, within }, async (turn) => {
        const said = turn.write({ name: "search" });
        for (const [done, [name, options]] of sources.entries()) {
          said.append(`${name}: `);
          await trip.batch((change) => {
            change.set(["searches", kind, "done"], done);
            change.set(["searches", kind, "of"], of);
            change.set(["searches", kind, "note"], `${name}, ${destination}`);
          });
          // Throws when the turn is cancelled, as it is with the planner's.
          await work(turn);
          said.append(`${Object.keys(options).length} found. `);
          await trip.batch((change) => {
            for (const [key, option] of Object.entries(options)) {
              change.set(["searches", kind, "options", key], option);
            }
          });
        }
        await trip.batch((change) => {
          change.set(["searches", kind, "done"], of);
          change.set(["searches", kind, "note"], "");
        });
        await said.end();
      });
    } catch (error) {
      if (!(error instanceof TakenError)) console.error(error);
    }
  }
}
