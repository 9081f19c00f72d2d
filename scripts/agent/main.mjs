// The demo's scripted agent, on the SDK: greets an empty session, and answers each message of a
// person in a turn. It keeps nothing: what it still has to say, it reads from the session, so it
// may be killed at any moment and goes on in the middle of a word.
import {
  createAgentSession,
  readMessage,
  readMessages,
  readTurns,
  TakenError,
} from "../../sdk/src/agent/index.ts";
import { greeting, pieces, reply } from "./script.mjs";
import { mintToken } from "./token.mjs";

const ME = "scripted-agent";
const PIECE_EVERY_MS = 25;
/** How long it may be away before its turns are lost. */
const LEASE_MS = 15_000;
/** How far back it looks for questions that came while it was away. */
const LOOK_BACK = 100;

const { SESSILE_ORIGIN: url, SESSILE_KEY: key, SESSILE_SESSION: name } = process.env;
const caps = { [name]: ["agent"] };

/** The turns that this process leads, by what they answer. */
const begun = new Set();
let hasLooked = false;

const session = createAgentSession({
  url,
  session: name,
  token: () => mintToken(key, { sub: ME, name: "Agent", role: "agent", caps }),
  onInput: (_, start) => answer(start),
  onQueued: ({ input }) => answer({ input }),
  onStatus: ({ state, error }) => {
    if (error) console.error(`the agent: ${error.message}`);
    if (state !== "connected" || hasLooked) return;
    hasLooked = true;
    lookBack().catch((problem) => console.error(`the agent: ${problem.message}`));
  },
});

/** Finds the work that an earlier process left, or nobody began. */
async function lookBack() {
  for (const turn of await readTurns(session)) {
    if (turn.agent === ME) answer(turn.input ? { input: turn.input } : { id: turn.id });
  }
  const { messages, turns = [] } = await readMessages(session, { limit: LOOK_BACK });
  if (messages.length === 0) answer({ id: "greeting" });
  const answered = new Set(turns.map(({ input }) => input));
  for (const { serial, role, name, turn, deletedAt } of messages.reverse()) {
    const isInput = role === "user" && name === "message" && turn === undefined && !deletedAt;
    if (isInput && !answered.has(serial)) answer({ input: serial });
  }
}

/** Answers an input, once, wherever an earlier process stopped. */
async function answer(start) {
  const what = start.id ?? start.input;
  if (begun.has(what)) return;
  begun.add(what);
  try {
    const text = start.input ? reply(await readMessage(session, start.input)) : greeting;
    await session.answer({ ...start, leaseMs: LEASE_MS, taken: "keep" }, (turn) => say(turn, text));
  } catch (error) {
    if (!(error instanceof TakenError)) console.error(`the agent: ${error.message}`);
  } finally {
    begun.delete(what);
  }
}

/** Says a text piece by piece, from where the session says that it stopped. */
async function say(turn, text) {
  const { messages } = await readMessages(session, { limit: LOOK_BACK });
  const held = messages.find((it) => it.turn === turn.id && it.status === "streaming");
  const append = held ? appendTo(turn, held) : writeIn(turn);
  const rest = pieces(text, held?.data.length ?? 0);
  for (const [index, piece] of rest.entries()) {
    if (turn.signal.aborted) return;
    await append(piece, index === rest.length - 1);
    await new Promise((resolve) => setTimeout(resolve, PIECE_EVERY_MS));
  }
}

/** Writes a message of its own. */
function writeIn(turn) {
  const message = turn.write();
  return (piece, isLast) => {
    message.append(piece);
    return isLast ? message.end() : undefined;
  };
}

/** Goes on with the message that an earlier process began (P6.8, P5.3). */
function appendTo(turn, { serial, seq = 0 }) {
  let next = seq;
  return (data, isLast) => {
    next += 1;
    const ended = isLast ? { status: "complete" } : {};
    const taken = turn.host.ask({ type: "append", serial, seq: next, data, ...ended });
    // Not awaited: an acknowledgement may take as long as the readers' window (P5.4).
    return isLast ? taken : void taken.catch(() => {});
  };
}
