// A specialist: it works in a turn of its own within the guide's, says what it finds, and keeps its
// progress in the shared state.

import { type AgentSession, type AgentTurn, TakenError } from "sessile/agent";
import { newId } from "./ids.ts";
import { findsOf, type Kind, TITLES } from "./trip.ts";
import { type Report, sleep, Voice } from "./voice.ts";

export const LEASE_MS = 45_000;
const LOOK_MS = 700;

/** Searches within a turn; resolves to whether it came to its end. */
export async function search(
  session: AgentSession,
  within: AgentTurn,
  kind: Kind,
  destination: string,
  report: Report,
): Promise<boolean> {
  const start = {
    // A second process that begins it finds it begun (P6.2).
    id: `${within.id}/${kind}`,
    within: within.id,
    metadata: { title: TITLES[kind] },
    leaseMs: LEASE_MS,
    taken: "keep",
  } as const;
  try {
    const { status } = await session.answer(start, async (turn) => {
      const voice = await Voice.of(turn, report);
      const finds = findsOf(kind, destination);
      for (const [done, { place, words }] of finds.entries()) {
        await tell(session, turn, { done, of: finds.length, note: place });
        await sleep(LOOK_MS, turn.signal);
        if (voice.isOver) return;
        await voice.say(String(done + 1), words);
      }
      await tell(session, turn, { done: finds.length, of: finds.length, note: "" });
      turn.usage({ totalTokens: voice.count });
    });
    return status === "complete";
  } catch (error) {
    // It is over, or the guide's turn is, which ends this one as well.
    if (error instanceof TakenError) return error.turn.status === "complete";
    return false;
  }
}

/** Keeps how far a turn has come where pages look for it. */
async function tell(session: AgentSession, { id, signal }: AgentTurn, value: Progress) {
  if (signal.aborted) return;
  const ops = [{ op: "set" as const, path: ["progress", id], value: { ...value } }];
  await session.link.request({ type: "state", id: newId(), ops });
}

interface Progress {
  done: number;
  of: number;
  note: string;
}
