// Readers of an answer, whenever they come: what they are told, checked as AG-UI checks it, and the
// chat that TanStack AI makes of it.

import { verifyEvents } from "@ag-ui/client";
import { type StreamChunk, StreamProcessor } from "@tanstack/ai";
import { from, lastValueFrom, toArray } from "rxjs";
import { Answers } from "../../src/answer/answers.ts";
import type { Session } from "../../src/client/session.ts";
import type { Message, Turn } from "../../src/protocol/index.ts";
import { RunChunks } from "../../src/tanstack/chunks.ts";
import { Feed } from "../../src/tanstack/feed.ts";
import { nodesOf } from "../../src/tanstack/nodes.ts";
import { saidUpTo, toChat } from "../../src/tanstack/transcript.ts";

export interface State {
  messages: readonly Message[];
  turns: readonly Turn[];
}

export type Loose = { type: string } & Record<string, unknown>;
export type Part = Record<string, unknown>;

/** The events of a subscription that sees these states, one after the other. */
export function fed(states: readonly State[]): Loose[] {
  let now: State = { messages: [], turns: [] };
  const session = {
    get log() {
      return now.messages;
    },
  } as Session;
  const feed = new Feed({
    session,
    shown: () => ({ ...now, hasOlder: false }),
    answers: () => Answers.following(session, now),
    thread: () => "thread",
    sent: new Set(),
    joined: new Set(),
    hasTranscript: () => false,
  });
  return states.flatMap((state) => {
    now = state;
    return feed.next().map(({ chunk }) => chunk);
  });
}

/** The events of a page that joins a run, told anew where they cannot go on. */
export function joined(states: readonly State[], run: string): Loose[] {
  const chunks: Loose[] = [];
  let teller: RunChunks | undefined;
  for (const { messages, turns } of states) {
    const answers = Answers.following(states, { messages, turns });
    const answer = answers.of({ turn: run, serial: "" }) ?? run;
    const wanted = { thread: "thread", run, isWhole: true, answer };
    teller ??= new RunChunks(wanted);
    const said = saidUpTo(nodesOf(messages, answers), run, answers);
    const turn = turns.find(({ id }) => id === run);
    chunks.push(...teller.next(said, turn, answers));
    if (!teller.isStale) continue;
    chunks.push({ type: "MESSAGES_SNAPSHOT", messages: [] }, ...teller.leave(undefined));
    teller = new RunChunks({ ...wanted, isAgain: true });
    chunks.push(...teller.next(said, turn, answers));
  }
  return chunks;
}

/** Fails where AG-UI would; what is told between two runs is no part of any. */
export async function verify(chunks: readonly Loose[]): Promise<void> {
  const runs: Loose[][] = [];
  let isRunning = false;
  for (const chunk of chunks) {
    if (chunk.type === "RUN_STARTED" && !isRunning) runs.push([]);
    isRunning ||= chunk.type === "RUN_STARTED";
    if (isRunning) runs.at(-1)?.push(chunk);
    if (chunk.type === "RUN_FINISHED" || chunk.type === "RUN_ERROR") isRunning = false;
  }
  if (isRunning) throw new Error("a run was not ended");
  for (const run of runs) {
    const events = from(run as never[]).pipe(verifyEvents(false), toArray());
    await lastValueFrom(events);
  }
}

/** The chat that TanStack AI makes of events. */
export function chatOf(chunks: readonly Loose[]): Part[][] {
  const processor = new StreamProcessor();
  for (const chunk of structuredClone(chunks)) {
    processor.processChunk(chunk as unknown as StreamChunk);
  }
  return partsOf(processor.getMessages() as unknown as { parts: Part[] }[]);
}

/** The chat as a page has it that comes when all is over. */
export function coldChat(state: State): Part[][] {
  return partsOf(toChat({ ...state, hasOlder: false }) as { parts: Part[] }[]);
}

/** The parts that are seen: a text of spaces alone is not, nor is a message of it. */
export function partsOf(messages: readonly { parts: Part[] }[]): Part[][] {
  const plain = JSON.parse(JSON.stringify(messages)) as (Part & { parts: Part[] })[];
  const isBlank = ({ type, content }: Part) => type === "text" && String(content).trim() === "";
  return plain
    .map(({ id, role, metadata, parts }) => [
      { id, role, ...(metadata ? { metadata } : {}) },
      ...parts.filter((part) => !isBlank(part)).map(settled),
    ])
    .filter((parts) => parts.length > 1);
}

/** Spaces between the tokens of arguments are the model's. */
function settled(part: Part): Part {
  if (typeof part.arguments !== "string") return part;
  try {
    return { ...part, arguments: JSON.parse(part.arguments) };
  } catch {
    return part;
  }
}
