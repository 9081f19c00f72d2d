// Frames of the pending operations: consecutive creations are one publish, text is cut into
// appends, and every end is one frame.

import type {
  AppendFrame,
  ClientFrame,
  Limits,
  NewMessage,
  PublishFrame,
  SessileError,
  UpdateFrame,
} from "../protocol/index.ts";
import { formOf, OMITTED } from "./bounds.ts";
import { type Change, MOST_LENGTH, type Output, type Task } from "./output.ts";
import type { Queue } from "./queue.ts";

/** A frame, and its messages. */
export interface Framed {
  frame: ClientFrame;
  outputs: Output[];
}

/** The most text of the messages in one publish. */
const MOST_BATCH = 64 * 1024;

/** The text of a frame; half of a surrogate pair waits for the other half (P1.3). */
function cut({ text, sent, isOpen }: Output, until = text.length): string {
  let end = Math.min(until, sent + MOST_LENGTH);
  const isHalf = text.charCodeAt(end - 1) >> 10 === 0xd800 >> 10;
  if (isHalf && (isOpen || end < text.length)) end -= 1;
  return text.slice(sent, Math.max(sent, end));
}

/** The next frame; nothing if there is none, or if it depends on a pending answer. */
export function nextFrame(queue: Queue, limits: Limits): Framed | undefined {
  for (;;) {
    const task = queue.first;
    if (!task) return undefined;
    const { output, kind } = task;
    if (output.error || output.isGone) queue.finish();
    else if (kind === "begin" || kind === "whole") return publish(queue, limits);
    else if (kind === "state") return change(task, queue);
    else if (output.serial === undefined || output.isChanging) return undefined;
    else {
      // Counted before the task is done: its text is kept until both are answered.
      output.pending += 1;
      const frame = frameOf(task, output.serial, queue, limits);
      if (!frame) output.settle();
      else {
        queue.took("data" in frame ? String(frame.data).length : 0);
        return { frame, outputs: [output] };
      }
    }
  }
}

/** A change of the state, once: with an id of its own it may be sent again (P13.1). */
function change({ output, ops }: Task & { kind: "state" }, queue: Queue): Framed {
  output.pending += 1;
  queue.finish();
  return { frame: { type: "state", id: output.head.id, ops }, outputs: [output] };
}

/** Consecutive creations. */
function publish(queue: Queue, { publishMessages }: Limits): Framed {
  const messages: NewMessage[] = [];
  const outputs: Output[] = [];
  let room = MOST_BATCH;
  while (messages.length < publishMessages) {
    const task = queue.first;
    if (task?.kind !== "begin" && task?.kind !== "whole") break;
    const { output } = task;
    const message = messageOf(task);
    const { length } = JSON.stringify(message);
    room -= length;
    if (room < 0 && messages.length > 0) break;
    queue.took(length);
    messages.push(message);
    outputs.push(output);
    output.pending += 1;
    if (task.kind === "begin") {
      output.isStreaming = true;
      output.sent = String(message.data).length;
      if (cut(output, task.until)) {
        // The rest is sent next.
        queue.replaceFirst({ kind: "append", output, until: task.until });
        break;
      }
    }
    queue.finish();
  }
  return { frame: { type: "publish", messages }, outputs };
}

function messageOf(task: Task & { kind: "begin" | "whole" }): NewMessage {
  const { output, headers } = task;
  const head = { ...output.head, ...(headers && { headers }) };
  if (task.kind === "whole") {
    return { ...head, data: task.data, ...(task.status && { status: task.status }) };
  }
  return { ...head, data: cut(output, task.until).toWellFormed(), status: "streaming" };
}

function frameOf(
  task: Task,
  serial: string,
  queue: Queue,
  limits: Limits,
): ClientFrame | undefined {
  const { output } = task;
  if (task.kind === "append") {
    const data = output.isStreaming && !output.isFull ? cut(output, task.until) : "";
    output.sent += data.length;
    if (!data || !cut(output, task.until)) queue.finish();
    return data ? append(output, serial, { data: data.toWellFormed() }) : undefined;
  }
  if (task.kind === "end" && output.isStreaming) return endOf(task, serial, queue);
  queue.finish();
  return task.kind === "end" ? changeOf(task, serial, limits) : { type: "delete", serial };
}

/** The end of a text: with the rest of it, or with its final value. */
function endOf(task: Task & { kind: "end" }, serial: string, queue: Queue): ClientFrame {
  const { output, headers } = task;
  const status = output.isFull && task.data === undefined ? "failed" : (task.status ?? "complete");
  const ending = { status, ...(headers && { headers }) };
  const isText = task.data === undefined && !output.isFull;
  const data = isText ? cut(output) : "";
  output.sent += data.length;
  const more = data && { data: data.toWellFormed() };
  if (isText && output.sent < output.text.length) return append(output, serial, { ...more });
  const { length } = output.text;
  output.isStreaming = false;
  queue.finish();
  if (output.isFull && task.data !== undefined) {
    // The earlier data was too large already: so is the final data.
    const omitted = { ...headers, [OMITTED]: `${length} characters` };
    return { ...update(output, serial, { data: null, headers: omitted }), status };
  }
  if (task.data !== undefined) {
    return { ...update(output, serial, { data: task.data, ...(headers && { headers }) }), status };
  }
  if (output.isFull) output.fail(output.isFull);
  return append(output, serial, { ...more, ...ending });
}

/**
 * Replaces a closed message; an earlier attempt may have closed the one that this attempt streams.
 */
function changeOf(
  task: Task & { kind: "end" },
  serial: string,
  limits: Limits,
): UpdateFrame | undefined {
  const { output, headers } = task;
  let { data } = task;
  if (data === undefined && output.isStale) {
    const form = formOf(output.text, limits);
    data = form.as === "whole" ? form.data : null;
  }
  if (data === undefined && !headers) return undefined;
  output.isChanging = true;
  const more = { ...(data !== undefined && { data }), ...(headers && { headers }) };
  return { type: "update", serial, ...more };
}

/** The next append of a message. */
export function append(
  output: Output,
  serial: string,
  more: Omit<AppendFrame, "type" | "serial" | "seq">,
): AppendFrame {
  output.seq += 1;
  return { type: "append", serial, seq: output.seq, ...more };
}

/** An update that closes counts as an append, so that a repeat of it changes nothing (P5.3). */
function update(output: Output, serial: string, change: Omit<Change, "status">): UpdateFrame {
  output.seq += 1;
  return { type: "update", serial, seq: output.seq, ...change };
}

/** The session lacks earlier text, or holds another client's: all is resent (P5.3). */
export function sayAnew(
  output: Output,
  { serial, status, headers }: Pick<AppendFrame, "serial" | "status" | "headers">,
  { info }: SessileError,
): UpdateFrame {
  output.seq = (info?.expectedSeq ?? 1) - 1;
  const data = output.text.slice(0, output.sent).toWellFormed();
  if (!status) return { type: "update", serial, data, seq: output.seq };
  return { ...update(output, serial, { data, ...(headers && { headers }) }), status };
}

/** One of them is refused: each is sent alone. */
export function split({ messages, ...frame }: PublishFrame, outputs: Output[]): Framed[] {
  return outputs.flatMap((output, at) => {
    const message = messages[at];
    return message ? [{ frame: { ...frame, messages: [message] }, outputs: [output] }] : [];
  });
}
