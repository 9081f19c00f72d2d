// The cost of inboxes to the sessions that tell them (P15): rows written by a session with and
// without the binding.

import { Connection, diagnostics, freshSession, tokenOf } from "./client.ts";
import { atMost, type Bench, type Family, type Row } from "./row.ts";
import type { Server } from "./server.ts";
import { startSessile, TOKEN_TEXT } from "./sides.ts";

const ROUNDS = 8;
/** Milliseconds in which what is owed is told, and the answer is there. */
const TOLD_MS = 900;

interface Cost {
  /** Rows of a publish, its turn and its answer, from start to end; the most of all. */
  exchange: number;
  /** Rows of a request for approval and of the decision; the most of all. */
  approval: number;
}

async function cost(server: Server): Promise<Cost> {
  const session = freshSession();
  const user = await Connection.open(server, session, "", await tokenOf("asker", ["user"]));
  const agent = await Connection.open(server, session);
  const told = () => new Promise((resolve) => setTimeout(resolve, TOLD_MS));
  const rows = async (steps: (() => Promise<unknown>)[]): Promise<number> => {
    const before = (await diagnostics(server, session)).rowsWritten;
    for (const step of steps) {
      await step();
      await told();
    }
    return (await diagnostics(server, session)).rowsWritten - before;
  };
  const ask = async (turn: string) => {
    const result = await user.request({ type: "publish", messages: [{ data: "buy it" }] });
    const input = result.messages?.[0]?.serial;
    await agent.request({ type: "turn.start", id: turn, input });
  };
  const answer = async (turn: string) => {
    const message = { turn, data: "", status: "streaming", role: "assistant" };
    const result = await agent.request({ type: "publish", messages: [message] });
    const serial = result.messages?.[0]?.serial ?? "";
    await agent.request({ type: "append", serial, data: TOKEN_TEXT.repeat(50), seq: 1 });
    await agent.request({ type: "turn.end", turn, status: "complete" });
  };
  const costs: Cost = { exchange: 0, approval: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const exchange = await rows([() => ask(`t${round}`), () => answer(`t${round}`)]);
    await ask(`u${round}`);
    await told();
    const [id, turn] = [`a${round}`, `u${round}`];
    const approval = await rows([
      () => agent.request({ type: "approval.request", id, turn, title: "Buy two tickets?" }),
      () => user.request({ type: "approval.decide", approval: id, decision: "approve" }),
    ]);
    await answer(turn);
    await told();
    // The first makes tables.
    if (round === 0) continue;
    costs.exchange = Math.max(costs.exchange, exchange);
    costs.approval = Math.max(costs.approval, approval);
  }
  user.close();
  agent.close();
  return costs;
}

async function inboxes(bench: Bench): Promise<Row[]> {
  const [with_, without] = await Promise.all([
    startSessile("default", true),
    startSessile("default"),
  ]);
  const [told, alone] = await Promise.all([cost(with_), cost(without)]);
  await Promise.all([with_.kill(), without.kill()]);
  bench.log(
    `rows with an inbox told: an exchange ${told.exchange}, an approval ${told.approval}; ` +
      `without inboxes ${alone.exchange} and ${alone.approval}`,
  );
  return [
    atMost(
      "rows of an exchange that one inbox is told: at most 2 more than without inboxes",
      "rows",
      told.exchange,
      alone.exchange + 2,
      1,
    ),
    atMost(
      "rows of an approval's request and decision that one inbox is told: 2 more than without",
      "rows",
      told.approval,
      alone.approval + 2,
      1,
    ),
    atMost(
      "rows of an approval's request and decision, without inboxes",
      "rows",
      alone.approval,
      8,
      1,
    ),
  ];
}

export const inbox: Family[] = [{ name: "rows-inbox", run: inboxes }];
