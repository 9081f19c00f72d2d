// The cost of a session to its owner: bytes on the wire and rows written, by the storage's own
// count (`GET …/diagnostics`).

import { BodyStream } from "./body.ts";
import { Connection, diagnostics, freshSession, http } from "./client.ts";
import { atLeast, atMost, type Bench, type Family, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startSessile, TOKEN_CHARS, TOKEN_TEXT } from "./sides.ts";

interface Streamed {
  /** Rows written from the publish, not included, to the last append, for whatever reason. */
  rows: number;
  /** Rows written by the whole session, from its schema to the end of the message. */
  all: number;
  /** Windows with something in them, as the reader saw them. */
  windows: number;
  /** Payload bytes of the frames that brought the tokens. */
  bytes: number;
}

/** Calls `send` with how many tokens are due, evenly, until `tokens` are sent. */
async function paced(rate: number, tokens: number, send: (count: number) => void): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < tokens; ) {
    const due = Math.min(tokens, Math.ceil(((performance.now() - start) * rate) / 1000));
    if (due > sent) send(due - sent);
    sent = Math.max(sent, due);
    const next = start + (sent * 1000) / rate - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, next)));
  }
}

/** One session with one agent and one reader at the default window, from nothing to complete. */
async function stream(server: Server, rate: number, tokens: number): Promise<Streamed> {
  const session = freshSession();
  const agent = await Connection.open(server, session);
  const reader = await Connection.open(server, session);
  let windows = 0;
  let before = 0;
  let held = 0;
  const whole = new Promise<void>((resolve) => {
    reader.onFrame = (frame) => {
      if (frame.type === "message.create") before = reader.socket.received;
      if (frame.type !== "message.append") return;
      held = (frame.offset ?? 0) + (frame.data ?? "").length;
      windows += 1;
      if (held === tokens * TOKEN_CHARS) resolve();
    };
  });
  const serial = await agent.begin();
  const begun = await diagnostics(server, session);
  let seq = 0;
  await paced(rate, tokens, (count) => {
    for (let index = 0; index < count; index += 1) {
      seq += 1;
      agent.socket.send(JSON.stringify({ type: "append", serial, data: TOKEN_TEXT, seq }));
    }
  });
  await whole;
  const bytes = reader.socket.received - before;
  const streamed = await diagnostics(server, session);
  await agent.complete(serial);
  const ended = await diagnostics(server, session);
  agent.close();
  reader.close();
  const rows = streamed.rowsWritten - begun.rowsWritten;
  return { rows, all: ended.rowsWritten, windows, bytes };
}

async function wire(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const tokens = bench.quick ? 600 : 2000;
  const { bytes } = await stream(server, 150, tokens);
  await server.kill();
  const name = "bytes on the wire per token, default window, 150 tokens/s: at most 20";
  return [atMost(name, "bytes/token", bytes / tokens, 20, 1)];
}

/** Fifty answers of 20 000 tokens at once: a million tokens, stored and read for real. */
async function million(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const [sessions, tokens] = bench.quick ? [4, 9000] : [50, 20_000];
  const all = await Promise.all(
    Array.from({ length: sessions }, () => stream(server, 300, tokens)),
  );
  await server.kill();
  const rows = all.reduce((sum, one) => sum + one.rows, 0);
  const windows = all.reduce((sum, one) => sum + one.windows, 0);
  const whole = all.reduce((sum, one) => sum + one.all, 0);
  bench.log(
    `rows: ${rows} for ${windows} windows of ${sessions * tokens} tokens, ` +
      `${whole} with schemas, publishes and closes`,
  );
  const what = `${sessions} sessions of ${tokens} tokens`;
  return [atMost(`rows written by appends, per window, ${what}`, "rows", rows, windows, 1.01)];
}

/** The same answer with one reader and with nobody, from an agent that only has fetch. */
async function unwatched(): Promise<Row[]> {
  const server = await startSessile("default");
  const tokens = 3000;
  const count = async (watched: boolean): Promise<number> => {
    const session = freshSession();
    // The schema is made here: what is compared is what streaming costs.
    await http(server, `${session}/messages`, { method: "POST", body: '{"data":"hello"}' });
    const before = await diagnostics(server, session);
    const reader = watched ? await Connection.open(server, session) : undefined;
    const body = new BodyStream(server, session);
    await paced(150, tokens, (due) => void body.write(due));
    await body.end();
    const after = await diagnostics(server, session);
    reader?.close();
    return after.rowsWritten - before.rowsWritten;
  };
  const [watched, alone] = await Promise.all([count(true), count(false)]);
  await server.kill();
  const name = `rows written for ${tokens} tokens: watched, and with nobody watching`;
  return [atLeast(name, "rows", watched, alone, 5)];
}

/** Rows of one publish and of one close, the worst of many. */
async function single(): Promise<Row[]> {
  const server = await startSessile("default");
  const session = freshSession();
  const agent = await Connection.open(server, session);
  await agent.begin("the schema is made with the first write");
  let written = (await diagnostics(server, session)).rowsWritten;
  const cost = async (act: () => Promise<unknown>): Promise<number> => {
    const before = written;
    await act();
    written = (await diagnostics(server, session)).rowsWritten;
    return written - before;
  };
  const publishes: number[] = [];
  const closes: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const id = `once-${index}`;
    const message = { id, data: "a".repeat(index * 500), headers: { kind: "note" } };
    publishes.push(await cost(() => agent.request({ type: "publish", messages: [message] })));
    let serial = "";
    const streaming = { id: `open-${index}`, data: "b".repeat(index * 500), status: "streaming" };
    publishes.push(
      await cost(async () => {
        const result = await agent.request({ type: "publish", messages: [streaming] });
        serial = result.messages?.[0]?.serial ?? "";
      }),
    );
    closes.push(await cost(() => agent.complete(serial)));
  }
  agent.close();
  await server.kill();
  return [
    atMost(
      "rows written by a publish with an id, the most of 40",
      "rows",
      Math.max(...publishes),
      3,
      1,
    ),
    atMost("rows written by a close, the most of 20", "rows", Math.max(...closes), 2, 1),
  ];
}

/** Rows of one answer, streamed in one window and closed: in a turn of its own, or in none. */
async function answer(server: Server, session: string, agent: Connection, turn?: string) {
  const before = (await diagnostics(server, session)).rowsWritten;
  if (turn !== undefined) await agent.request({ type: "turn.start", id: turn });
  const of = turn === undefined ? {} : { turn };
  const message = { ...of, id: freshSession(), data: "", status: "streaming" };
  const result = await agent.request({ type: "publish", messages: [message] });
  const serial = result.messages?.[0]?.serial ?? "";
  await agent.request({ type: "append", serial, data: TOKEN_TEXT.repeat(50), seq: 1 });
  if (turn === undefined) await agent.complete(serial);
  else await agent.request({ type: "turn.end", turn, status: "complete" });
  return (await diagnostics(server, session)).rowsWritten - before;
}

/** The cost of a turn beside the answer streamed in it, the most of many. */
async function turn(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const session = freshSession();
  const agent = await Connection.open(server, session);
  await agent.begin("the schema is made with the first write");
  const [alone, led]: [number[], number[]] = [[], []];
  for (let index = 0; index < 20; index += 1) {
    alone.push(await answer(server, session, agent));
    led.push(await answer(server, session, agent, `turn-${index}`));
  }
  agent.close();
  await server.kill();
  bench.log(`rows of an answer: ${Math.max(...alone)} alone, ${Math.max(...led)} with its turn`);
  const name = "rows written by a turn, start to end, on top of its answer's, the most of 20";
  return [atMost(name, "rows", Math.max(...led) - Math.min(...alone), 7, 1)];
}

/** Rows of a request to a person and of the answer: the turn is suspended and goes on with it. */
async function approval(bench: Bench): Promise<Row[]> {
  const server = await startSessile("default");
  const session = freshSession();
  const agent = await Connection.open(server, session);
  await agent.request({ type: "turn.start", id: "t" });
  const counts: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const before = (await diagnostics(server, session)).rowsWritten;
    const id = `a-${index}`;
    await agent.request({ type: "approval.request", id, turn: "t", title: "Buy two tickets?" });
    await agent.request({ type: "approval.decide", approval: id, decision: "approve" });
    counts.push((await diagnostics(server, session)).rowsWritten - before);
  }
  agent.close();
  await server.kill();
  // The first makes the table.
  const written = Math.max(...counts.slice(1));
  bench.log(`rows of a request and its decision: ${written}, the first ${counts[0]}`);
  const name = "rows written by an approval's request and decision, with its turn suspended";
  return [atMost(name, "rows", written, 8, 1)];
}

export const billing: Family[] = [
  { name: "wire", run: wire },
  { name: "rows-million", run: million },
  { name: "rows-unwatched", run: unwatched },
  { name: "rows-single", run: single },
  { name: "rows-turn", run: turn },
  { name: "rows-approval", run: approval },
];
