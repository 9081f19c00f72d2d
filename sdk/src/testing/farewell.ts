// The answers of a session layer that has stopped: a client that a test forgot would look for it
// for ever, and keep the test's process.

import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { CLOSE } from "../protocol/index.ts";

const MESSAGE = "the session layer of this test has stopped";
/** Of RFC 6455, 4.2.2. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** A close frame without a mask, of two bytes. */
const CLOSE_FRAME = [0x88, 2];

/** To a request: gone. */
export function refuseRequest(answer: ServerResponse): void {
  answer.writeHead(410, { "content-type": "application/json", connection: "close" });
  answer.end(JSON.stringify({ error: { code: "gone", status: 410, message: MESSAGE } }));
}

/** To a WebSocket the same, which it only hears once it is open. */
export function refuseSocket({ headers }: IncomingMessage, near: Socket): void {
  const key = `${headers["sec-websocket-key"]}${GUID}`;
  const accept = createHash("sha1").update(key).digest("base64");
  near.write(
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
      `sec-websocket-protocol: sessile.v1\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  near.end(Buffer.from([...CLOSE_FRAME, CLOSE.gone >> 8, CLOSE.gone & 0xff]));
}
