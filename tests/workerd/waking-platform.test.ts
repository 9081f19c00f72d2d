// P10.3: an agent in a Worker of its own is woken by a service binding, a Queue and a Workflow.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { answered, ask } from "../support/bot.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { type Platform, startPlatform } from "../support/platform.ts";
import { until } from "../support/wait.ts";

let platform: Platform | undefined;
before(async () => {
  platform = await startPlatform({ DOWN: "1" });
});
after(async () => {
  await platform?.stop();
});

function server(): Platform {
  assert.ok(platform, "it has started");
  return platform;
}

const set = (session: string, values: Record<string, unknown>) =>
  call(server(), session, "PATCH", "", { json: { settings: values } });

/** Nothing is owed any more. */
async function isDone(session: string): Promise<void> {
  const pending = async () => {
    const report = await call(server(), session, "GET", "/diagnostics");
    const { pending, dead } = field(report, "deliveries") as { pending: number; dead: unknown[] };
    return pending + dead.length;
  };
  await until(pending, (count) => count === 0, "nothing to be owed");
}

describe("on Cloudflare", () => {
  for (const [name, agent] of [
    ["a service binding, down at first", { service: "BOT", path: "/wake", token: true }],
    ["a Queue", { queue: "JOBS", token: true }],
    ["a Workflow", { workflow: "FLOW", token: true }],
  ] as const) {
    test(`P10.3 ten inputs through ${name}: one turn each, in order`, async () => {
      const session = Object.keys(agent)[0] ?? "";
      const answer = await set(session, { agent, onInput: "queue" });
      assert.equal(answer.status, 200, answer.text);
      const inputs = await ask(server(), session, 10);
      await answered(server(), session, inputs, "in order");
      await isDone(session);
    });
  }

  test("P10.3 bindings that there are not are refused by name", async () => {
    for (const [agent, reason] of [
      [{ service: "JOBS" }, 'agent.service: the deployment has no service "JOBS"'],
      [{ service: "SESSIONS" }, 'agent.service: the deployment has no service "SESSIONS"'],
      [{ queue: "BOT" }, 'agent.queue: the deployment has no queue "BOT"'],
      [{ workflow: "JOBS" }, 'agent.workflow: the deployment has no workflow "JOBS"'],
      [{ workflow: "INBOXES" }, 'agent.workflow: the deployment has no workflow "INBOXES"'],
      [{ queue: "SESSILE_SIGNING_KEY" }, "agent.queue: the deployment has no queue"],
    ] as const) {
      const error = assertRefused(await set("refused", { agent }), 400, "invalid-frame");
      assert.ok(error.message.includes(reason), error.message);
    }
  });
});
