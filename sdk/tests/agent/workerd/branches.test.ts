// One rule for page and agent (P6.9): whatever is edited, answered again and said at once, what
// the session says leads to an input is what a page shows that looks at it.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { getPage } from "../../../../tests/support/http.ts";
import { Random } from "../../../../tests/support/random.ts";
import { conversation, type StartOptions } from "../../../src/agent/index.ts";
import type { AgentTurn } from "../../../src/agent/turn.ts";
import {
  branchesOf,
  type Message,
  type Page,
  type Session,
  type Turn,
} from "../../../src/index.ts";
import { Tree } from "../../../src/log/tree.ts";
import { AGAIN } from "../../../src/protocol/index.ts";
import { open } from "../../support.ts";
import { join } from "./agent.ts";

const fixture = useServer();
const STEPS = 90;

/** People with two tabs and an agent, who do what chance says. */
class World {
  readonly #random: Random;
  readonly #tabs: readonly Session[];
  readonly agent: ReturnType<typeof join>;
  /** Everything that an agent may be asked about. */
  readonly inputs: string[] = [];
  readonly #waiting: StartOptions[] = [];
  readonly #open: AgentTurn[] = [];
  #count = 0;

  constructor(random: Random, tabs: readonly Session[], agent: ReturnType<typeof join>) {
    this.#random = random;
    this.#tabs = tabs;
    this.agent = agent;
  }

  async step(): Promise<void> {
    const tab = this.#random.pick(this.#tabs);
    const tree = branchesOf(tab);
    const shown = tree.messages.length > 0 ? this.#random.pick(tree.messages) : undefined;
    const chance = this.#random.next();
    if (chance < 0.3 || !shown) this.#asked(await tree.send(this.#text()));
    else if (chance < 0.6) await this.#answer();
    else if (chance < 0.7) await this.#goOn();
    else if (chance < 0.8) tree.select(this.#random.pick(tree.at(shown.serial).options));
    else if (chance < 0.82 && !shown.turn) await tab.delete(shown.serial);
    else if (chance < 0.89 && !shown.turn && shown.client === tab.client) {
      // Nobody makes another version of somebody else's message (P6.9).
      this.#asked(await tree.edit(shown.serial, this.#text()));
    } else if (chance < 0.96 && !shown.turn) {
      await tree.send(null, { name: AGAIN, parent: shown.serial });
      this.#waiting.push({ input: shown.serial });
    } else if (shown.turn) {
      const headers = { answer: shown.turn };
      const output = { name: "tool-output", parent: shown.serial, headers };
      this.#asked(await tree.send(this.#text(), output));
    }
  }

  async end(): Promise<void> {
    for (const turn of this.#open) await turn.end();
  }

  #asked({ serial }: { serial: string }): void {
    this.inputs.push(serial);
    this.#waiting.push({ input: serial });
  }

  async #answer(): Promise<void> {
    const [start] = this.#waiting.splice(this.#random.below(this.#waiting.length), 1);
    if (!start) return;
    const turn = await this.agent.startTurn({ ...start, again: true });
    await turn.message(this.#text());
    if (this.#random.next() < 0.5) this.#open.push(turn);
    else await turn.end();
  }

  /** A turn that is open says more, whatever came meanwhile. */
  async #goOn(): Promise<void> {
    const turn = this.#open[this.#random.below(this.#open.length)];
    await turn?.message(this.#text());
  }

  #text(): string {
    this.#count += 1;
    return `text ${this.#count}`;
  }
}

interface Held {
  messages: Message[];
  turns: Map<string, Turn>;
}

async function everything(session: string): Promise<Held> {
  const page = (await getPage(fixture.server, session, { limit: 1000 })) as unknown as Page;
  const turns = (page.turns ?? []).map((turn): [string, Turn] => [turn.id, turn]);
  return { messages: page.messages.toReversed(), turns: new Map(turns) };
}

/** The messages that a page shows when it looks at one, of those begun when that came. */
function ledTo({ messages, turns }: Held, serial: string): string[] {
  const keyOf = (message: Message) => message.turn ?? message.serial;
  const begun = new Set(messages.filter((it) => it.serial <= serial).map(keyOf));
  const held = messages.filter((message) => begun.has(keyOf(message)));
  const tree = new Tree(held, turns, new Map());
  const selected = new Map<string, string>();
  for (let at: string | undefined = serial; at !== undefined; at = tree.before(at)) {
    selected.set(...(tree.choice(at) as [string, string]));
  }
  const seen = new Tree(held, turns, selected).messages.filter(({ name }) => name !== AGAIN);
  return seen.map((it) => it.serial);
}

async function world(t: TestContext, random: Random, session: string): Promise<World> {
  const tabs = [
    await open(t, fixture.server, session, { rewind: 1000 }),
    await open(t, fixture.server, session, { sub: "bob" }),
  ];
  return new World(random, tabs, join(fixture.server, session));
}

for (const round of [1, 2, 3, 4, 5]) {
  test(`P6.9 page and agent agree on what leads to what, ${round}`, async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    const lived = await world(t, random, session);
    for (let step = 0; step < STEPS; step += 1) await lived.step();
    await lived.end();
    const held = await everything(session);
    const isThere = ({ deletedAt }: Message) => deletedAt === undefined;
    const there = new Set(held.messages.filter(isThere).map(({ serial }) => serial));
    for (const input of lived.inputs.filter((serial) => there.has(serial))) {
      const found = (await conversation(lived.agent, input)).map(({ serial }) => serial);
      assert.deepEqual(found.toSorted(), ledTo(held, input), `what leads to ${input}`);
      assert.equal(found.at(-1), input, "it ends with what is to be answered");
      const limit = random.between(1, 20);
      const some = (await conversation(lived.agent, input, { limit })).map((it) => it.serial);
      assert.ok(some.length >= Math.min(limit, found.length), `${limit} of ${found.length}`);
      assert.deepEqual(some, found.slice(-some.length), "the newest of it");
    }
  });
}
