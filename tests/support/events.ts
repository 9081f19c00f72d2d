// A reader over Server-Sent Events (P3.8), able to go without a goodbye.

import assert from "node:assert/strict";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { address } from "./client.ts";
import { type Frame, parseFrames } from "./frames.ts";
import type { Server } from "./server.ts";
import { makeToken, type TokenOptions } from "./token.ts";
import { within } from "./wait.ts";

export interface Event {
  id: string | undefined;
  frame: Frame;
}

export interface EventsOptions extends TokenOptions {
  query?: Record<string, string | number>;
  lastEventId?: string;
  token?: string;
  by?: "header" | "query";
  keep?: boolean;
  /** Does not begin to read: the caller does. */
  isPaused?: boolean;
}

export class Events {
  readonly status: number;
  readonly contentType: string;
  /** Events that came and were not taken by `next`. */
  inbox: Event[] = [];
  lastEventId: string | undefined;
  bytes = 0;
  onEvent: (event: Event) => void = () => {};
  readonly ended: Promise<void>;
  /** The whole body, where the answer is no event stream. */
  text = "";
  #outgoing: ClientRequest;
  #read: () => void;
  #keep: boolean;
  #buffer = "";
  #waiters: { isWanted: (event: Event) => boolean; done: (event: Event) => void }[] = [];

  constructor(outgoing: ClientRequest, response: IncomingMessage, keep: boolean) {
    this.#outgoing = outgoing;
    this.#keep = keep;
    this.status = response.statusCode ?? 0;
    this.contentType = response.headers["content-type"] ?? "";
    const isStream = this.contentType.startsWith("text/event-stream");
    response.setEncoding("utf8");
    this.#read = () => {
      response.on("data", (chunk: string) => {
        this.bytes += Buffer.byteLength(chunk);
        if (isStream) this.#take(chunk);
        else this.text += chunk;
      });
    };
    this.ended = new Promise((done) => {
      response.once("close", () => done());
      response.on("error", () => done());
    });
  }

  /** Begins to read; what came before was kept. */
  begin(): void {
    this.#read();
  }

  #take(chunk: string): void {
    this.#buffer += chunk.replaceAll("\r\n", "\n");
    for (;;) {
      const end = this.#buffer.indexOf("\n\n");
      if (end < 0) return;
      const block = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 2);
      this.#event(block);
    }
  }

  #event(block: string): void {
    const data: string[] = [];
    let id: string | undefined;
    for (const line of block.split("\n")) {
      const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === "data") data.push(value ?? "");
      if (name === "id") id = value;
    }
    if (data.length === 0) return;
    if (id !== undefined) this.lastEventId = id;
    const frames = parseFrames(data.join("\n"));
    assert.equal(frames.length, 1, "an event's data is one frame (P3.8)");
    for (const frame of frames) this.#hand({ id, frame });
  }

  #hand(event: Event): void {
    this.onEvent(event);
    const at = this.#waiters.findIndex((waiter) => waiter.isWanted(event));
    if (at >= 0) this.#waiters.splice(at, 1)[0]?.done(event);
    else if (this.#keep) this.inbox.push(event);
  }

  next(type: string | ((event: Event) => boolean)): Promise<Event> {
    const isWanted = typeof type === "string" ? (e: Event) => e.frame.type === type : type;
    const at = this.inbox.findIndex(isWanted);
    const found = at < 0 ? undefined : this.inbox.splice(at, 1)[0];
    if (found !== undefined) return Promise.resolve(found);
    const coming = new Promise<Event>((done) => this.#waiters.push({ isWanted, done }));
    return within(coming, `an event ${typeof type === "string" ? type : ""}`);
  }

  cut(): void {
    this.#outgoing.destroy();
  }
}

export async function openEvents(
  server: Pick<Server, "url">,
  session: string,
  options: EventsOptions = {},
): Promise<Events> {
  const token = options.token ?? (await makeToken(options));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) query.set(name, String(value));
  if (options.by === "query") query.set("token", token);
  const opened = new Promise<Events>((done, fail) => {
    const outgoing = request(`${address(server, session, "/events")}?${query}`, {
      headers: {
        accept: "text/event-stream",
        ...(options.by === "query" ? {} : { authorization: `Bearer ${token}` }),
        ...(options.lastEventId === undefined ? {} : { "last-event-id": options.lastEventId }),
      },
    });
    outgoing.once("error", fail);
    outgoing.once("response", (response) => {
      outgoing.on("error", () => {});
      const events = new Events(outgoing, response, options.keep ?? true);
      if (options.isPaused !== true) events.begin();
      done(events);
    });
    outgoing.end();
  });
  return within(opened, "the head of an event stream");
}
