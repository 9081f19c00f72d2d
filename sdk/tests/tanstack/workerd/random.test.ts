// Streams by chance through a real agent and a real session into TanStack AI's own client: live,
// behind a wire that cuts, joined in the middle and afterwards, the chat is the same, and all that
// was said is in it. `SEED=7` repeats one stream, `SEEDS=200` runs more.

import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { aiSdk } from "../../../src/agent/codec/ai-sdk.ts";
import { randomStream } from "../../ai-sdk/random-stream.ts";
import { readBySeven } from "../../ai-sdk/reference.ts";
import { type Part, partsOf } from "../readers.ts";
import { saidBy, saidIn } from "../said.ts";
import { type Page, Pages } from "./pages.ts";

const fixture = serve();
const pages = new Pages(fixture);

const { SEED, SEEDS = "12" } = process.env;
const seeds = SEED
  ? [Number(SEED)]
  : Array.from({ length: Number(SEEDS) }, (_, index) => index + 1);

function shownBy({ chat }: Page): Part[][] {
  return partsOf(chat.getMessages() as unknown as { parts: Part[] }[]);
}

function said(page: Page): unknown {
  return JSON.parse(JSON.stringify(saidIn(shownBy(page).slice(1))));
}

async function* slowly<T>(chunks: readonly T[]): AsyncGenerator<T> {
  for (const chunk of chunks) {
    await new Promise((done) => setTimeout(done, 3));
    yield chunk;
  }
}

describe(`${seeds.length} streams by chance through a session`, () => {
  for (const seed of seeds) {
    test(`SEED=${seed}`, async () => {
      const session = fixture.session();
      const stream = randomStream(seed);
      const wanted = JSON.parse(JSON.stringify(saidBy(await readBySeven(stream))));
      pages.scripted(session, (turn) => turn.stream(slowly(stream), aiSdk()));
      const proxy = await CuttingProxy.start(Number(new URL(fixture.server.url).port));
      pages.atEnd(() => proxy.stop());
      const [one, two] = [pages.page(session), pages.live(session, { url: proxy.url })];
      const asking = within(one.chat.sendMessage("Hello"), "the answer");
      const { session: seen } = one.connection;
      await until(
        () => seen.turns[0],
        (turn) => turn !== undefined,
        "the turn",
      );
      proxy.cut();
      const late = [pages.hydrated(session), pages.live(session)];
      await asking;
      await until(
        () => seen.turns[0]?.endedAt,
        (at) => at !== undefined,
        "the end",
      );
      const all = [one, two, ...late, pages.hydrated(session), pages.live(session)];
      for (const page of all) {
        await until(
          () => [said(page), unasked(page)],
          (is) => isDeepStrictEqual(is, [wanted, unasked(one)]),
          `SEED=${seed}: all that was said, by page ${all.indexOf(page)}`,
        );
      }
      for (const page of all) page.connection.close();
    });
  }
});

/** TanStack AI looks for what a question is about in the newest message alone. */
function unasked(page: Page): Part[][] {
  const without = ({ approval, ...part }: Part): Part =>
    approval ? { ...part, state: "input-complete" } : part;
  return shownBy(page).map((parts) => parts.map(without));
}
