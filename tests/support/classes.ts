// The classes of objects as one: what a session and an inbox do alike.

import assert from "node:assert/strict";
import { type Client, type ConnectOptions, connect, open, openAt } from "./client.ts";
import { type Answer, call, field } from "./http.ts";
import type { Kind, Server } from "./server.ts";
import { within } from "./wait.ts";

export interface Class {
  kind: Kind;
  /** The name of the object that a client of this name uses. */
  object: (name: string) => string;
  /** Opens a connection and waits until everything was sent that comes by itself. */
  open: (server: Server, name: string, options?: ConnectOptions) => Promise<Client>;
  /** Opens a connection and waits for nothing. */
  begin: (server: Server, name: string, options?: ConnectOptions) => Promise<Client>;
  /** Reads all of it. */
  read: (server: Server, name: string, options?: ConnectOptions) => Promise<Answer>;
}

const session: Class = {
  kind: "session",
  object: (name) => name,
  open: (server, name, options) => connect(server, name, { sub: name, ...options }),
  begin: (server, name, options) => open(server, name, { sub: name, ...options }),
  read: (server, name, options) => call(server, name, "GET", "", { sub: name, ...options }),
};

const inbox: Class = {
  kind: "inbox",
  object: (name) => `client:${name}`,
  open: async (server, name, options) => {
    const client = await inbox.begin(server, name, options);
    const first = await client.next(() => true, "the first frame");
    assert.equal(first.type, "inbox", JSON.stringify(first));
    return client;
  },
  begin: (server, name, options) =>
    openAt(`${options?.base ?? server.url}/v1/inbox/connect`, name, { sub: name, ...options }),
  read: (server, name, options) => call(server, "", "GET", "/v1/inbox", { sub: name, ...options }),
};

export const classes: Class[] = [session, inbox];
export { inbox };

/** Where its log stands, as HTTP tells; of one with nothing in it, its epoch. */
export async function serial(one: Class, server: Server, name: string): Promise<string> {
  const answer = await one.read(server, name);
  assert.equal(answer.status, 200, answer.text);
  return String(field(answer, "serial"));
}

/** A frame that every class takes and that changes nothing. */
export async function speaks(client: Client): Promise<void> {
  assert.deepEqual(await client.ok({ type: "seen", n: 0 }), {});
}

/** A frame with which a build for tests panics: it is answered, or the connection closed. */
export function panics(client: Client, name = "sessile.fault.panic"): Promise<string> {
  const asked = client.request({ type: "signal", name, data: null });
  const told = asked.then(
    (frame) => frame.type,
    () => "closed",
  );
  return within(told, "an answer or a close", 5000);
}
