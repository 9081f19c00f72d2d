// The messages of a session while its log is read anew (P3.6): nothing twice, and nothing gone.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createSession, historyOf, type Session } from "../../src/index.ts";

/** A token that nobody looks into. */
const TOKEN = "e30.e30.e30";

/** A WebSocket whose other end is the test. */
class Wire {
  static last: Wire | undefined;
  readonly sent: { type: string; ref: number; messages?: { id: string; data: unknown }[] }[] = [];
  onmessage: ((event: { data: string }) => void) | undefined;
  onclose: ((event: { code: number }) => void) | undefined;

  constructor() {
    Wire.last = this;
  }

  send(text: string): void {
    if (text !== "ping") this.sent.push(...[JSON.parse(text)].flat());
  }

  close(): void {}

  hear(...frames: object[]): void {
    this.onmessage?.({ data: JSON.stringify(frames) });
  }

  lose(): void {
    this.onclose?.({ code: 1006 });
  }
}

function attached(serial: string) {
  return {
    ...{ type: "attached", protocol: 1, session: "s", client: "ann", connection: "c", serial },
    ...{ expiresAt: Date.now() + 3_600_000, resumed: false, hasOlder: false },
    ...{ turns: [], presence: [], limits: { frameBytes: 65_536, publishMessages: 100 } },
  };
}

function created(serial: string, { id, data }: { id: string; data: unknown }) {
  const times = { createdAt: 1, updatedAt: 1 };
  const message = { serial, version: serial, id, data, client: "ann", name: "message", ...times };
  return { type: "message.create", message: { ...message, role: "user" } };
}

async function connectedAgain(was: Wire | undefined): Promise<Wire> {
  while (!Wire.last || Wire.last === was) await new Promise((done) => setTimeout(done, 1));
  return Wire.last;
}

interface Place {
  session: Session;
  wire: Wire;
  /** How it stood after each change. */
  shown: string[];
}

/** Lets everything happen that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/** A session with messages `a b c` that were sent and not acknowledged, connected once more. */
async function unacknowledged(
  t: TestContext,
  held: object[] = [],
  read: typeof fetch = fetch,
): Promise<Place> {
  const session = createSession({
    ...{ url: "https://example.com", session: "s", token: TOKEN, timing: { backoffMs: 1 } },
    WebSocket: Wire as unknown as typeof WebSocket,
    fetch: read,
  });
  t.after(() => session.close());
  const was = Wire.last;
  session.connect();
  const first = await connectedAgain(was);
  first.hear(attached(""), ...held, { type: "caught-up", serial: "01" });
  for (const data of ["a", "b", "c"]) session.send(data);
  await settle();
  const sent = first.sent.flatMap(({ messages }) => messages ?? []);
  assert.deepEqual(
    sent.map(({ data }) => data),
    ["a"],
    "what is on its way is waited for",
  );
  first.lose();
  const shown: string[] = [];
  session.subscribe(() => {
    const texts = session.messages.map(({ data, delivery }) => `${data}${delivery ? "?" : ""}`);
    if (shown.at(-1) !== texts.join(" ")) shown.push(texts.join(" "));
  });
  return { session, wire: await connectedAgain(first), shown };
}

function acknowledge(wire: Wire, serial: string): void {
  const { ref, messages = [] } = wire.sent.at(-1) ?? {};
  const result = messages.map(({ id }) => ({ id, serial, version: serial, duplicate: true }));
  wire.hear({ type: "ack", ref, result: { messages: result } });
}

test("what was sent and not acknowledged is shown once, all through a replay", async (t) => {
  const { session, wire, shown } = await unacknowledged(t);
  wire.hear(attached("13"));
  for (const [i, { id = "", data }] of session.messages.entries()) {
    wire.hear(created(`1${i + 1}`, { id, data }));
  }
  wire.hear({ type: "caught-up", serial: "13" });
  await settle();
  assert.deepEqual(shown, ["a? b? c?", "a b c"]);
  // A repeat is answered as one (P13.1).
  acknowledge(wire, "11");
  assert.deepEqual(shown, ["a? b? c?", "a b c"]);
});

test("what is sent while older messages are read anew is shown all the time", async (t) => {
  let give = (_: Response) => {};
  const page = new Promise<Response>((done) => {
    give = done;
  });
  const older = ["x", "y"].map((data, i) => created(`0${i}`, { id: data, data }));
  const { session, wire, shown } = await unacknowledged(t, older, () => page);
  historyOf(session);
  const { id = "", data } = session.messages[2] ?? {};
  wire.hear({ ...attached("11"), hasOlder: true }, created("11", { id, data }));
  wire.hear({ type: "caught-up", serial: "11" });
  await settle();
  if (wire.sent.length > 0) acknowledge(wire, "11");
  assert.deepEqual(shown, ["x y a? b? c?"], "what was shown stays until all of it was read");
  const messages = older.map(({ message }) => message).reverse();
  give(Response.json({ messages, hasMore: false }));
  while (shown.length < 2) await new Promise((done) => setTimeout(done, 1));
  assert.match(shown[1] ?? "", /y a b\? c\?$/);
});
