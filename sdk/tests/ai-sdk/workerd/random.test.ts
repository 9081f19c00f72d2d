// Streams by chance through a real session, from an agent that is up to 100 ms away: whoever reads,
// live, late, over a wire that is cut, or cold, has what the AI SDK makes of the stream.
// `SEED=7` repeats one, `SEEDS=2000` runs more.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Chat } from "@ai-sdk/react";
import type { UIMessage, UIMessageChunk } from "ai";
import { useServer } from "../../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { createAgentSession } from "../../../src/agent/index.ts";
import { followChat, SessileChatTransport, toUIMessages } from "../../../src/ai-sdk/index.ts";
import { streamToTurn } from "../../../src/ai-sdk/server.ts";
import { fetchSnapshot } from "../../../src/index.ts";
import { randomOf, randomStream } from "../random-stream.ts";
import { readBySeven, shown } from "../reference.ts";

const { SEED, SEEDS = "12" } = process.env;
const seeds = SEED
  ? [Number(SEED)]
  : Array.from({ length: Number(SEEDS) }, (_, index) => index + 1);
/** Sessions at once. */
const SIDE_BY_SIDE = 4;

const fixture = useServer();
/** The agents' ways. */
const proxies: CuttingProxy[] = [];
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
  for (const proxy of proxies) await proxy.stop();
});

interface Page {
  chat: Chat<UIMessage>;
  close(): void;
}

/** A page that follows its session. */
function page(session: string, url: string): Page {
  const token = () => makeToken({ sub: "ann", caps: { "*": ["user"] } });
  const transport = new SessileChatTransport({ url, token, rewind: 1000 });
  const chat = new Chat<UIMessage>({ id: session, transport });
  const end = followChat(transport, session, {
    setMessages: (change) => {
      chat.messages = change(chat.messages);
    },
    resumeStream: () => chat.resumeStream(),
  });
  return {
    chat,
    close() {
      end();
      transport.close();
    },
  };
}

/** The parts of a stream, some at once and some after a pause. */
async function* paced(stream: readonly UIMessageChunk[], random: () => number, half: () => void) {
  for (const [index, chunk] of stream.entries()) {
    if (index === stream.length >> 1) half();
    if (random() < 0.3) await new Promise((done) => setTimeout(done, random() * 8));
    yield chunk;
  }
}

async function run(seed: number): Promise<void> {
  const random = randomOf(seed);
  const stream = randomStream(seed);
  const wanted = await readBySeven(stream);
  const { url } = fixture.server;
  // A wire that is cut may keep the object awake for a while.
  const session = fixture.cutSession();
  const far = proxies[seed % proxies.length] as CuttingProxy;
  const wire = await CuttingProxy.start(fixture.server.port);
  const pages: Record<string, Page> = { live: page(session, url), cut: page(session, wire.url) };
  const agent = createAgentSession({
    url: far.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    onInput: (_, start) => {
      const half = () => {
        wire.cut();
        pages.late = page(session, url);
      };
      const source = paced(stream, random, half);
      agent.answer(start, (turn) => streamToTurn(turn, source)).catch(() => {});
    },
  });
  const end = () => {
    for (const { close } of Object.values(pages)) close();
    agent.close();
    return wire.stop();
  };
  ends.push(end);
  const { live } = pages as { live: Page };
  await until(
    () => agent.link.status.state,
    (state) => state === "connected",
    `SEED=${seed}: the agent`,
  );
  await within(live.chat.sendMessage({ text: "go" }), `SEED=${seed}: the answer`, 30_000);
  pages.cold = page(session, url);
  for (const [name, { chat }] of Object.entries(pages)) {
    const what = `SEED=${seed}: ${name}`;
    await until(
      () => [chat.messages.length, chat.status] as const,
      ([count, status]) => count === 2 && status !== "submitted" && status !== "streaming",
      what,
    );
    // The log says what the stream wrote: nothing of it changes any more.
    assert.deepEqual(shown(chat.messages.at(-1)), wanted, what);
  }
  const token = await makeToken({ sub: "ann", caps: { "*": ["user"] } });
  const stored = await fetchSnapshot({ url, session, token, rewind: 1000 });
  assert.deepEqual(shown(toUIMessages(stored).at(-1)), wanted, `SEED=${seed}: stored`);
  // Thousands of sessions would not find sockets enough.
  ends.splice(ends.indexOf(end), 1);
  await end();
}

describe(`${seeds.length} streams by chance through a session`, () => {
  test("are the same for every reader", async () => {
    for (const delayMs of [0, 10, 30, 100]) {
      const proxy = await CuttingProxy.start(fixture.server.port);
      proxy.delay(delayMs);
      proxies.push(proxy);
    }
    const left = [...seeds];
    const runs = Array.from({ length: SIDE_BY_SIDE }, async () => {
      for (let seed = left.shift(); seed !== undefined; seed = left.shift()) await run(seed);
    });
    await Promise.all(runs);
  });
});
