// Streaming by a plain HTTP body (P5.5): one token a chunk, written as fast as the server reads.

import { connect, type Socket as TcpSocket } from "node:net";
import { Connection, freshSession, TOKEN } from "./client.ts";
import type { Rate } from "./load.ts";
import type { Server } from "./server.ts";
import { TOKEN_CHARS, TOKEN_TEXT } from "./sides.ts";

const CHUNK = `${TOKEN_TEXT.length.toString(16)}\r\n${TOKEN_TEXT}\r\n`;
/** Tokens written between two looks at the socket's back-pressure. */
const BURST = 256;

/** A request whose body is still being produced. */
export class BodyStream {
  /** Settles with the whole answer when the server has given it. */
  readonly answer: Promise<string>;
  private readonly tcp: TcpSocket;

  constructor(server: Server, session: string) {
    this.tcp = connect({ port: server.port, host: "127.0.0.1", noDelay: true });
    this.tcp.write(
      `POST /v1/sessions/${session}/messages?stream=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
        `Authorization: Bearer ${TOKEN}\r\nContent-Type: text/plain\r\n` +
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
    );
    this.answer = new Promise((resolve, reject) => {
      let text = "";
      this.tcp.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      this.tcp.on("error", reject);
      this.tcp.on("close", () => {
        const status = text.slice(0, text.indexOf("\r\n"));
        if (/ 20[01] /.test(status)) resolve(text);
        else reject(new Error(`unable to stream a body; the server answered ${text}`));
      });
    });
  }

  /** Writes so many tokens; waits while the server is behind. */
  async write(tokens: number): Promise<void> {
    const free = this.tcp.write(CHUNK.repeat(tokens));
    if (!free) await new Promise((resolve) => this.tcp.once("drain", resolve));
  }

  end(): Promise<string> {
    this.tcp.write("0\r\n\r\n");
    return this.answer;
  }
}

/** Tokens a second from the request until its answer and until the reader holds them all. */
export async function intakeByBody(server: Server, quick: boolean): Promise<Rate> {
  const tokens = quick ? 50_000 : 180_000;
  const session = freshSession();
  const reader = await Connection.open(server, session);
  let held = 0;
  let wake = (): void => {};
  reader.onFrame = (frame) => {
    if (frame.type !== "message.append") return;
    held = (frame.offset ?? 0) + (frame.data ?? "").length;
    wake();
  };
  const cpu = process.cpuUsage();
  const serverCpu = server.cpuSeconds();
  const start = performance.now();
  const body = new BodyStream(server, session);
  for (let sent = 0; sent < tokens; sent += BURST) await body.write(Math.min(BURST, tokens - sent));
  await body.end();
  while (held < tokens * TOKEN_CHARS) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  const elapsed = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  reader.close();
  return {
    tokensPerSecond: tokens / elapsed,
    clientCpu: (used.user + used.system) / 1e6 / elapsed,
    serverCpu: (server.cpuSeconds() - serverCpu) / elapsed,
  };
}
