// An activity, as a workflow engine runs it: an attempt may be killed anywhere, and the next one
// goes on where the session's text ends. Nothing but fetch; the activity's id makes every frame one
// that may be sent again.

const { SESSION = "", TOKEN = "", ACTIVITY_ID: turn = "", QUESTION = "" } = process.env;
const PACE_MS = Number(process.env.PACE_MS ?? 50);
/** The engine decides when to try again, so the session waits as long as it may (P6.8). */
const LEASE_MS = 600_000;
/** The highest number that an append may have (P5.3). */
const FAR = Number.MAX_SAFE_INTEGER;

/** Stands for a model that says the same to each attempt: a script, a recording, a seed. */
async function* words(): AsyncGenerator<string> {
  const told = Array.from({ length: 60 }, (_, at) => `${at + 1} 🌊 ${"~".repeat(at % 7)}`);
  for (const word of ["You asked:", ...QUESTION.split(" "), ...told]) {
    await new Promise((done) => setTimeout(done, PACE_MS));
    yield `${word} `;
  }
}

interface Result {
  turn: { id: string; attempt: number; cancel?: object; endedAt?: number };
  duplicate?: boolean;
  messages: [{ serial: string }];
}

class Refused extends Error {
  readonly code: string;
  readonly expectedSeq: number;
  readonly length: number;

  constructor(error: { code: string; message: string; expectedSeq?: number; length?: number }) {
    super(error.message);
    this.code = error.code;
    this.expectedSeq = error.expectedSeq ?? 1;
    this.length = error.length ?? 0;
  }
}

/** One frame (P12.1). No network is a failure of the attempt like any other. */
async function send(frame: object): Promise<Result> {
  const response = await fetch(`${SESSION}/frames`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(frame),
  });
  const { result, error } = (await response.json()) as { result: Result; error?: never };
  if (error) throw new Refused(error);
  return result;
}

/** Leads the turn, begun now or by an attempt before, of which all output is kept (P6.8). */
async function lead(): Promise<{ turn: string; attempt: number } | undefined> {
  let now = await send({ type: "turn.start", id: turn, leaseMs: LEASE_MS });
  // An attempt before this one did it, and could not say so.
  if (now.turn.endedAt !== undefined) return undefined;
  if (now.duplicate) {
    now = await send({ type: "turn.adopt", turn, keep: true, leaseMs: LEASE_MS });
  }
  return { turn, attempt: now.turn.attempt };
}

/** Where the text ends. No append has this number, and the refusal says which is next (P5.3). */
async function end(serial: string, attempt: number): Promise<{ seq: number; length: number }> {
  try {
    await send({ type: "append", serial, attempt, seq: FAR, data: "" });
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "gap") throw error;
    return { seq: error.expectedSeq, length: error.length };
  }
  throw new Error("a text of so many appends");
}

async function answer(): Promise<void> {
  const led = await lead();
  if (!led) return;
  const { attempt } = led;
  const message = { id: `${turn}/answer`, role: "assistant", status: "streaming", data: "" };
  const { messages } = await send({ type: "publish", messages: [{ ...message, ...led }] });
  const [{ serial }] = messages;
  let { seq, length } = await end(serial, attempt);
  let at = 0;
  for await (const word of words()) {
    at += word.length;
    if (at <= length) continue;
    await send({ type: "append", serial, attempt, seq, data: word.slice(length - at) });
    seq += 1;
    length = at;
    // The engine hears that this attempt lives, the attempt whether the turn is cancelled.
    process.stdout.write(".");
    const { turn: now } = await send({ type: "turn.heartbeat", ...led });
    if (now.cancel) break;
  }
  // It closes the text as well; `cancelled`, if that was asked for (P6.3, P6.5).
  await send({ type: "turn.end", ...led, id: `${turn}/end`, status: "complete" });
}

await answer();
