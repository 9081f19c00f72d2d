// Server-sent events as `fetch` gives them: those of a session (P3.8), and of providers.

import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { ServerFrame } from "../protocol/index.ts";

/** An event; what it does not say is left out. */
export interface SseEvent {
  id?: string;
  event?: string;
  data: string;
}

/** Ends an event stream: the code says why, as that of a WebSocket's close would (P2.5). */
export interface ClosingFrame {
  type: "closing";
  code: number;
}

/** Events that have a place in the log, and so an id at the end of those that belong together. */
const IN_LOG = /^(message|turn|log|approval|grant|lead|tool|state)\./;

/**
 * The events of a body; comments are left out. A last event comes also where the body ends
 * without its blank line, as gateways let it end.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  let events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  // Takes a byte order mark away as well.
  const decoder = new TextDecoder();
  const lines = new LineEnds();
  const reader = body.getReader();
  let isOver = false;
  try {
    while (!isOver) {
      const { done, value } = await reader.read();
      isOver = done;
      const text = done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true });
      if (text) parser.feed(lines.end(text));
      for (const { id, event, data } of events) {
        yield { ...(id !== undefined && { id }), ...(event !== undefined && { event }), data };
      }
      events = [];
    }
  } finally {
    // A caller that reads no further wants no more; of a body that is over this changes nothing.
    if (!isOver) reader.cancel().catch(() => {});
  }
}

/**
 * The parser keeps back a CR at the end of what it was fed, since an LF might follow. Here the LF
 * comes first, and one that follows is left out: an event is there as soon as its blank line is.
 */
class LineEnds {
  #isReturned = false;

  end(text: string): string {
    const rest = this.#isReturned && text.startsWith("\n") ? text.slice(1) : text;
    this.#isReturned = text.endsWith("\r");
    return this.#isReturned ? `${rest}\n` : rest;
  }
}

/**
 * The frames of a session's event stream, together as they belong together: of an array's events
 * only the last has an id, and a position never lies inside it (P3.7).
 */
export async function* readFrameEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<(ServerFrame | ClosingFrame)[]> {
  let frames: (ServerFrame | ClosingFrame)[] = [];
  for await (const { id, data } of readEvents(body)) {
    const frame = JSON.parse(data) as ServerFrame | ClosingFrame;
    frames.push(frame);
    if (id === undefined && IN_LOG.test(frame.type)) continue;
    yield frames;
    frames = [];
  }
}
