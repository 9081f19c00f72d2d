// P6.9: the conversation that leads to a message is what the SDK's tree of the whole log says.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Turn } from "../../sdk/src/index.ts";
import { Tree } from "../../sdk/src/log/tree.ts";
import { EDITS } from "../../sdk/src/protocol/index.ts";
import { type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Message, Page } from "../support/frames.ts";
import { assertRefused, call, getHistory } from "../support/http.ts";
import { Random } from "../support/random.ts";

const fixture = useServer();

async function conversation(session: string, to: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let before = "";
  for (;;) {
    const query = `?to=${to}&limit=${limit}${before && `&before=${before}`}`;
    const answer = await call(fixture.server, session, "GET", `/messages${query}`);
    assert.equal(answer.status, 200, answer.text);
    const page = answer.body as Page;
    found.push(...page.messages.map(({ serial }) => serial));
    const named = page.messages.flatMap(({ turn }) => turn ?? []);
    assert.deepEqual(new Set(page.turns?.map(({ id }) => id)), new Set(named));
    if (!page.hasMore) return found;
    before = page.next ?? "";
  }
}

/** The same by the tree: from node to node, each with all its messages, newest first. */
function expected(log: Message[], turns: ReadonlyMap<string, Turn>, to: Message): string[] {
  const tree = new Tree(log as never, turns, new Map());
  const own = ({ serial, turn }: Message) => turn ?? serial;
  const found: string[] = [];
  let at: Message | undefined = to;
  while (at) {
    const node: Message = at;
    const rest = log.filter(
      (it) => own(it) === own(node) && (node !== to || it.serial <= to.serial),
    );
    found.push(...rest.map(({ serial }) => serial).reverse());
    const before = tree.before(node.serial);
    at = log.find(({ serial }) => serial === before);
  }
  return found;
}

describe("the conversation", () => {
  test("P6.9 agrees with the page's tree, whatever was edited and answered again", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let run = 0; run < 4; run += 1) {
      const session = fixture.session();
      const user = await connect(fixture.server, session, { sub: "user" });
      const other = await connect(fixture.server, session, { sub: "other" });
      const agent = await connect(fixture.server, session, { sub: "agent" });
      const serials: string[] = [];
      const authors = new Map<string, Client>();
      const turns: string[] = [];
      const open = () => random.pick(turns);
      for (let step = 0; step < 70; step += 1) {
        const what = random.between(0, 10);
        if (what < 4 || serials.length === 0) {
          const any = serials.length > 0 ? random.pick(serials) : undefined;
          const parent = random.next() < 0.3 ? any : undefined;
          const author = random.pick([user, user, other]);
          // Nobody makes another version of somebody else's message.
          const own = serials.filter((serial) => authors.get(serial) === author);
          const edits = random.next() < 0.3 && own.length > 0 ? random.pick(own) : undefined;
          const serial = await author.publish(`q${step}`, {
            ...(parent && { parent }),
            ...(edits && { headers: { [EDITS]: edits } }),
          });
          authors.set(serial, author);
          serials.push(serial);
        } else if (what < 6) {
          const place = random.next() < 0.7 ? "input" : "parent";
          const id = `t${step}`;
          await agent.ok({ type: "turn.start", id, [place]: random.pick(serials), again: true });
          turns.push(id);
        } else if (turns.length > 0) {
          const parent = random.next() < 0.2 ? random.pick(serials) : undefined;
          const fields = { turn: open(), ...(parent && { parent }) };
          serials.push(await agent.publish(`a${step}`, fields));
        }
      }
      const log = (await getHistory(fixture.server, session)).sort((a, b) =>
        a.serial < b.serial ? -1 : 1,
      );
      const list = await call(fixture.server, session, "GET", "/turns?status=all&limit=1000");
      const known = new Map((list.body as { turns: Turn[] }).turns.map((turn) => [turn.id, turn]));
      await fixture.server.evict(session);
      for (const to of log) {
        const found = await conversation(session, to.serial, random.between(1, 6));
        assert.deepEqual(found, expected(log, known, to), `run ${run}, to ${to.serial}`);
      }
      await Promise.all([user.close(), other.close(), agent.close()]);
    }
  });

  test("P6.9 is refused by name where there is nothing to lead to", async () => {
    const session = fixture.session();
    const user = await connect(fixture.server, session, { sub: "user" });
    const serial = await user.publish("hello");
    const read = (query: string) => call(fixture.server, session, "GET", `/messages?${query}`);
    assertRefused(await read(`to=${serial.slice(0, -1)}f`), 404, "not-found");
    assertRefused(await read("to=hello"), 404, "not-found");
    assertRefused(await read(`to=${serial}&after=${serial}`), 400, "invalid-frame");
    assertRefused(await read(`to=${serial}&limit=0`), 400, "invalid-frame");
  });
});
