// One session over one WebSocket at a time: attaches, folds, resumes after its position, comes
// back by itself, and sends again what was not acknowledged.
import { emptyLog, fold, mend } from "./fold.js";

const REWIND = 50;
const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 10_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MOST_MS = 15_000;

// After these a client gives up (P13.3); 4401 wants a new token, which this page cannot make.
const FINAL_CLOSES = new Map([
  [4400, "the session could not read what this page sent"],
  [4401, "the token has expired; run npm start again for a new address"],
  [4403, "the token does not allow this session"],
  [4410, "the session was deleted"],
  [4413, "a message was too large"],
]);

/**
 * Opens a session. `onChange(view)` hears of every change; the view has the `log`, the `state`
 * (`connecting`, `attached`, `resumed`, `offline` or `closed`), a `reason` and what is `unsent`.
 */
export function openSession({ origin, session, token, onChange }) {
  const base = `${origin}/v1/sessions/${encodeURIComponent(session)}`;
  const view = { log: emptyLog(), state: "connecting", reason: "", unsent: new Map() };
  let socket = null;
  let retry = null;
  let failures = 0;
  let pongDue = null;
  const reading = new Set();

  function become(state, reason = "") {
    Object.assign(view, { state, reason });
    onChange(view);
  }

  function connect() {
    clearTimeout(retry);
    retry = null;
    if (socket) return;
    become("connecting");
    const position = view.log.position;
    const query = position ? `since=${position}&rewind=${REWIND}` : `rewind=${REWIND}`;
    const url = `${base.replace(/^http/, "ws")}/connect?${query}`;
    const opened = new WebSocket(url, ["sessile.v1", `sessile.token.${token}`]);
    socket = opened;
    let resumed = false;
    opened.onmessage = ({ data }) => {
      // A socket that was dropped says nothing any more, whatever was still on its way.
      if (socket !== opened) return;
      heard();
      if (data === "pong") return;
      const parsed = JSON.parse(data);
      for (const frame of Array.isArray(parsed) ? parsed : [parsed]) {
        if (frame.type === "attached") resumed = frame.resumed;
        take(frame, resumed);
      }
      readGaps();
      onChange(view);
    };
    opened.onclose = ({ code, reason }) => {
      if (socket !== opened) return;
      lost(code, reason);
    };
  }

  function take(frame, resumed) {
    fold(view.log, frame);
    if (frame.type === "caught-up") {
      failures = 0;
      Object.assign(view, { state: resumed ? "resumed" : "attached", reason: "" });
      for (const message of view.unsent.values()) publish(message);
    } else if (frame.type === "ack") {
      view.unsent.delete(frame.ref);
    } else if (frame.type === "nack") {
      view.unsent.delete(frame.ref);
      view.reason = frame.error.message;
    } else if (frame.type === "probe") {
      send({ type: "seen", n: frame.n });
    }
  }

  function lost(code, reason) {
    socket = null;
    clearTimeout(pongDue);
    pongDue = null;
    const final = FINAL_CLOSES.get(code);
    if (final) return become("closed", reason || final);
    const longest = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** failures);
    failures += 1;
    // Spread over the whole time, so that a thousand readers do not come back at once.
    retry = setTimeout(connect, Math.random() * longest);
    become("offline", "the connection was lost; trying again");
  }

  /** A message whose text has a hole is read again, once (P3.10). */
  function readGaps() {
    for (const serial of view.log.gaps) {
      if (reading.has(serial)) continue;
      reading.add(serial);
      readAgain(serial)
        // Offline: the gap stays, and is read after the next frames.
        .catch(() => {})
        .finally(() => reading.delete(serial));
    }
  }

  async function readAgain(serial) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${base}/messages/${serial}`, { headers });
    if (!response.ok) throw new Error(`unable to read message ${serial}: ${response.status}`);
    mend(view.log, (await response.json()).message);
    onChange(view);
  }

  function send(frame) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  function publish(message) {
    send({ type: "publish", ref: message.id, messages: [message] });
  }

  function heard() {
    clearTimeout(pongDue);
    pongDue = null;
  }

  /** Asks whether the connection is still there: a phone that slept often has a dead one. */
  function ping() {
    if (retry) return connect();
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send("ping");
    pongDue ??= setTimeout(() => {
      const dead = socket;
      lost(1006, "");
      dead?.close();
    }, PONG_WITHIN_MS);
  }

  setInterval(ping, PING_EVERY_MS);
  connect();

  return {
    /** Publishes text; it is sent until it is acknowledged, and its id makes that safe (P13.1). */
    say(text) {
      const message = { id: crypto.randomUUID(), data: text };
      view.unsent.set(message.id, message);
      if (view.state === "attached" || view.state === "resumed") publish(message);
      onChange(view);
    },

    /** Drops the network and stays away until `connect`. */
    drop() {
      const dropped = socket;
      socket = null;
      clearTimeout(retry);
      clearTimeout(pongDue);
      retry = null;
      pongDue = null;
      dropped?.close();
      become("offline", "the network was dropped by hand");
    },

    connect,
    ping,
  };
}
