// A specialist: it works in a turn of its own within the guide's, says what it finds, and keeps its
// progress in the shared state.

import { type AgentSession, type AgentTurn, TakenError } from "sessile/agent";
import { newId } from "./ids.ts";
import { findsOf, type Kind, offerOf, TITLES } from "./trip.ts";
import { type Report, sleep, Voice } from "./voice.ts";

export const LEASE_MS = 45_000;
const LOOK_MS = 700;

/** A search that has begun; resolves to whether it came to its end. */
export type Search = (destination: string, report: Report) => Promise<boolean>;

/** Begins a search within a turn, or goes on with the one that an earlier process began. */
export async function begin(session: AgentSession, within: AgentTurn, kind: Kind): Promise<Search> {
  const metadata = { title: TITLES[kind] };
  // A second process that begins it finds it begun (P6.2).
  const id = `${within.id}/${kind}`;
  const start = { id, within: within.id, metadata, leaseMs: LEASE_MS, taken: "keep" } as const;
  try {
    const turn = await session.startTurn(start);
    return async (destination, report) => {
      try {
        await work(session, turn, kind, destination, report).catch((error) => turn.end({ error }));
        return (await turn.end()).status === "complete";
      } catch {
        // Another process leads it.
        return false;
      }
    };
  } catch (error) {
    // It is over, or the guide's turn is, which ends this one as well.
    const isWhole = error instanceof TakenError && error.turn.status === "complete";
    return () => Promise.resolve(isWhole);
  }
}

async function work(
  session: AgentSession,
  turn: AgentTurn,
  kind: Kind,
  destination: string,
  report: Report,
): Promise<void> {
  const voice = await Voice.of(turn, report);
  const finds = findsOf(kind, destination);
  const of = finds.length;
  for (const [done, { place, words }] of finds.entries()) {
    await tell(session, turn, { done, of, note: place });
    await sleep(LOOK_MS, turn.signal);
    if (voice.isOver) return;
    await voice.say(String(done + 1), words);
  }
  const { name, price } = offerOf(kind, destination);
  await voice.say("offer", `The best: ${name}, ${price} €`);
  await tell(session, turn, { done: of, of, note: "" });
  turn.usage({ totalTokens: voice.count });
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
