// An agent as a process of its own, so that a test can kill it: it is present, leads a turn and
// streams into it until it dies. Run by `spawnAgent` of `turns.ts`.

import { connect } from "./client.ts";
import { answer, start } from "./turns.ts";
import { sleep } from "./wait.ts";

const [url = "", session = "", token = "", leaseMs = "1000"] = process.argv.slice(2);

const client = await connect({ url }, session, { token });
await client.ok({ type: "presence.set", data: { busy: true } });
const turn = await start(client, { leaseMs: Number(leaseMs) });
const serial = await answer(client, turn.id, { id: "answer" });
for (let seq = 1; ; seq += 1) {
  const append = { type: "append", serial, data: `word${seq} `, seq };
  if (seq === 20) {
    // A test waits for this before it kills.
    await client.ok(append);
    process.stdout.write(`${JSON.stringify({ turn: turn.id, serial })}\n`);
  } else client.send(append);
  await sleep(10);
}
