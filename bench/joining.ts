// The cost of joining, resuming and following: time, frames, and payload bytes on the wire
// (uncompressed, everything from the session counted, `attached` too).

import { Connection, type Frame, freshSession, openSocket } from "./client.ts";
import { atMost, type Bench, type Family, median, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { openBareSocket, startBare, startSessile, TOKEN_CHARS, TOKEN_TEXT } from "./sides.ts";

const MESSAGES = 1000;
const MESSAGE_CHARS = 2048;
const CAUGHT_UP = Buffer.from('"caught-up"');

/** A page of words, none of them like the last. */
function page(index: number): string {
  return `message ${index} of the long talk, `.repeat(100).slice(0, MESSAGE_CHARS);
}

async function seedSessile(server: Server, session: string): Promise<void> {
  const agent = await Connection.open(server, session);
  for (let index = 0; index < MESSAGES; index += 50) {
    const messages = Array.from({ length: 50 }, (_, place) => ({ data: page(index + place) }));
    await agent.request({ type: "publish", messages });
  }
  agent.close();
}

async function seedBare(server: Server, name: string): Promise<void> {
  const agent = await openBareSocket(server, name, "agent");
  let ref = 0;
  await new Promise<void>((resolve) => {
    agent.onMessage = () => {
      ref += 1;
      if (ref === MESSAGES) resolve();
    };
    for (let index = 0; index < MESSAGES; index += 1) {
      agent.send(JSON.stringify({ data: page(index), ref: index }));
    }
  });
  agent.close();
}

interface Join {
  ms: number;
  bytes: number;
}

async function joinSessile(server: Server, session: string): Promise<Join> {
  const start = performance.now();
  const socket = await openSocket(server, session, `?rewind=${MESSAGES}`);
  const end = await new Promise<number>((resolve) => {
    socket.onMessage = (payload, at) => {
      if (payload.includes(CAUGHT_UP)) resolve(at);
    };
  });
  socket.close();
  return { ms: end - start, bytes: socket.received };
}

async function joinBare(server: Server, name: string): Promise<Join> {
  const start = performance.now();
  const socket = await openBareSocket(server, name, "joiner");
  const end = await new Promise<number>((resolve) => {
    socket.onMessage = (payload, at) => {
      if (payload.length === 3) resolve(at);
    };
  });
  socket.close();
  return { ms: end - start, bytes: socket.received };
}

async function join(bench: Bench): Promise<Row[]> {
  const [ours, theirs] = [await startSessile("default"), await startBare()];
  const name = freshSession();
  await Promise.all([seedSessile(ours, name), seedBare(theirs, name)]);
  const times = { ours: [] as number[], theirs: [] as number[] };
  let bytes = 0;
  for (let round = 0; round < (bench.quick ? 7 : 21); round += 1) {
    const raw = await joinBare(theirs, name);
    const whole = await joinSessile(ours, name);
    times.theirs.push(raw.ms);
    times.ours.push(whole.ms);
    bytes = whole.bytes;
    bench.log(`join: theirs ${raw.ms.toFixed(1)} ms, ours ${whole.ms.toFixed(1)} ms`);
  }
  await Promise.all([ours.kill(), theirs.kill()]);
  const what = `joining ${MESSAGES} messages, 2 MB of text`;
  const bound = MESSAGES * (MESSAGE_CHARS + 300);
  return [
    atMost(`${what}: time`, "ms", median(times.ours), median(times.theirs), 1.2),
    atMost(`${what}: bytes, at most the text and 300 a message`, "bytes", bytes, bound, 1),
  ];
}

/** Sends so many tokens in arrays and waits until they are stored. */
async function send(
  agent: Connection,
  serial: string,
  from: number,
  tokens: number,
): Promise<void> {
  const frame = (seq: number) => ({ type: "append", serial, data: TOKEN_TEXT, seq });
  const frames = Array.from({ length: tokens }, (_, index) => frame(from + index));
  for (let at = 0; at < frames.length; at += 500) {
    agent.socket.send(JSON.stringify(frames.slice(at, at + 500)));
  }
  await agent.request({ type: "append", serial, data: "" });
}

/** The highest serial or version among frames: a reader's position (P3.7). */
function position(frames: Frame[]): string {
  const serials = frames.flatMap((frame) => frame.message?.version ?? frame.version ?? []);
  return serials.sort().at(-1) ?? "";
}

async function resume(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const rows: Row[] = [];
  for (const missed of [20, 1000, 10_000]) {
    const session = freshSession();
    const agent = await Connection.open(server, session);
    const serial = await agent.begin();
    await send(agent, serial, 1, 3000);
    const before = await Connection.open(server, session);
    before.close();
    await send(agent, serial, 3001, missed);
    const after = await openSocket(server, session, `?since=${position(before.replay)}`);
    await new Promise<void>((resolve) => {
      after.onMessage = (payload) => {
        if (payload.includes(CAUGHT_UP)) resolve();
      };
    });
    bench.log(`resume: missed ${missed * TOKEN_CHARS} bytes, was sent ${after.received}`);
    const bound = missed * TOKEN_CHARS + 1024;
    const name = `resuming after missing ${missed} tokens: at most their bytes and 1 KB`;
    rows.push(atMost(name, "bytes", after.received, bound, 1));
    after.close();
    agent.close();
  }
  await server.kill();
  return rows;
}

/** A reader that joins an open stream at its 500th token, beside one that joins the bare rows. */
async function late(): Promise<Row[]> {
  const server = await startSessile("default");
  const session = freshSession();
  const agent = await Connection.open(server, session);
  const serial = await agent.begin();
  await send(agent, serial, 1, 500);
  const reader = await Connection.open(server, session);
  const frames = reader.replay.filter(({ type }) => type.startsWith("message."));
  const text = frames.map((frame) => frame.message?.data ?? "").join("");
  if (text.length !== 500 * TOKEN_CHARS) throw new Error(`the joiner holds ${text.length} chars`);
  const bytes = Buffer.byteLength(JSON.stringify(frames));
  await server.kill();
  const what = "joining a stream at its 500th token";
  return [
    atMost(`${what}: message frames`, "frames", frames.length, 1, 1),
    atMost(`${what}: bytes, at most the text and 300`, "bytes", bytes, text.length + 300, 1),
  ];
}

export const joining: Family[] = [
  { name: "join", run: join },
  { name: "resume", run: resume },
  { name: "late-join", run: late },
];
