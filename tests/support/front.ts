// The pages of `site/` in front of a server of the tests, as the platform serves them: with their
// headers and rewrites, and everything below `/v1` passed on, WebSockets too.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { extname, join, normalize } from "node:path";
import { ROOT, type Server } from "./server.ts";

const SITE = join(ROOT, "site");
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};

export class Front {
  readonly #server: Pick<Server, "port">;
  readonly #http = createServer((asked, answer) => this.#serve(asked, answer));
  readonly #headers = headersOf(readFileSync(join(ROOT, "pages/_headers"), "utf8"));
  readonly #sockets = new Set<Socket>();
  /** Nothing is passed on: as without a network. */
  isOffline = false;
  /** Requests that were passed on, as their paths with queries. */
  readonly asked: string[] = [];

  private constructor(server: Pick<Server, "port">) {
    this.#server = server;
    this.#http.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#http.on("upgrade", (asked, socket: Socket) => this.#link(asked, socket));
  }

  /** Builds the pages and serves them. */
  static async start(server: Pick<Server, "port">): Promise<Front> {
    execFileSync(process.execPath, [join(ROOT, "scripts/site.mjs")]);
    const front = new Front(server);
    await new Promise<void>((done) => front.#http.listen(0, "127.0.0.1", done));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Ends what is open; what comes is refused until `goOnline`. */
  goOffline(): void {
    this.isOffline = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  goOnline(): void {
    this.isOffline = false;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#http.close();
  }

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    const url = asked.url ?? "/";
    if (this.isOffline) asked.socket.destroy();
    else if (url.startsWith("/v1")) this.#pass(asked, answer);
    else this.#page(new URL(url, "http://localhost").pathname, answer);
  }

  #page(pathname: string, answer: ServerResponse): void {
    const name = pathname === "/" ? "/index" : pathname.replace(/^\/inspect\/.*/, "/inspect");
    const path = join(SITE, normalize(extname(name) === "" ? `${name}.html` : name));
    if (!existsSync(path)) return void answer.writeHead(404).end();
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    const body = readFileSync(path);
    answer.writeHead(200, { ...this.#headers, "content-type": type }).end(body);
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { url: path, method, headers } = asked;
    this.asked.push(path ?? "");
    const outgoing = request({ host: "127.0.0.1", port: this.#server.port, path, method, headers });
    outgoing.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    asked.pipe(outgoing);
  }

  #link(asked: IncomingMessage, near: Socket): void {
    if (this.isOffline) return void near.destroy();
    const far = connect(this.#server.port, "127.0.0.1");
    const lines = asked.rawHeaders.flatMap((name, at, all) =>
      at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [],
    );
    far.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  }
}

/** The headers of every page. */
function headersOf(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => /^\s+\S+:/.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const [name = "", ...rest] = line.split(":");
      return [name.trim(), rest.join(":").trim()];
    }),
  );
}
