// The demo's scripted agent: greets an empty session, and answers each message of a person once.
// It keeps nothing: what it still has to say, it reads from the session, so it may be killed at
// any moment and goes on in the middle of a word.
import { emptyLog, fold, inOrder } from "../../demo/fold.js";
import { Connection } from "./connection.mjs";
import { greeting, pieces, reply } from "./script.mjs";
import { mintToken } from "./token.mjs";

const PIECE_EVERY_MS = 25;
const RETRY_MS = 1000;
const REWIND = 100;

const { SESSILE_ORIGIN: origin, SESSILE_KEY: key, SESSILE_SESSION: session } = process.env;

for (;;) {
  await attend(await open()).catch((error) => console.error(`the agent: ${error.message}`));
  await pause(RETRY_MS);
}

async function open() {
  const caps = { [session]: ["agent"] };
  const token = await mintToken(key, { sub: "scripted-agent", name: "Agent", role: "agent", caps });
  const url = `${origin.replace(/^http/, "ws")}/v1/sessions/${session}/connect?rewind=${REWIND}`;
  return new WebSocket(url, ["sessile.v1", `sessile.token.${token}`]);
}

/** Follows the session on one connection, and resolves when that connection is gone. */
function attend(socket) {
  return new Promise((resolve) => {
    const connection = new Connection(socket);
    const log = emptyLog();
    const begun = new Set();

    const answerAll = () => {
      for (const task of tasks(log)) {
        if (begun.has(task.id)) continue;
        begun.add(task.id);
        stream(connection, log, task).catch((error) => {
          // A connection that is gone refuses nothing: the next one goes on from the log.
          if (connection.isOpen) console.error(`the agent: ${error.message}`);
        });
      }
    };
    socket.onmessage = ({ data }) => {
      const parsed = JSON.parse(data);
      for (const frame of Array.isArray(parsed) ? parsed : [parsed]) {
        fold(log, frame);
        connection.take(frame);
        if (frame.type === "probe") connection.send({ type: "seen", n: frame.n });
      }
      if (!log.isReplaying) answerAll();
    };
    socket.onclose = ({ code, reason }) => {
      connection.close();
      if (code > 1006) console.error(`the agent: closed with ${code} ${reason}`);
      resolve();
    };
  });
}

/** What is still to be said: each has the id of its answer, so that it is said once (P13.1). */
function tasks(log) {
  const messages = inOrder(log);
  const answers = messages.filter(({ role }) => role === "assistant");
  if (messages.length === 0) return [{ id: "greeting", text: greeting }];
  const found = answers
    .filter(({ status, parent, client }) => status === "streaming" && !parent && isMe(client))
    .map(() => ({ id: "greeting", text: greeting }));
  for (const message of messages) {
    if (message.role === "assistant" || message.deletedAt || message.status === "streaming")
      continue;
    const mine = answers.filter(({ parent }) => parent === message.serial);
    const failed = mine.filter(({ status }) => status === "failed").length;
    if (mine.some(({ status }) => status !== "failed" && status !== "streaming")) continue;
    const text = reply(message);
    found.push({ id: `answer-${message.serial}-${failed}`, parent: message.serial, text });
  }
  return found;
}

function isMe(client) {
  return client === "scripted-agent";
}

/** Says one answer piece by piece, from where the session says that it stopped. */
async function stream(connection, log, { id, parent, text }) {
  const message = { id, role: "assistant", data: "", status: "streaming" };
  const published = await connection.request({
    type: "publish",
    messages: [parent ? { ...message, parent } : message],
  });
  const { serial } = published.messages[0];
  const held = log.messages.get(serial);
  if (held && held.status !== "streaming") return;
  let seq = held?.seq ?? 0;
  const rest = pieces(text, held?.data?.length ?? 0);
  for (const [index, data] of rest.entries()) {
    seq += 1;
    const isLast = index === rest.length - 1;
    const status = isLast ? { status: "complete" } : {};
    // Not awaited: an acknowledgement may take as long as the readers' window (P5.4).
    const taken = connection.request({ type: "append", serial, seq, data, ...status });
    if (isLast) await taken;
    else taken.catch(() => {});
    await pause(PIECE_EVERY_MS);
    if (!connection.isOpen) return;
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
