// Searching a long session for words, beside reading a page of it.

import { Connection, freshSession, http } from "./client.ts";
import { atMost, type Bench, type Family, quantile, type Row } from "./row.ts";
import { startSessile } from "./sides.ts";

const MESSAGES = 10_000;
/** Words of the talk, of which some are in most messages and most in few. */
const VOCABULARY = 5_000;
const WORDS = 30;
/** Queries as people write them: common words, rare ones, beginnings, words that never meet. */
const QUERIES = ["w1", "w1 w2 w3", "w4711", "w12*", "w1 w4000", "w1*", "w30 w4999", "nothing"];

/** A message whose words are spread as those of a language are: the n-th comes 1/n as often. */
function talk(index: number): string {
  const words = Array.from({ length: WORDS }, (_, at) => {
    const spread = ((index * WORDS + at) * 0.618033988749895) % 1;
    return `w${Math.floor(VOCABULARY ** spread)}`;
  });
  return words.join(" ");
}

async function searching(bench: Bench): Promise<Row[]> {
  const server = await startSessile("raised");
  const session = freshSession();
  const agent = await Connection.open(server, session);
  for (let first = 0; first < MESSAGES; first += 100) {
    const messages = Array.from({ length: 100 }, (_, at) => ({ data: talk(first + at) }));
    await agent.request({ type: "publish", messages });
  }
  agent.close();
  const get = <T>(path: string) => http<T>(server, `${session}${path}`);
  const search = (words: string) =>
    get<{ found: unknown[]; behind?: boolean }>(`/search?${new URLSearchParams({ q: words })}`);
  const began = performance.now();
  let steps = 1;
  while ((await search("w1")).behind) steps += 1;
  bench.log(`search: an index in ${steps} steps, ${Math.round(performance.now() - began)} ms`);
  const times = { search: [] as number[], page: [] as number[] };
  const timed = async (into: number[], ask: () => Promise<unknown>) => {
    const sent = performance.now();
    await ask();
    into.push(performance.now() - sent);
  };
  const rounds = bench.quick ? 10 : 60;
  for (let round = -2; round < rounds; round += 1) {
    for (const words of QUERIES) {
      const spare: number[] = [];
      await timed(round < 0 ? spare : times.search, () => search(words));
      await timed(round < 0 ? spare : times.page, () => get("/messages"));
    }
  }
  await server.kill();
  const [ours, page] = [quantile(times.search, 0.95), quantile(times.page, 0.95)];
  const what = `a search in ${MESSAGES} messages, 95th, beside reading a page`;
  return [atMost(what, "ms", ours, page, 3)];
}

export const searches: Family[] = [{ name: "search", run: searching }];
