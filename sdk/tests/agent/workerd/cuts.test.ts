// A wire that is cut in mid stream: the session has every piece once, and the turn goes on.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { Random, tokens } from "../../../../tests/support/random.ts";
import { Reader } from "../../../../tests/support/reader.ts";
import { assertText } from "../../../../tests/support/text.ts";
import { sleep, until } from "../../../../tests/support/wait.ts";
import { contents, getTurn, join, LINKS } from "./agent.ts";

const fixture = useServer();
const proxies: CuttingProxy[] = [];
const cutting = async () => {
  const proxy = await CuttingProxy.start(fixture.server.port);
  proxies.push(proxy);
  return proxy;
};
after(async () => {
  for (const proxy of proxies) await proxy.stop();
});
const timing = { backoffMs: 20, backoffMostMs: 100 };

/** Pieces as a model gives them: a few at a time, with pauses. */
async function* model(pieces: string[], at: (index: number) => void): AsyncGenerator<string> {
  for (const [index, piece] of pieces.entries()) {
    at(index);
    if (index % 7 === 0) await sleep(2);
    yield piece;
  }
}

for (const [name, link] of Object.entries(LINKS)) {
  const options = link ? { link } : { timing };

  describe(`an agent over ${name}`, () => {
    test("whose wire is cut again and again says everything once", async (t) => {
      const random = new Random();
      t.diagnostic(`SESSILE_SEED=${random.seed}`);
      const session = fixture.cutSession();
      const proxy = await cutting();
      const reader = new Reader(fixture.server, session, { sub: "reader" });
      await reader.attach();
      let losses = 0;
      const agent = join(proxy, session, {
        ...options,
        onStatus: ({ state }) => {
          if (state === "waiting") losses += 1;
        },
      });
      const turn = await agent.startTurn();
      const pieces = tokens(3000);
      const cuts = new Set(Array.from({ length: 20 }, () => random.below(pieces.length)));
      const result = await turn.stream(
        model(pieces, (index) => {
          if (cuts.has(index)) proxy.cut();
        }),
      );
      assert.deepEqual(result, { status: "complete" });
      assert.equal((await turn.end()).status, "complete");
      assert.ok(losses > 0, "the connection was lost at least once");
      const [[, text] = [], ...more] = await contents(fixture.server, session);
      assertText(text, pieces.join(""));
      assert.equal(more.length, 0);
      const serial = [...reader.fold.lenient.keys()][0] ?? "";
      await reader.holdsStatus(serial, "complete");
      assertText(reader.fold.text(serial), pieces.join(""));
      reader.fold.assertSound();
      agent.close();
      await reader.close();
    });

    test("is without a network for a while, and makes up for it", async () => {
      const session = fixture.cutSession();
      const proxy = await cutting();
      const agent = join(proxy, session, options);
      const turn = await agent.startTurn();
      const writer = turn.write();
      writer.append("before ");
      await until(
        () => contents(fixture.server, session),
        (found) => found[0]?.[1] === "before ",
        "the first words",
      );
      proxy.unplug();
      writer.append("during ");
      const saying = turn.message("a whole one", { name: "note" });
      const ending = turn.end();
      proxy.plug();
      writer.append("after");
      await writer.end().catch(() => {});
      await saying;
      assert.equal((await ending).status, "complete");
      assert.deepEqual(await contents(fixture.server, session), [
        ["message", "before during after"],
        ["note", "a whole one"],
      ]);
      agent.close();
    });

    test("hears after a cut of what was asked meanwhile", async () => {
      const session = fixture.cutSession();
      const proxy = await cutting();
      const agent = join(proxy, session, options);
      await using user = join(fixture.server, session);
      const turn = await agent.startTurn();
      const other = await agent.startTurn();
      proxy.unplug();
      await user.link.request({ type: "steer", turn: other.id, data: "shorter" });
      await user.link.request({ type: "cancel", turn: turn.id });
      const fired = new Promise<void>((done) =>
        turn.signal.addEventListener("abort", () => done()),
      );
      const noticed = new Promise<void>((done) => other.onSteer(done));
      proxy.plug();
      await fired;
      await noticed;
      assert.ok(turn.isCancelled);
      assert.ok(!other.signal.aborted);
      assert.deepEqual(
        (await other.steered()).map(({ data }) => data),
        ["shorter"],
      );
      assert.equal((await turn.end()).status, "cancelled");
      await other.message("ok");
      assert.equal((await other.end()).status, "complete");
      agent.close();
    });

    test("learns that it was given up while it was away", async () => {
      const session = fixture.cutSession();
      const proxy = await cutting();
      const agent = join(proxy, session, options);
      const turn = await agent.startTurn({ leaseMs: 1000 });
      const writer = turn.write();
      writer.append("half an answer");
      const fired = new Promise<void>((done) =>
        turn.signal.addEventListener("abort", () => done()),
      );
      proxy.unplug();
      const isOver = ({ status }: { status: string }) => status === "failed";
      await until(() => getTurn(fixture.server, session, turn.id), isOver, "the lease to end");
      proxy.plug();
      await fired;
      await assert.rejects(writer.end(), /turn .* is failed/);
      await turn.end();
      const { reason } = await getTurn(fixture.server, session, turn.id);
      assert.equal(reason, "agent-lost");
      agent.close();
    });
  });
}
