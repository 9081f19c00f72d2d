// How fast a page in Chromium takes what streams, and how much of its memory a long log takes:
// the SDK's own session, on a socket that says what the benchmark wants.

import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { atLeast, atMost, type Bench, type Family, median, type Row } from "./row.ts";
import { TOKEN_TEXT } from "./sides.ts";

const EXECUTABLE = process.env.SESSILE_CHROMIUM ?? "/usr/bin/chromium";
const MESSAGES = 10_000;
/** Characters of each message. */
const LENGTH = 200;
/** Answers that stream at once, and tokens of each in one window. */
const ANSWERS = 10;
const TOKENS = 10;
const WINDOWS = 1000;
const TOKENS_A_SECOND = 1_500_000;
const MEGABYTES = 12;

/** Runs in the page: a session whose socket is told what it hears. */
const HARNESS = `
import { createSession } from "sessile";
const serial = (place) => "abcd" + place.toString(16).padStart(8, "0");
let socket;
class Wire {
  constructor() { socket = this; setTimeout(() => this.begin()); }
  send() {}
  close() {}
  hear(frames) { this.onmessage({ data: JSON.stringify(frames) }); }
  begin() {
    const limits = { frameBytes: 262144, publishMessages: 100 };
    const who = { session: "s", connection: "c", client: "reader", expiresAt: Date.now() + 1e8 };
    const log = { serial: serial(0), resumed: false, hasOlder: false, presence: [], turns: [] };
    this.hear({ type: "attached", protocol: 1, limits, ...who, ...log });
    this.hear({ type: "caught-up", serial: serial(0) });
  }
}
const options = { url: "https://sessile.invalid", session: "s", token: "a.b.c" };
let session, place = 0;
window.start = async () => {
  session = createSession({ ...options, WebSocket: Wire });
  await session.connect();
};
const message = (at, fields) => ({
  type: "message.create",
  message: {
    ...{ serial: serial(at), version: serial(at), client: "agent", role: "assistant" },
    ...{ name: "message", createdAt: 1, updatedAt: 1, ...fields },
  },
});
window.fill = (count, length) => {
  for (let n = 0; n < count; n += 100) {
    const frames = Array.from({ length: 100 }, () => {
      place += 1;
      const fields = { id: "id" + place, turn: "turn" + (place >> 2) };
      return message(place, { ...fields, data: String(place).padEnd(length, " of a log") });
    });
    socket.hear(frames);
    session.getSnapshot();
  }
  return session.messages.length;
};
window.stream = (answers, tokens, windows, token) => {
  const serials = Array.from({ length: answers }, () => (place += 1));
  socket.hear(serials.map((at) => message(at, { data: "", status: "streaming" })));
  const data = token.repeat(tokens);
  const texts = Array.from({ length: windows }, (_, n) => JSON.stringify(serials.map((at) => {
    place += 1;
    const offset = n * data.length;
    return { type: "message.append", serial: serial(at), version: serial(place), offset, data };
  })));
  const began = performance.now();
  for (const text of texts) {
    socket.onmessage({ data: text });
    session.getSnapshot();
  }
  const ms = performance.now() - began;
  const last = session.messages.at(-1).data;
  if (last.length !== windows * data.length) throw new Error("tokens are missing");
  return (answers * tokens * windows * 1000) / ms;
};`;

async function open(browser: Browser): Promise<Page> {
  const { outputFiles } = await build({
    stdin: { contents: HARNESS, resolveDir: new URL("..", import.meta.url).pathname },
    alias: { sessile: new URL("../sdk/src/index.ts", import.meta.url).pathname },
    ...{ bundle: true, minify: true, format: "iife", target: "es2022", write: false },
  });
  const page = await browser.newPage();
  await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
  return page;
}

/** The size of the page's heap once nothing is left in it that nobody has. */
async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  for (let time = 0; time < 3; time += 1) await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize;
}

async function page({ quick, log }: Bench): Promise<Row[]> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  const browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args });
  try {
    const tab = await open(browser);
    await tab.evaluate("start()");
    const before = await heap(tab);
    await tab.evaluate(`fill(${MESSAGES}, ${LENGTH})`);
    const megabytes = ((await heap(tab)) - before) / 1024 / 1024;
    const speeds: number[] = [];
    const windows = quick ? WINDOWS / 5 : WINDOWS;
    for (let round = 0; round < 5; round += 1) {
      const token = JSON.stringify(TOKEN_TEXT);
      const speed = await tab.evaluate(`stream(${ANSWERS}, ${TOKENS}, ${windows}, ${token})`);
      speeds.push(speed as number);
      log(`page: ${Math.round(speed as number)} tokens a second`);
    }
    const speed = `page: ${ANSWERS} answers at the end of ${MESSAGES} messages: at least 1 500 000`;
    const size = `page: memory of ${MESSAGES} messages of ${LENGTH} characters: at most 12 MB`;
    return [
      atLeast(speed, "tokens/s", median(speeds), TOKENS_A_SECOND, 1),
      atMost(size, "MB", megabytes, MEGABYTES, 1),
    ];
  } finally {
    await browser.close();
  }
}

export const pages: Family[] = [{ name: "page", run: page }];
