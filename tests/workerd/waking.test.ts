// P10.3: an agent is woken by a signed webhook, whatever fails in between.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { answered, answering, ask, reply, take, type Wake, wakeOf } from "../support/bot.ts";
import { broken, Endpoint, taken } from "../support/endpoint.ts";
import { rowsWritten, useServer } from "../support/fixture.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { python } from "../support/python.ts";
import { settings, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const fixture = useServer({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_WEBHOOK_SECRETS: `${OLD} ${NEW}`,
    SESSILE_LIMITS: JSON.stringify({ deliveryMs: 1_000 }),
  },
});
const endpoint = new Endpoint();
const server = () => fixture.server;
before(() => endpoint.start());
afterEach(() => {
  endpoint.answer = taken;
});
after(() => endpoint.stop());

async function woken(
  session: string,
  more: Record<string, unknown> = {},
  token = false,
): Promise<void> {
  await settings(server(), session, { agent: { url: endpoint.url(), token }, ...more });
}

const bodies = (session: string) => endpoint.about(session).map((it) => JSON.parse(it.body));

describe("an agent behind a webhook", () => {
  test("P10.3 gets an input in a thin body, and takes it", async () => {
    const session = fixture.session();
    await woken(session);
    answering(endpoint, server, NEW);
    const inputs = await ask(server(), session, 1);
    await answered(server(), session, inputs);
    const [{ id, at, ...rest }] = bodies(session);
    assert.deepEqual(rest, { type: "input", session, input: inputs[0] });
    assert.ok(Math.abs(Date.now() - at) < 60_000);
    assert.equal(endpoint.about(session)[0]?.headers["webhook-id"], id);
  });

  test("P10.3 verifiers that are not ours take the call, and none altered or old", async () => {
    const session = fixture.session();
    await woken(session);
    await ask(server(), session, 1);
    const [called] = await endpoint.called(session, 1);
    assert.ok(called);
    const { body, headers } = called;
    const old = String(Number(headers["webhook-timestamp"]) - 600);
    const altered = body.replace(session, `${session}0`);
    const program = await python();
    const verify = (secret: string, text: string, more: Record<string, string>) => {
      const script = [
        "import json, sys",
        "from standardwebhooks import Webhook",
        "secret, text, headers = json.loads(sys.argv[1])",
        "print(json.dumps(Webhook(secret).verify(text, headers)))",
      ].join("\n");
      const given = JSON.stringify([secret, text, { ...headers, ...more }]);
      return promisify(execFile)(program, ["-c", script, given]);
    };
    for (const secret of [OLD, NEW]) {
      const webhook = new Webhook(secret);
      assert.deepEqual(webhook.verify(body, headers), JSON.parse(body));
      assert.deepEqual(JSON.parse((await verify(secret, body, {})).stdout), JSON.parse(body));
      for (const [text, more] of [
        [altered, {}],
        [body, { "webhook-id": "another" }],
        [body, { "webhook-timestamp": old }],
      ] as const) {
        assert.throws(() => webhook.verify(text, { ...headers, ...more }));
        await assert.rejects(verify(secret, text, more));
      }
    }
  });

  test("P10.3 down while ten inputs come: accepted at once, then taken in order", async () => {
    const session = fixture.session();
    await woken(session, { onInput: "queue" });
    let isDown = true;
    const taking = () => {
      answering(endpoint, server, OLD);
      const { answer } = endpoint;
      endpoint.answer = (response, called, count) =>
        isDown ? broken(response, called, count) : answer(response, called, count);
    };
    taking();
    const inputs = await ask(server(), session, 10);
    await until(
      () => endpoint.about(session),
      (calls) => calls.length >= 3,
      "three attempts",
    );
    await server().evict(session);
    isDown = false;
    await answered(server(), session, inputs, "in order");
    const taken = bodies(session).map((body: Wake) => body.input);
    assert.deepEqual([...new Set(taken)], inputs, "each was sent after the one before");
    const ids = new Set(bodies(session).map((body: Wake) => body.id));
    assert.equal(ids.size, 10, "one id for each");
  });

  test("P10.3 parallel inputs are all taken, each by one turn", async () => {
    const session = fixture.session();
    await woken(session);
    answering(endpoint, server, OLD);
    const inputs = await ask(server(), session, 10);
    await answered(server(), session, inputs);
  });

  test("P10.3 accepted and not taken, it comes again under another id", async () => {
    const session = fixture.session();
    await woken(session, { takeMs: 1_000 });
    const inputs = await ask(server(), session, 1);
    await endpoint.called(session, 2);
    answering(endpoint, server, OLD);
    await answered(server(), session, inputs);
    const ids = bodies(session).map((body: Wake) => body.id);
    assert.equal(new Set(ids).size, ids.length, `${ids}`);
  });

  test("P6.8 killed in the middle: attempt 2 is called, and there is one answer", async () => {
    const session = fixture.session();
    await woken(session);
    endpoint.answer = (response, called) => {
      response.writeHead(202).end();
      const wake = wakeOf(called, OLD);
      void take(server(), wake, 1_000).then(async (turn) => {
        if (turn === undefined) return;
        if (wake.attempt === 2) return reply(server(), session, turn);
        // Half an answer, and no more is heard of this process.
        const { id, attempt } = turn;
        const message = { id: `${id}-answer`, turn: id, attempt, role: "assistant" };
        const json = { ...message, data: "answ", status: "streaming" };
        await call(server(), session, "POST", "/messages", { sub: "scribe", json });
      });
    };
    const inputs = await ask(server(), session, 1);
    const [turn] = await answered(server(), session, inputs);
    assert.equal(turn?.attempt, 2);
    const [first, second] = bodies(session);
    assert.deepEqual([first.attempt, second.attempt, second.turn], [undefined, 2, turn?.id]);
  });

  test("P10.3 its token is good for that session, as an agent", async () => {
    const session = fixture.session();
    await woken(session, {}, true);
    await ask(server(), session, 1);
    await endpoint.called(session, 1);
    const [{ token, input }] = bodies(session);
    const started = await call(server(), session, "POST", "/turns", { token, json: { input } });
    assert.equal(started.status, 201, started.text);
    const other = await call(server(), `${session}-other`, "GET", "", { token });
    assertRefused(other, 403, "forbidden");
    assertRefused(await call(server(), session, "DELETE", "", { token }), 403, "forbidden");
    const rows = await server().query(session, "SELECT body FROM delivery");
    assert.ok(!JSON.stringify(rows).includes(token), "it is not stored");
  });

  test("P6.5 a cancel of a waiting input takes it back", async () => {
    const session = fixture.session();
    endpoint.answer = broken;
    await woken(session);
    const [input = ""] = await ask(server(), session, 1);
    await endpoint.called(session, 1);
    const json = { type: "cancel", input };
    const cancelled = await call(server(), session, "POST", "/frames", { ...USER, json });
    assert.equal(cancelled.status, 200, cancelled.text);
    assert.deepEqual(await server().query(session, "SELECT * FROM delivery"), []);
  });

  test("P10.3 an input that wakes costs four rows more", async () => {
    const count = async (session: string) => {
      await ask(server(), session, 1);
      const before = await rowsWritten(server(), session);
      const json = { data: "again", id: "again" };
      const said = await call(server(), session, "POST", "/messages", { ...USER, json });
      const [message] = field(said, "messages") as { serial: string }[];
      const input = message?.serial ?? "";
      if (endpoint.about(session).length > 0) {
        await endpoint.called(session, 2);
        const accepted = "SELECT rounds FROM delivery WHERE rounds = 1";
        const isKnown = (rows: unknown[]) => rows.length === 2;
        await until(() => server().query(session, accepted), isKnown, "both to be accepted");
      }
      const wake = { type: "input", id: "", session, input, at: 0 };
      assert.ok(await take(server(), wake));
      return (await rowsWritten(server(), session)) - before;
    };
    const [plain, waking] = [fixture.session("plain"), fixture.session("waking")];
    await settings(server(), plain, { title: "no agent" });
    await woken(waking);
    const cost = (await count(waking)) - (await count(plain));
    assert.ok(0 < cost && cost <= 4, `${cost} rows`);
  });
});
