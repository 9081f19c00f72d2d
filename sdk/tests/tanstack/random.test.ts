// Any stream of an AI SDK, told in a session's log and read by TanStack AI's pages, whenever they
// come: the events are what AG-UI allows, and every page has the same chat, with all that was said.
// `SEED=7` repeats one stream, `SEEDS=2000` runs more.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UIMessageChunk } from "ai";
import { Answers } from "../../src/answer/answers.ts";
import type { Message } from "../../src/protocol/index.ts";
import { nodesOf } from "../../src/tanstack/nodes.ts";
import { inOne, newsOf } from "../../src/tanstack/outputs.ts";
import { toChat } from "../../src/tanstack/transcript.ts";
import { randomOf, randomStream } from "../ai-sdk/random-stream.ts";
import { readBySeven } from "../ai-sdk/reference.ts";
import { TurnLog, type TurnLogOptions } from "../ai-sdk/turn-log.ts";
import { chatOf, coldChat, fed, joined, type Part, type State, verify } from "./readers.ts";
import { saidBy, saidIn } from "./said.ts";

const { SEED, SEEDS = "200" } = process.env;
const seeds = SEED
  ? [Number(SEED)]
  : Array.from({ length: Number(SEEDS) }, (_, index) => index + 1);

/** Which of the states of a log a reader sees; the last one always. */
const READERS: Record<string, (states: State[], random: () => number) => State[]> = {
  live: (states) => states,
  late: (states, random) => states.slice(Math.floor(random() * states.length)),
  cut: (states, random) => {
    const from = Math.floor(random() * states.length);
    const to = from + Math.floor(random() * (states.length - from));
    return [...states.slice(0, from), ...states.slice(to).filter(() => random() < 0.5)];
  },
  cold: () => [],
};

const ASKED: Message = {
  ...{ serial: "000000000000", version: "000000000000", id: "asked", client: "ann" },
  ...{ name: "message", role: "user", data: "Hello", createdAt: 0, updatedAt: 0 },
};

function statesOf(stream: readonly UIMessageChunk[], options: TurnLogOptions): State[] {
  const before = [ASKED];
  const log = TurnLog.of(stream, { ...options, before, input: ASKED.serial });
  const told = log.states.map(({ messages, turn }) => ({ messages, turns: [turn] }));
  return [{ messages: [], turns: [] }, { messages: before, turns: [] }, ...told];
}

async function same(seed: number, stream: UIMessageChunk[], options: TurnLogOptions = {}) {
  const states = statesOf(stream, options);
  const cold = await agree(seed, states, "t1");
  equal(saidIn(cold), saidBy(await readBySeven(stream)), `SEED=${seed}: all that was said`);
}

/** All readers, whenever they come, have the chat that is given. */
async function agree(seed: number, states: State[], run: string): Promise<Part[][]> {
  const last = states.at(-1) as State;
  const all = coldChat(last);
  // TanStack AI looks for what a question is about in the newest message alone.
  const isLong = all.length > 2;
  const cold = unasked(all, isLong);
  for (const [name, read] of Object.entries(READERS)) {
    const what = `SEED=${seed}: ${name}`;
    const seen = [...read(states, randomOf(seed)), last];
    const chunks = fed(seen);
    await named(`${what}, verified`, () => verify(chunks));
    equal(unasked(chatOf(chunks), isLong), cold, what);
    const begun = seen.filter(({ turns }) => turns.some(({ id }) => id === run));
    const told = joined(begun, run);
    await named(`${what}, joined, verified`, () => verify(told));
    equal(unasked(chatOf(told), isLong), cold.slice(1), `${what}, joined`);
  }
  const ids = all.flat().flatMap(({ type, id }) => (type === "tool-call" ? [id] : []));
  assert.equal(new Set(ids).size, ids.length, `SEED=${seed}: a call's id comes twice`);
  return all.slice(1);
}

/** A turn whose first attempt comes to nothing: another one takes its place (P6.8). */
async function again(seed: number): Promise<void> {
  const random = randomOf(seed);
  const log = new TurnLog({ before: [ASKED], input: ASKED.serial });
  const [first, second] = [randomStream(seed + 1_000_000), randomStream(seed)];
  for (const chunk of first.slice(0, Math.floor(random() * first.length))) log.take(chunk);
  for (const { serial, turn } of log.messages) if (turn) log.drop(serial);
  const anew = TurnLog.of(second, { before: log.messages, input: ASKED.serial });
  const states = [...log.states, ...anew.states].map(({ messages, turn }) => ({
    messages,
    turns: [turn],
  }));
  const cold = await agree(seed, [{ messages: [], turns: [] }, ...states], "t1");
  equal(saidIn(cold), saidBy(await readBySeven(second)), `SEED=${seed}: all that was said`);
}

/** A turn that is cancelled somewhere. */
async function cancelled(seed: number): Promise<void> {
  const log = new TurnLog({ before: [ASKED], input: ASKED.serial });
  for (const chunk of randomStream(seed, { mayBreakOff: true })) log.take(chunk);
  log.end("cancelled");
  const states = log.states.map(({ messages, turn }) => ({ messages, turns: [turn] }));
  await agree(seed, [{ messages: [], turns: [] }, ...states], "t1");
}

/** A turn, what a page makes of the calls that it left, and the turn that goes on from there. */
async function continued(seed: number): Promise<boolean> {
  const streams = [randomStream(seed), randomStream(seed + 1_000_000)] as const;
  if (streams[0].some(({ type }) => type === "error")) return false;
  const first = statesOf(streams[0], {});
  const { messages, turns } = first.at(-1) as State;
  const answers = Answers.of({ messages, turns });
  const chat = toChat({ messages, turns, hasOlder: false });
  const calls = chat.flatMap(({ parts }) => parts).filter(({ type }) => type === "tool-call");
  const open = calls.filter(({ state }) => state === "input-complete");
  for (const [n, part] of open.entries()) Object.assign(part, { state: "complete", output: { n } });
  const news = inOne(newsOf(chat, nodesOf(messages, answers), answers) ?? []);
  assert.equal(news.length, open.length, `SEED=${seed}: one output for each call`);
  if (news.length === 0) return false;
  const placed = news.map((message, n): Message => {
    const serial = String(messages.length * 100 + n).padStart(12, "0");
    const more = { client: "ann", version: serial, createdAt: 0, updatedAt: 0 };
    return { name: "message", role: "user", ...message, ...more, serial };
  });
  const before = [...messages, ...placed];
  const input = placed.at(-1)?.serial ?? "";
  const second = TurnLog.of(streams[1], { id: "t2", before, input });
  const rest = second.states.map(({ messages, turn }) => ({ messages, turns: [...turns, turn] }));
  const states = [...first, { messages: before, turns }, ...rest];
  const cold = await agree(seed, states, "t2");
  assert.ok(
    cold.every(([head]) => /^t1(\/\d+)?$/.test(String(head?.id))),
    "it is one answer",
  );
  let n = 0;
  const made = saidBy(await readBySeven(streams[0])).map((said) => {
    const call = said as Part;
    if (call.state !== "input-complete") return said;
    return { ...call, state: "complete", output: { n: n++ } };
  });
  const wanted = [...made, ...saidBy(await readBySeven(streams[1]))];
  equal(saidIn(cold), wanted, `SEED=${seed}: all that was said`);
  return true;
}

function unasked(chat: Part[][], isWanted: boolean): Part[][] {
  const without = ({ approval, ...part }: Part): Part =>
    approval ? { ...part, state: "input-complete" } : part;
  return isWanted ? chat.map((parts) => parts.map(without)) : chat;
}

function equal(is: unknown, wanted: unknown, what: string): void {
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  try {
    assert.deepEqual(plain(is), plain(wanted));
  } catch (error) {
    throw new Error(`${what}\n${(error as Error).message}`);
  }
}

async function named(what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw new Error(`${what}\n${(error as Error).message}`);
  }
}

describe(`${seeds.length} streams by chance, as TanStack AI shows them`, () => {
  test("whole", async () => {
    for (const seed of seeds) await same(seed, randomStream(seed));
  });

  test("broken off", async () => {
    for (const seed of seeds) await same(seed, randomStream(seed, { mayBreakOff: true }));
  });

  test("said anew by another attempt", async () => {
    for (const seed of seeds) await again(seed);
  });

  test("cancelled", async () => {
    for (const seed of seeds) await cancelled(seed);
  });

  test("gone on with after what a page made of its calls", async () => {
    let count = 0;
    for (const seed of seeds) if (await continued(seed)) count += 1;
    assert.ok(SEED || count > seeds.length / 10, `${count} streams were gone on with`);
  });

  test("ended in two entries, as by agents of the first release", async () => {
    for (const seed of seeds) await same(seed, randomStream(seed), { isOld: true });
  });
});
