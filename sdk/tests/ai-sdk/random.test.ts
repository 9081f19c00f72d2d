// Any stream of UI message chunks, told in a session's log and read back by whoever comes when: it
// gives what the AI SDK itself makes of the stream. `SEED=7` repeats one, `SEEDS=2000` runs more.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UIMessageChunk } from "ai";
import { Chunks } from "../../src/ai-sdk/chunks.ts";
import { toUIMessages } from "../../src/ai-sdk/index.ts";
import { CodecLog } from "./codec-log.ts";
import { randomOf, randomStream } from "./random-stream.ts";
import { readBySeven, readBySix, type Shown, shown } from "./reference.ts";
import { TurnLog } from "./turn-log.ts";

const { SEED, SEEDS = "200" } = process.env;
const seeds = SEED
  ? [Number(SEED)]
  : Array.from({ length: Number(SEEDS) }, (_, index) => index + 1);

type States = TurnLog["states"];

/** Which of the states of a log a reader sees: the last one always. */
const READERS: Record<string, (states: States, random: () => number) => States> = {
  live: (states) => states,
  "live, in batches": (states, random) => states.filter(() => random() < 0.2),
  late: (states, random) => states.slice(Math.floor(random() * states.length)),
  cut: (states, random) => {
    const from = Math.floor(random() * states.length);
    const to = from + Math.floor(random() * (states.length - from));
    return [...states.slice(0, from), ...states.slice(to).filter(() => random() < 0.5)];
  },
  cold: () => [],
};

/** A log that some writer made of a stream. */
type Log = Pick<TurnLog, "messages" | "states">;

function ofCodec(stream: readonly UIMessageChunk[]): Log {
  const log = new CodecLog();
  for (const chunk of stream) log.take(chunk);
  log.end(stream.some(({ type }) => type === "error") ? "failed" : "complete");
  return log;
}

function told(log: Log, states: States, isReplay: boolean): unknown[] {
  const chunks = new Chunks("t1", isReplay);
  const seen = [...states, log.states.at(-1) as States[number]];
  return seen.flatMap(({ messages, turn }) => chunks.next({ messages, turns: [turn] }, [turn]));
}

async function same(
  seed: number,
  stream: readonly UIMessageChunk[],
  log: Log = TurnLog.of(stream),
): Promise<void> {
  const [seven, six] = [await readBySeven(stream), await readBySix(stream)];
  for (const [name, read] of Object.entries(READERS)) {
    for (const isReplay of [false, true]) {
      const chunks = told(log, read(log.states, randomOf(seed)), isReplay);
      const what = `SEED=${seed}: ${name}${isReplay ? ", replayed" : ""}`;
      equal(await readBySeven(chunks), seven, `${what}, by ai 7`);
      equal(await readBySix(chunks), six, `${what}, by ai 6`);
    }
  }
  const [message] = toUIMessages({ messages: log.messages });
  equal(shown(message), seven, `SEED=${seed}: toUIMessages`);
}

function equal(is: Shown, wanted: Shown, what: string): void {
  try {
    assert.deepEqual(is, wanted);
  } catch (error) {
    throw new Error(`${what}\n${(error as Error).message}`);
  }
}

describe(`${seeds.length} streams by chance`, () => {
  test("whole, they are what the AI SDK makes of them", async () => {
    for (const seed of seeds) await same(seed, randomStream(seed));
  });

  test("broken off, they are as far as they came", async () => {
    for (const seed of seeds) await same(seed, randomStream(seed, { mayBreakOff: true }));
  });

  test("said by the agent's codec, they are the same", async () => {
    for (const seed of seeds) {
      const stream = randomStream(seed, { mayBreakOff: true });
      await same(seed, stream, ofCodec(stream));
    }
  });

  test("ended in two entries, as by agents of the first release, they are the same", async () => {
    const isOld = true;
    for (const seed of seeds) {
      const stream = randomStream(seed);
      const log = TurnLog.of(stream, { isOld });
      const [seven, [message]] = [await readBySeven(stream), toUIMessages(log)];
      equal(shown(message), seven, `SEED=${seed}: toUIMessages`);
      const live = await readBySeven(told(log, log.states, false));
      equal(withoutNotes(live), withoutNotes(seven), `SEED=${seed}: live`);
    }
  });
});

/** Metadata from the second entry, when the end was told already, is there after a reload. */
function withoutNotes({ parts, ...rest }: Shown): Shown {
  const bare = parts.map(({ providerMetadata, callProviderMetadata, citations, ...part }) => part);
  return { parts: bare, ...rest };
}
