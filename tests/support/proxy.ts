// A TCP proxy between a client that cannot be cut and the Worker: it cuts, delays and stalls.

import {
  type AddressInfo,
  connect,
  createServer,
  type Socket,
  type Server as TcpServer,
} from "node:net";

interface Pair {
  near: Socket;
  far: Socket;
}

/** Node keeps a socket for good, and cannot exit, that is reset while it connects or ends. */
function reset(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

export class CuttingProxy {
  readonly #server: TcpServer;
  readonly #pairs = new Set<Pair>();
  #isRefusing = false;
  #delayMs = 0;
  #cuts: number[] = [];
  /** Connections that were cut by the bytes that they had brought. */
  cutShort = 0;

  private constructor(server: TcpServer) {
    this.#server = server;
  }

  static async start(port: number): Promise<CuttingProxy> {
    const server = createServer();
    const proxy = new CuttingProxy(server);
    server.on("connection", (near) => proxy.#join(near, port));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get open(): number {
    return this.#pairs.size;
  }

  #join(near: Socket, port: number): void {
    if (this.#isRefusing) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    const pair = { near, far };
    this.#pairs.add(pair);
    const pass = (from: Socket, to: Socket) =>
      from.on("data", (chunk) => {
        if (this.#delayMs === 0) to.write(chunk);
        else setTimeout(() => to.destroyed || to.write(chunk), this.#delayMs);
      });
    pass(near, far);
    pass(far, near);
    const cutAt = this.#cuts.shift();
    let passed = 0;
    far.on("data", (chunk) => {
      passed += chunk.length;
      if (cutAt === undefined || passed < cutAt) return;
      if (this.#pairs.delete(pair)) this.cutShort += 1;
      // Bytes already passed arrive before the end.
      near.end();
      reset(far);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.setNoDelay(true);
      one.on("error", () => {});
      one.on("end", () => other.end());
      one.on("close", () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  /** Every connection is gone, and no side was told: resets, no close frames. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      reset(near);
      reset(far);
    }
  }

  /** No network: what is open is cut, and nothing new gets through. */
  unplug(): void {
    this.#isRefusing = true;
    this.cut();
  }

  plug(): void {
    this.#isRefusing = false;
  }

  /** The next connections are cut, each after so many bytes from the Worker. */
  cutAfter(...bytes: number[]): void {
    this.#cuts = bytes;
  }

  /** Everything that passes from now on comes so much later; order is kept. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Reads no more from the Worker: its sends pile up. */
  stall(): void {
    for (const { far } of this.#pairs) far.pause();
  }

  unstall(): void {
    for (const { far } of this.#pairs) far.resume();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}
