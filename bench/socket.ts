// A WebSocket client that costs next to nothing, so that the load generator is never what is
// measured: no masking work (a zero key is legal), no compression offered, one socket write per
// turn of the event loop, payloads handed on unparsed.

import { randomBytes } from "node:crypto";
import { connect, type Socket as TcpSocket } from "node:net";

const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/** Header with a zero masking key for a payload of this many bytes. */
function header(opcode: number, bytes: number): Buffer {
  if (bytes < 126) return Buffer.from([0x80 | opcode, 0x80 | bytes, 0, 0, 0, 0]);
  if (bytes < 65536) {
    return Buffer.from([0x80 | opcode, 0xfe, bytes >> 8, bytes & 255, 0, 0, 0, 0]);
  }
  const head = Buffer.alloc(14);
  head[0] = 0x80 | opcode;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(bytes), 2);
  return head;
}

export class Socket {
  /** Bytes of all payloads received. */
  received = 0;
  onMessage: (payload: Buffer, at: number) => void = () => {};
  onClose: (code: number) => void = () => {};
  private readonly tcp: TcpSocket;
  private out: Buffer = Buffer.allocUnsafe(1 << 16);
  private used = 0;
  private parts: Buffer[] = [];
  private have = 0;
  private need = 2;
  private code = 1006;

  private constructor(tcp: TcpSocket) {
    this.tcp = tcp;
    tcp.on("data", (chunk: Buffer) => this.take(chunk));
    tcp.on("error", () => tcp.destroy());
    tcp.on("close", () => this.onClose(this.code));
  }

  /** Opens a WebSocket; rejects with the answer's first line if it is not 101. */
  static open(port: number, path: string, headers: Record<string, string>): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const tcp = connect({ port, host: "127.0.0.1", noDelay: true });
      let head = Buffer.alloc(0);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      tcp.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
          `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
          `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n${lines.join("")}\r\n`,
      );
      const read = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        tcp.off("data", read);
        tcp.off("error", reject);
        const status = head.subarray(0, head.indexOf("\r\n")).toString();
        if (!status.includes(" 101 ")) {
          tcp.destroy();
          reject(new Error(`unable to open ${path}; the server answered ${status}`));
          return;
        }
        // Nothing more is read until the caller has set its handlers.
        tcp.pause();
        tcp.unshift(head.subarray(end + 4));
        resolve(new Socket(tcp));
        setImmediate(() => tcp.resume());
      };
      tcp.on("data", read);
      tcp.on("error", reject);
    });
  }

  /** Queues one text message; all that is queued in one turn goes out as one write. */
  send(text: string): void {
    this.queue(TEXT, text);
  }

  close(): void {
    this.tcp.destroy();
  }

  private queue(opcode: number, text: string): void {
    const bytes = Buffer.byteLength(text);
    const head = header(opcode, bytes);
    const total = head.length + bytes;
    if (this.used === 0) setImmediate(() => this.flush());
    if (this.used + total > this.out.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.out.length * 2, this.used + total));
      this.out.copy(grown, 0, 0, this.used);
      this.out = grown;
    }
    this.used += head.copy(this.out, this.used);
    this.used += this.out.write(text, this.used);
  }

  /** Sends what is queued now rather than at the end of the turn. */
  flush(): void {
    if (this.used === 0) return;
    if (!this.tcp.destroyed) this.tcp.write(Buffer.from(this.out.subarray(0, this.used)));
    this.used = 0;
  }

  private take(chunk: Buffer): void {
    this.parts.push(chunk);
    this.have += chunk.length;
    if (this.have < this.need) return;
    const at = performance.now();
    const all = this.parts.length === 1 ? chunk : Buffer.concat(this.parts, this.have);
    const rest = this.frames(all, at);
    this.parts = rest.length > 0 ? [rest] : [];
    this.have = rest.length;
  }

  /** Hands on every whole frame and returns what is left over. */
  private frames(all: Buffer, at: number): Buffer {
    let start = 0;
    for (;;) {
      const left = all.length - start;
      this.need = 2;
      if (left < 2) break;
      let length = (all[start + 1] ?? 0) & 127;
      let head = 2;
      if (length >= 126) {
        head = length === 126 ? 4 : 10;
        this.need = head;
        if (left < head) break;
        length = head === 4 ? all.readUInt16BE(start + 2) : Number(all.readBigUInt64BE(start + 2));
      }
      this.need = head + length;
      if (left < this.need) break;
      const payload = all.subarray(start + head, start + head + length);
      this.deliver((all[start] ?? 0) & 15, payload, at);
      start += head + length;
    }
    return all.subarray(start);
  }

  private deliver(opcode: number, payload: Buffer, at: number): void {
    if (opcode === TEXT) {
      this.received += payload.length;
      this.onMessage(payload, at);
    } else if (opcode === PING) {
      this.queue(PONG, payload.toString());
    } else if (opcode === CLOSE) {
      this.code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.tcp.end();
    }
  }
}
