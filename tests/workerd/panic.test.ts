// P13.4: a panic in one session. All sessions of an isolate share one wasm memory, so what matters
// is that the others are whole or reset, and that nobody waits for an answer that never comes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ClosedError, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call, getHistory, getMessage, problem } from "../support/http.ts";
import { token, tokens } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import type { Server } from "../support/server.ts";
import { assertText } from "../support/text.ts";
import { within } from "../support/wait.ts";

const fixture = useServer({ build: process.env.SESSILE_FAULTS_BUILD ?? "build/faults" });
const PANIC = { type: "signal", name: "sessile.fault.panic", data: null };
/** Asks for a gigabyte. */
const GREED = { type: "signal", name: "sessile.fault.memory", data: null };
const AT_ONCE_MS = 5000;

function panic(server: Server, session: string) {
  return within(
    call(server, session, "POST", "/frames", { json: PANIC }),
    "the request that panics to be answered at once",
    AT_ONCE_MS,
  );
}

/** Another session of the isolate: an agent that streams, and a reader with a long window. */
class Bystander {
  readonly session: string;
  readonly reader: Reader;
  #agent: Awaited<ReturnType<typeof connect>> | undefined;
  #seq = 0;
  #acked = 0;
  serial = "";

  constructor(session: string) {
    this.session = session;
    const query = { rollup: 250 };
    this.reader = new Reader(fixture.server, session, { sub: "reader", query });
  }

  async begin(): Promise<void> {
    this.#agent = await connect(fixture.server, this.session, { sub: "agent" });
    this.serial = await this.#agent.publish("", { status: "streaming" });
    await this.reader.attach();
  }

  /** Sends tokens; a lost connection is opened again and what was not acked is resent. */
  async append(count: number): Promise<void> {
    this.#seq += count;
    while (this.#acked < this.#seq) {
      try {
        if (this.#agent === undefined || this.#agent.isClosed) {
          this.#agent = await connect(fixture.server, this.session, { sub: "agent" });
        }
        const seq = this.#acked + 1;
        const frame = { type: "append", serial: this.serial, data: token(seq - 1), seq };
        await this.#agent.ok(frame);
        this.#acked = seq;
      } catch (error) {
        if (!(error instanceof ClosedError)) throw error;
      }
    }
  }

  get text(): string {
    return tokens(this.#acked).join("");
  }

  /** The reader gets there, or is told by a close and resumes; a silent wait fails. */
  async settles(): Promise<void> {
    const { client } = this.reader;
    const gets = this.reader.holdsText(this.serial, this.text);
    gets.catch(() => {});
    await Promise.race([gets, client?.closed]);
    if (client?.isClosed === true && this.reader.fold.text(this.serial) !== this.text) {
      await this.reader.attach();
      assert.equal(this.reader.fold.attached?.resumed, true);
    }
    await gets;
    this.reader.fold.assertSound();
    const stored = await getMessage(fixture.server, this.session, this.serial);
    assertText(stored.data, this.text);
  }
}

describe("a panic in one session", () => {
  test("its request answers with an error at once, and the session serves again", async () => {
    const session = fixture.session("victim");
    const writer = await connect(fixture.server, session, { sub: "writer" });
    await writer.publish("acknowledged");
    const answer = await panic(fixture.server, session);
    assert.equal(answer.status, 500, answer.text);
    assert.equal(problem(answer).code, "internal");
    const history = await getHistory(fixture.server, session);
    assert.deepEqual(
      history.map((m) => m.data),
      ["acknowledged"],
    );
    const again = await connect(fixture.server, session, { sub: "writer" });
    await again.publish("and on");
  });

  test("a connection whose frame panics is answered or closed, and resumes", async () => {
    const session = fixture.session("victim");
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    const writer = await connect(fixture.server, session, { sub: "writer" });
    await writer.publish("one");
    await reader.attach();
    const { client } = reader;
    assert.ok(client);
    const attacker = await connect(fixture.server, session, { sub: "attacker" });
    const answer = await within(
      attacker.request(PANIC).then(
        (frame) => frame.type,
        () => "closed",
      ),
      "an answer or a close",
      AT_ONCE_MS,
    );
    assert.match(answer, /^(nack|closed)$/);
    const again = await connect(fixture.server, session, { sub: "writer" });
    await again.publish("two");
    const gets = reader.holds((fold) => fold.newest?.data === "two", "the next message");
    gets.catch(() => {});
    await Promise.race([gets, client.closed]);
    if (client.isClosed) await reader.attach();
    await gets;
    reader.fold.assertSound();
  });

  test("other sessions of the isolate are whole, or reset and resume", async () => {
    const victim = fixture.session("victim");
    const others = Array.from({ length: 4 }, () => new Bystander(fixture.session("other")));
    for (const other of others) await other.begin();
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(others.map((other) => other.append(3)));
      // In the middle of windows: there is text that only memory and a timer would still send.
      const running = others.map((other) => other.append(5));
      const answer = await panic(fixture.server, victim);
      assert.ok(answer.status >= 500, `${answer.status}`);
      await Promise.all(running);
      await Promise.all(others.map((other) => other.settles()));
    }
  });

  test("other sessions asleep with their sockets open wake whole", async () => {
    const other = new Bystander(fixture.session("sleeper"));
    await other.begin();
    await other.append(3);
    await other.settles();
    await fixture.server.evict(other.session);
    await panic(fixture.server, fixture.session("victim"));
    await other.append(3);
    await other.settles();
  });

  test("no request in flight elsewhere is left hanging", async () => {
    const sessions = Array.from({ length: 4 }, () => fixture.session("other"));
    const victim = fixture.session("victim");
    const requests = Array.from({ length: 40 }, (_, i) => {
      const session = sessions[i % 4] ?? "";
      return call(fixture.server, session, "POST", "/messages", { json: { data: i, id: `i${i}` } });
    });
    await panic(fixture.server, victim);
    const answers = await within(Promise.all(requests), "every request to be answered");
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 201) continue;
      assert.equal(problem(answer).code, "internal");
      const json = { data: i, id: `i${i}` };
      const session = sessions[i % 4] ?? "";
      const again = await call(fixture.server, session, "POST", "/messages", { json });
      assert.ok(again.status < 300, again.text);
    }
    for (const session of sessions) {
      assert.equal((await getHistory(fixture.server, session)).length, 10);
    }
  });
});

describe("memory that runs out", () => {
  test("P13.4 ends the request at once, and whoever is beside it is whole or resumes", async () => {
    const session = fixture.session("greedy");
    const writer = await connect(fixture.server, session, { sub: "writer" });
    await writer.publish("acknowledged");
    const other = new Bystander(fixture.session("other"));
    await other.begin();
    await other.append(3);
    for (let round = 0; round < 3; round += 1) {
      const answer = await within(
        call(fixture.server, session, "POST", "/frames", { json: GREED }),
        "the request that asks for too much memory to be answered at once",
        AT_ONCE_MS,
      );
      assert.equal(answer.status, 500, answer.text);
      assert.equal(problem(answer).code, "internal");
      const again = await connect(fixture.server, session, { sub: "writer" });
      await again.publish(`and on ${round}`);
      await other.append(3);
    }
    await other.settles();
    const history = await getHistory(fixture.server, session);
    assert.equal(history.length, 4, "nothing that was acknowledged is lost");
  });
});
