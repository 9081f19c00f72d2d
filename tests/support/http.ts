// The protocol over plain HTTP (P12): requests with a token, answers as status and JSON.

import assert from "node:assert/strict";
import { request } from "node:http";
import { address } from "./client.ts";
import type { Message, Page, Problem } from "./frames.ts";
import { isObject } from "./frames.ts";
import type { Server } from "./server.ts";
import { makeToken, type TokenOptions } from "./token.ts";
import { within } from "./wait.ts";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON, undefined where it is none. */
  body: unknown;
}

export interface CallOptions extends TokenOptions {
  token?: string | null;
  json?: unknown;
  body?: string | Uint8Array | ReadableStream<Uint8Array>;
  type?: string;
  headers?: Record<string, string>;
}

type Target = Pick<Server, "url">;

/** `path` begins after the session, or is a whole path beginning with `/v1`. */
export async function call(
  server: Target,
  session: string,
  method: string,
  path = "",
  options: CallOptions = {},
): Promise<Answer> {
  const token = options.token === undefined ? await makeToken(options) : options.token;
  const type = options.type ?? (options.json === undefined ? undefined : "application/json");
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const init: RequestInit & { duplex?: "half" } = {
    method,
    duplex: "half",
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(type === undefined ? {} : { "content-type": type }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: body as BodyInit }),
  };
  const response = await within(
    fetch(address(server, session, path), init),
    `an answer to ${method} ${path}`,
  );
  const text = await within(response.text(), `the body of ${method} ${path}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, headers: response.headers, text, body: parsed };
}

export function field(answer: Answer, name: string): unknown {
  return isObject(answer.body) ? answer.body[name] : undefined;
}

export function problem(answer: Answer): Problem {
  const error = field(answer, "error");
  assert.ok(isObject(error), `an HTTP error is {error} (P13.2), not ${answer.text.slice(0, 300)}`);
  return error as unknown as Problem;
}

/** Checks a refusal: status, code, and that the error says the same status and something. */
export function assertRefused(answer: Answer, status: number, code: string): Problem {
  assert.equal(answer.status, status, `status of ${answer.text.slice(0, 300)}`);
  const error = problem(answer);
  assert.equal(error.code, code);
  assert.equal(error.status, status, "the error repeats its HTTP status");
  assert.ok(error.message.length > 0, "an error says what is wrong");
  return error;
}

export async function getMessage(
  server: Target,
  session: string,
  serial: string,
  options: CallOptions = {},
): Promise<Message> {
  const answer = await call(server, session, "GET", `/messages/${serial}`, options);
  assert.equal(answer.status, 200, answer.text);
  const message = field(answer, "message");
  assert.ok(isObject(message), answer.text.slice(0, 300));
  return message as unknown as Message;
}

export async function getPage(
  server: Target,
  session: string,
  query: Record<string, string | number> = {},
): Promise<Page> {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]) => [name, String(value)]),
  );
  const answer = await call(server, session, "GET", `/messages?${search}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as Page;
}

/** The whole history, oldest first. */
export async function getHistory(server: Target, session: string): Promise<Message[]> {
  const all: Message[] = [];
  let before: string | undefined;
  for (;;) {
    const page = await getPage(server, session, before === undefined ? {} : { before });
    all.unshift(...[...page.messages].reverse());
    if (!page.hasMore) return all;
    assert.ok(page.next, "a page with more says where it goes on");
    before = page.next;
  }
}

export interface BodyStream {
  write(chunk: Uint8Array | string): void;
  end(): void;
  /** Breaks the request off in the middle. */
  cut(): void;
  answer: Promise<{ status: number; text: string }>;
  /** Each piece of the answer's body as it comes. */
  onChunk: (chunk: string) => void;
}

/** A request whose body the test produces piece by piece. */
export async function streamBody(
  server: Target,
  session: string,
  path: string,
  type: string,
  options: TokenOptions = {},
): Promise<BodyStream> {
  const token = await makeToken(options);
  const outgoing = request(address(server, session, path), {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": type,
      "transfer-encoding": "chunked",
    },
  });
  outgoing.setNoDelay(true);
  outgoing.flushHeaders();
  let onChunk: (chunk: string) => void = () => {};
  const answer = new Promise<{ status: number; text: string }>((done, fail) => {
    outgoing.once("error", fail);
    outgoing.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        onChunk(chunk);
      });
      response.on("error", fail);
      response.on("end", () => done({ status: response.statusCode ?? 0, text }));
    });
  });
  answer.catch(() => {});
  return {
    write: (chunk) => void outgoing.write(chunk),
    end: () => void outgoing.end(),
    cut: () => void outgoing.destroy(),
    answer,
    set onChunk(listener) {
      onChunk = listener;
    },
    get onChunk() {
      return onChunk;
    },
  };
}
