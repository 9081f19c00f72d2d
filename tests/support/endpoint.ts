// A back end that is called: a local HTTP server that keeps what came and answers as it is told.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "./wait.ts";

export interface Called {
  path: string;
  headers: Record<string, string>;
  body: string;
  bytes: Buffer;
}

/** Answers one call; the count begins with 1. */
export type Answering = (response: ServerResponse, called: Called, count: number) => void;

export const taken: Answering = (response) => void response.writeHead(204).end();

/** The answer of a back end that is broken. */
export const broken: Answering = (response) => void response.writeHead(500).end("broken");

/** One that never comes. */
export const silent: Answering = () => {};

export class Endpoint {
  readonly calls: Called[] = [];
  answer: Answering = taken;
  #server = createServer((request, response) => void this.#take(request, response));

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  url(path = "/hook"): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** The calls about one session. */
  about(session: string): Called[] {
    return this.calls.filter((called) => JSON.parse(called.body).session === session);
  }

  /** Waits until there were so many calls about a session. */
  async called(session: string, count: number): Promise<Called[]> {
    const calls = () => this.about(session);
    return until(calls, (all) => count <= all.length, `call ${count} about ${session}`);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const bytes = Buffer.concat(chunks);
    const called = { path: request.url ?? "", headers, body: bytes.toString("utf8"), bytes };
    this.calls.push(called);
    this.answer(response, called, this.calls.length);
  }
}
