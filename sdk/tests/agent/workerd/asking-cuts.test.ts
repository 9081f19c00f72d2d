// Two processes of an agent wait in one turn, over wires that are cut at any moment (P8.4).

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { Random } from "../../../../tests/support/random.ts";
import { until } from "../../../../tests/support/wait.ts";
import type { AgentSession, AgentTurn } from "../../../src/agent/index.ts";
import { approvalsOf } from "../../../src/index.ts";
import { QUICK } from "../../support.ts";
import { contents, join, LINKS } from "./agent.ts";
import { Person } from "./person.ts";

const fixture = useServer();
const proxies: CuttingProxy[] = [];
after(async () => {
  for (const proxy of proxies) await proxy.stop();
});

for (const [name, link] of Object.entries(LINKS)) {
  test(`P8.4 every answer counts once, for two processes over ${name} that is cut`, async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const proxy = await CuttingProxy.start(fixture.server.port);
    proxies.push(proxy);
    const session = fixture.cutSession();
    const ada = await Person.in(t, fixture.server, session);
    const count = 10;
    const results: unknown[][] = [];
    const handle = async (turn: AgentTurn): Promise<void> => {
      const said: unknown[] = [];
      for (let n = 0; n < count; n += 1) {
        const asked = turn.approve({ title: "Go on?", data: n });
        const [{ data }, output] = await Promise.all([asked, turn.call("double", n)]);
        said.push(data, output);
        await turn.message(n, { name: "said" });
      }
      results.push(said);
    };
    const agents = [1, 2].map(() => {
      const answer = (_: unknown, start: object) => agent.answer(start, handle).catch(() => {});
      const agent: AgentSession = join(proxy, session, {
        ...{ ...(link && { link }), timing: QUICK, onInput: answer, onQueued: answer },
      });
      return agent;
    });
    const areThere = () => agents.every(({ link }) => link.status.state === "connected");
    await until(areThere, Boolean, "the agents to be there");
    ada.session.on("frame", (frame) => {
      if (frame.type !== "tool.call") return;
      void ada.runs(frame.call.id, { output: Number(frame.call.input) * 2 });
    });
    await ada.session.send("Tickets, please");
    const isOver = () => ada.session.turns.some((turn) => turn.status === "complete");
    await until(
      async () => {
        if (random.below(12) === 0) proxy.cut();
        for (const one of approvalsOf(ada.session).pending) {
          await approvalsOf(ada.session).decide(one.id, "approve");
          if (random.below(4) === 0) proxy.cut();
        }
        return isOver();
      },
      Boolean,
      "the end of the turn",
    );
    const expected = Array.from({ length: count }, (_, n) => [n, n * 2]).flat();
    for (const result of results) assert.deepEqual(result, expected);
    const said = (await contents(fixture.server, session)).filter(([of]) => of === "said");
    assert.deepEqual(
      said.map(([, data]) => data),
      Array.from({ length: count }, (_, n) => n),
    );
  });
}
