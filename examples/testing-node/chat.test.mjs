// The chat on a real session layer, with the troubles that a real network has.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSessile, until } from "sessile/testing";
import { startAgent } from "./agent.mjs";
import { openChat, view } from "./chat.mjs";

const POEM = "The sea comes in, the sea goes out, and nobody has told it to. ".repeat(5).trim();

let sessile;
before(async () => {
  sessile = await startSessile();
});
after(() => sessile.stop());

/** A model that takes its time. */
async function* recite(_, signal) {
  for (const word of POEM.split(/(?<= )/)) {
    if (signal.aborted) return;
    yield word;
    await new Promise((done) => setTimeout(done, 5));
  }
}

let chats = 0;
/** A chat of its own for each test: an agent, and a page with a network of its own. */
async function begin(t, model = recite) {
  chats += 1;
  const session = `chat-${chats}`;
  const wire = await sessile.newWire();
  const bot = () => sessile.token({ sub: "bot", role: "agent" });
  const agent = await startAgent({ url: sessile.url, session, token: bot, model });
  const open = () =>
    openChat({ url: wire.url, session, token: () => sessile.token({ sub: "ada" }) });
  const page = await open();
  t.after(() => {
    page.close();
    agent.close();
  });
  return { session, wire, page, open };
}

const answer = ({ messages }) => messages.find(({ role }) => role === "assistant");
const isHalf = (snapshot) => answer(snapshot)?.data.length > POEM.length / 2;
const isOver = ({ turns }) => turns.some(({ endedAt }) => endedAt !== undefined);

test("an answer comes to its end over a network that breaks in the middle", async (t) => {
  const { page, wire } = await begin(t);
  await page.send("Recite!");
  await until(page, isHalf);
  wire.cut();
  assert.deepEqual(view(await until(page, isOver)), ["user: Recite!", `assistant: ${POEM}`]);
});

test("a message that is written without a network is sent once, when it is back", async (t) => {
  const { page, wire } = await begin(t);
  wire.drop();
  const sent = page.send("Recite!");
  wire.mend();
  await sent;
  assert.deepEqual(view(await until(page, isOver)), ["user: Recite!", `assistant: ${POEM}`]);
});

test("a reload in the middle shows the same answer", async (t) => {
  const { page, open } = await begin(t);
  await page.send("Recite!");
  await until(page, isHalf);
  page.close();
  const reloaded = await open();
  t.after(() => reloaded.close());
  assert.deepEqual(view(await until(reloaded, isOver)), ["user: Recite!", `assistant: ${POEM}`]);
});

test("an answer survives a session that is taken out of memory", async (t) => {
  const { page, session } = await begin(t);
  await page.send("Recite!");
  await until(page, isHalf);
  assert.ok(await sessile.evict(session));
  assert.deepEqual(view(await until(page, isOver)), ["user: Recite!", `assistant: ${POEM}`]);
});

test("an answer survives the end of the whole session layer", async (t) => {
  const { page } = await begin(t);
  await page.send("Recite!");
  await until(page, isHalf);
  await sessile.kill();
  await sessile.start();
  assert.deepEqual(view(await until(page, isOver)), ["user: Recite!", `assistant: ${POEM}`]);
});

test("a cancel stops the model, and what it said stays", async (t) => {
  const stopped = Promise.withResolvers();
  const { page } = await begin(t, (messages, signal) => {
    signal.addEventListener("abort", stopped.resolve);
    return recite(messages, signal);
  });
  await page.send("Recite!");
  await until(page, isHalf);
  await page.cancel({ all: true });
  await stopped.promise;
  const { messages, turns } = await until(page, isOver);
  assert.equal(turns[0].status, "cancelled");
  assert.ok(POEM.startsWith(messages[1].data));
});
