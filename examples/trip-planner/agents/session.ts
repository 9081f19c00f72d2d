// The session, for each of the agents: its shared state, its turns, and a scripted voice.

import { setTimeout as sleep } from "node:timers/promises";
import { createSession, sharedState, type Turn } from "sessile";
import type { AgentTurn } from "sessile/agent";
import type { Trip } from "../trip.ts";

const { URL: url = "", SESSION: session = "", TOKEN: token = "" } = process.env;
const PACE_MS = Number(process.env.PACE_MS ?? 400);

export const where = { url, session, token };

/** The session as a page has it: an agent shares the state and sees the turns of the others. */
const view = createSession({ ...where, rewind: 0 });
await view.connect();

export const trip = sharedState<Trip>(view);

/** Waits until the turns of the session are so; until the signal aborts, at most. */
export async function turnsAre(
  isSo: (turns: readonly Turn[]) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  if (isSo(view.turns) || signal?.aborted) return;
  await new Promise<void>((done) => {
    const end = view.subscribe(() => isSo(view.turns) && leave());
    const leave = () => {
      end();
      done();
    };
    signal?.addEventListener("abort", leave);
  });
}

/** Stands for work that takes its time. */
export function work(turn: AgentTurn): Promise<void> {
  return sleep(PACE_MS, undefined, { signal: turn.signal });
}

/** Says a text word by word, as a model would. */
export async function say(turn: AgentTurn, text: string): Promise<void> {
  await turn.stream(
    (async function* () {
      for (const word of text.split(/(?<= )/)) {
        await sleep(PACE_MS / 20);
        yield word;
      }
    })(),
  );
}
