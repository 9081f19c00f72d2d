// Shared state under many hands that are cut off again and again, as pages on the SDK show it.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { call } from "../../../tests/support/http.ts";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { Random } from "../../../tests/support/random.ts";
import { type Session, type SharedState, sharedState } from "../../src/index.ts";
import { open, QUICK, shows } from "../support.ts";

const fixture = useServer();
const PAGES = 50;
const EACH = 100;
const FLIGHT = 10;

interface Tree {
  sum?: number;
  by?: Record<string, number>;
  at?: Record<string, unknown>;
}

interface Hand {
  name: string;
  page: Session;
  wire: CuttingProxy;
}

async function hands(t: TestContext, session: string, count: number): Promise<Hand[]> {
  const one = async (_: unknown, index: number) => {
    const name = `u${index}`;
    const wire = await CuttingProxy.start(fixture.server.port);
    t.after(() => wire.stop());
    const claims = { sub: name, caps: { "*": ["user"] } };
    // Cuts are resets: silence is only a busy machine.
    const timing = { ...QUICK, pingMs: 10_000, pongMs: 10_000 };
    return { name, wire, page: await open(t, wire, session, { ...claims, timing }) };
  };
  return Promise.all(Array.from({ length: count }, one));
}

async function stored(session: string): Promise<SharedState> {
  const answer = await call(fixture.server, session, "GET", "/state");
  assert.equal(answer.status, 200, answer.text);
  return answer.body as SharedState;
}

/** Waits until a page has the session's latest change. */
function hasCome(page: Session, { version }: SharedState): Promise<void> {
  return shows(page, () => sharedState(page).version === version, `version ${version}`);
}

test("P9.1 fifty pages count to 5 000 over cuts, each own change shown once", async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const session = fixture.cutSession();
  const all = await hands(t, session, PAGES);
  let cuts = 0;
  const count = async ({ name, page, wire }: Hand) => {
    const state = sharedState<Tree>(page);
    const wrong: string[] = [];
    let issued = 0;
    state.subscribe(["by", name], (shown) => {
      if (shown !== issued) wrong.push(`${shown} of ${issued}`);
    });
    while (issued < EACH) {
      const flight = Array.from({ length: FLIGHT }, () => {
        issued += 1;
        return state.batch((batch) => {
          batch.increment(["sum"]);
          batch.increment(["by", name]);
        });
      });
      if (random.below(3) === 0) {
        await new Promise((done) => setTimeout(done, random.below(20)));
        wire.cut();
        cuts += 1;
      }
      await Promise.all(flight);
    }
    assert.deepEqual(wrong, [], `${name} shows its own changes once`);
  };
  await Promise.all(all.map(count));
  const end = await stored(session);
  assert.equal((end.value as Tree).sum, PAGES * EACH);
  const by = Object.fromEntries(all.map(({ name }) => [name, EACH]));
  assert.deepEqual((end.value as Tree).by, by);
  for (const { page } of all) {
    await hasCome(page, end);
    assert.deepEqual(sharedState(page).value, end.value);
  }
  t.diagnostic(`${cuts} cuts`);
  assert.ok(PAGES < cuts);
});

test("P9.1 whatever ten pages set at once, all end with the session's order", async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const session = fixture.cutSession();
  const all = await hands(t, session, 10);
  const [first] = all;
  assert.ok(first);
  await sharedState(first.page).set(["at", "text"], "");
  const { version: ifVersion } = await stored(session);
  await sharedState(first.page).set(["at", "text"], "no number");
  let refused = 0;
  const act = async ({ name, page }: Hand, step: number): Promise<void> => {
    const state = sharedState<Tree>(page);
    const path = ["at", `k${random.below(4)}`];
    const value = `${name}, ${step}`;
    const kind = random.below(10);
    if (kind < 4) return state.set(path, value);
    if (kind < 5) return state.remove(path);
    if (kind < 7) {
      return state.batch((batch) => {
        batch.set(path, { value });
        batch.set([...path, "more"], step);
        batch.set(["at", "last"], name);
      });
    }
    // One bad operation, or a version that is long gone: nothing stays, nor is seen elsewhere.
    refused += 1;
    const options = kind === 9 ? { ifVersion } : {};
    const refusal = state.batch((batch) => {
      batch.set(["marks", name], value);
      if (kind < 9) batch.increment(["at", "text"]);
    }, options);
    assert.equal(state.get(["marks", name] as never), value, "it shows until it is refused");
    await assert.rejects(refusal, { code: kind < 9 ? "invalid-frame" : "conflict" });
  };
  const run = async (hand: Hand) => {
    const { name, page, wire } = hand;
    const foreign: string[] = [];
    sharedState(page).subscribe(["marks"], (marks) => {
      foreign.push(...Object.keys(marks ?? {}).filter((key) => key !== name));
    });
    for (let step = 0; step < 40; step += 4) {
      const acts = [0, 1, 2, 3].map((more) => act(hand, step + more));
      if (random.below(4) === 0) wire.cut();
      await Promise.all(acts);
    }
    assert.deepEqual(foreign, [], `${name} saw nothing that was refused to others`);
  };
  await Promise.all(all.map(run));
  const end = await stored(session);
  assert.ok(0 < refused && !("marks" in end.value));
  for (const { page } of all) {
    await hasCome(page, end);
    assert.deepEqual(sharedState(page).value, end.value);
  }
});
