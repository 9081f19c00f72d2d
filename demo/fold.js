// The fold: what a reader holds of a session, and how one frame changes it (P3, P4.4).
// No network and no page in here; everything that a frame can say about the log is in `fold`.

/** What a reader holds before it has attached to anything. */
export function emptyLog() {
  const isReplaying = true;
  return { messages: new Map(), position: null, start: null, isReplaying, gaps: new Set() };
}

/** Changes `log` by one frame. Frames of unknown types change nothing (P1.4). */
export function fold(log, frame) {
  switch (frame.type) {
    case "attached":
      log.isReplaying = true;
      // What follows an `attached` without `resumed` is all there is (P3.6).
      if (!frame.resumed) Object.assign(log, emptyLog(), { start: frame.serial ?? null });
      return;
    case "caught-up":
      log.isReplaying = false;
      log.position = frame.serial ?? null;
      return;
    case "message.create":
      put(log, frame.message);
      return moveTo(log, frame.message.version);
    case "message.update":
      if (!isOutside(log, frame.message.serial)) put(log, changed(log, frame.message));
      return moveTo(log, frame.message.version);
    case "message.append":
      append(log, frame);
      return moveTo(log, frame.version);
    case "message.delete":
      remove(log, frame);
      return moveTo(log, frame.version);
    case "log.trim":
      for (const serial of log.messages.keys()) {
        if (serial < frame.before && !frame.keep?.includes(serial)) log.messages.delete(serial);
      }
      return;
  }
}

/** A message that was read by itself after a gap (P3.10). */
export function mend(log, message) {
  // A message that changed while it was read is read once more.
  if ((log.messages.get(message.serial)?.version ?? "") > message.version) return;
  // Asked for by a log that was dropped meanwhile, it would be of another life.
  if (log.gaps.delete(message.serial)) put(log, message);
}

/** The messages in the log's order. */
export function inOrder(log) {
  return [...log.messages.values()].sort((a, b) => (a.serial < b.serial ? -1 : 1));
}

/** A message that changed. One without data has the data that it had (P4.4). */
function changed(log, message) {
  const held = log.messages.get(message.serial);
  return held && !("data" in message) ? { ...message, data: held.data } : message;
}

function put(log, message) {
  const held = log.messages.get(message.serial);
  if (held && held.version > message.version) return;
  log.messages.set(message.serial, { ...message });
}

function append(log, { serial, version, offset, data, status, headers }) {
  const held = log.messages.get(serial);
  if (!held) {
    if (!isOutside(log, serial)) log.gaps.add(serial);
    return;
  }
  const text = typeof held.data === "string" ? held.data : "";
  if (version < held.version) return;
  if (version === held.version && offset + data.length < text.length) return;
  if (offset > text.length) {
    log.gaps.add(serial);
    return;
  }
  // Keep up to the offset and put the data there: an overlap does no harm (P3.10).
  held.data = text.slice(0, offset) + data;
  held.version = version;
  if (status) held.status = status;
  if (headers) held.headers = headers;
}

function remove(log, { serial, version, superseded }) {
  const held = log.messages.get(serial);
  if (!held || held.version > version) return;
  log.gaps.delete(serial);
  if (superseded) {
    log.messages.delete(serial);
    return;
  }
  const { data: _gone, ...tombstone } = held;
  log.messages.set(serial, { ...tombstone, version, deletedAt: held.deletedAt ?? 0 });
}

/** Whether a message is older than what this reader was given to begin with (P3.7). */
function isOutside(log, serial) {
  return !log.messages.has(serial) && log.start !== null && serial <= log.start;
}

/** A position moves with live frames; during a replay it stays until `caught-up` (P3.7). */
function moveTo(log, version) {
  if (log.isReplaying) return;
  if (log.position === null || version > log.position) log.position = version;
}
