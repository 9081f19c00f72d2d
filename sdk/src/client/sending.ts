// Messages that are sent and not in the log yet: shown at once, and sent until acknowledged, in the
// order of writing (P13.1).

import type { Link } from "../connection/types.ts";
import {
  type ErrorCode,
  type Message,
  type NewMessage,
  type Placed,
  SessileError,
  toJson,
} from "../protocol/index.ts";
import type { Outbox, StoredMessage } from "./outbox.ts";

/** The state of a message sent by this client; one in the log is `sent`. */
export type Delivery = "pending" | "failed";

/**
 * A message as shown. One that is not in the log yet has a `delivery`, and a serial that begins
 * with `~`; its `id` stays the same.
 */
export interface ShownMessage extends Message {
  delivery?: Delivery;
  /** The reason of a failure. */
  error?: SessileError | undefined;
}

/** Resolves when the message is in the log; the `id` is there at once. */
export type Sent = Promise<Placed> & { readonly id: string };

interface Item {
  /** A message as kept over a reload. */
  stored: StoredMessage;
  shown: ShownMessage;
  /** Sent alone, since its batch was refused. */
  isAlone: boolean;
  done(placed: Placed): void;
  fail(error: SessileError): void;
}

const RETRY_MS = 1_000;
const RETRIES = 5;
/** The length of one publish, in characters. */
const BATCH_LENGTH = 64 * 1024;

export interface SendingOptions {
  link: Pick<Link, "address" | "attached" | "request" | "limits">;
  outbox: Outbox | undefined;
  most: number;
  /** `shown` has changed. */
  changed(): void;
  /** The log on show. */
  log(): { readonly messages: readonly Message[] };
}

export class Sending {
  /** The messages that are not in the log yet, in order; a new array at each change. */
  shown: readonly ShownMessage[] = [];
  /** The id of this client; `""` until known. */
  client = "";
  readonly #options: SendingOptions;
  #items: Item[] = [];
  #count = 0;
  /** When the newest message was written; no two at once. */
  #newest = 0;
  #retries = 0;
  #isSending = false;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /**
   * The client is known. Messages that this page wrote before that are the client's, as are those
   * from before a reload; another client's wait in the outbox for it.
   */
  begin(client: string): void {
    if (client && client !== this.client) {
      this.client = client;
      for (const item of this.#items) {
        const wrote = item.stored.client;
        if (!wrote) {
          item.stored = { ...item.stored, client };
          item.shown = { ...item.shown, client };
          this.#options.outbox?.put(item.stored);
        } else if (wrote !== client) {
          this.#items = this.#items.filter((it) => it !== item);
          const text = `unable to send as ${client}; ${wrote} wrote it`;
          item.fail(new SessileError("disconnected", text));
        }
      }
      this.#show();
      this.restore();
    }
    this.flush();
  }

  /** Takes a message; it is sent as soon as earlier ones are in the log. */
  add(given: NewMessage & { id: string }, interrupt?: true | string): Sent {
    const { link, most, outbox } = this.#options;
    const refuse = (code: ErrorCode, why: string, cause?: unknown) => {
      const error = new SessileError(code, `unable to send; ${why}`, undefined, cause);
      return sent(Promise.reject(error), given.id);
    };
    let message: StoredMessage["message"];
    try {
      // The message shown is the one that will be in the log.
      message = JSON.parse(toJson(given));
    } catch (cause) {
      return refuse("invalid-frame", `the message cannot be JSON: ${cause}`, cause);
    }
    if (this.#items.length >= most) {
      return refuse("over-limit", `${most} messages wait for the session already: try later`);
    }
    // The outbox is read in this order.
    const writtenAt = Math.max(Date.now(), this.#newest + 1);
    const { client } = this;
    const more = interrupt && { interrupt };
    const stored = { address: link.address, client, message, writtenAt, ...more };
    // Without a client's name it could not be told from another client's.
    if (client) outbox?.put(stored);
    return this.#push(stored);
  }

  /**
   * Takes the client's messages from before a reload; those of other clients stay in the outbox.
   */
  async restore(): Promise<void> {
    const { link, outbox } = this.#options;
    const { client } = this;
    for (const stored of (await outbox?.load(link.address, client)) ?? []) {
      const isOwn = stored.client === client && client === this.client;
      if (isOwn && !this.#find(stored.message.id)) this.#push(stored);
    }
    // Acknowledgements are slower than the log.
    this.arrived(this.#options.log().messages);
  }

  /** Sends waiting messages; called whenever the connection is attached. */
  async flush(): Promise<void> {
    // The attached client may differ from the author of the waiting messages.
    const { client = this.client } = this.#options.link.attached ?? {};
    if (this.#isSending || client !== this.client) return;
    const batch = this.#next();
    const [first] = batch;
    if (!first) return;
    this.#isSending = true;
    const messages = batch.map(({ stored }) => stored.message);
    const { interrupt } = first.stored;
    const frame = { type: "publish", messages, ...(interrupt && { interrupt }) } as const;
    let isGoingOn = true;
    try {
      const result = await this.#options.link.request(frame, { once: true });
      this.#retries = 0;
      for (const [index, item] of batch.entries()) {
        this.#settle(item, result.messages[index] as Placed);
      }
      this.#show();
    } catch (error) {
      isGoingOn = await this.#take(batch, error as SessileError);
    }
    this.#isSending = false;
    if (isGoingOn) this.flush();
  }

  /** These messages are in the log: they wait no longer. */
  arrived(messages: readonly Message[]): void {
    if (this.#items.length === 0) return;
    for (const { id, client, serial, version } of messages) {
      const item = client === this.client && this.#find(id);
      if (item && id) this.#settle(item, { id, serial, version });
    }
    if (this.shown.length !== this.#items.length) this.#show();
  }

  /** Sends a failed message once more. */
  retry(id: string): void {
    const item = this.#find(id);
    if (!item) return;
    item.shown = { ...item.shown, delivery: "pending", error: undefined };
    this.#show();
    this.flush();
  }

  /** Takes back a message that is not in the log; returns whether it was still here. */
  discard(id: string): boolean {
    const item = this.#find(id);
    if (!item) return false;
    this.#drop(item);
    this.#show();
    item.fail(new SessileError("discarded", "the message was taken back"));
    return true;
  }

  /** The session was given up: every waiting message has failed. */
  failAll(error: SessileError): void {
    for (const item of this.#items) this.#fail(item, error);
    this.#show();
  }

  /** The messages that go out together: all or none are published (P4.2). */
  #next(): Item[] {
    const waiting = this.#items.filter(({ shown }) => shown.delivery === "pending");
    const batch: Item[] = [];
    let length = 0;
    for (const item of waiting) {
      const isAlone = item.isAlone || item.stored.interrupt !== undefined;
      length += JSON.stringify(item.stored.message).length;
      const isFull =
        length > BATCH_LENGTH || batch.length >= this.#options.link.limits.publishMessages;
      if (batch.length > 0 && (isAlone || isFull)) break;
      batch.push(item);
      if (isAlone) break;
    }
    return batch;
  }

  /** Returns whether to continue with the next messages, once it is time. */
  async #take(batch: readonly Item[], error: SessileError): Promise<boolean> {
    // It may have arrived, and is resent with the next connection.
    if (error.code === "disconnected" || error.code === "session-closed") return false;
    const isPassing = error.code === "rate-limited" || error.code === "internal";
    if (isPassing && this.#retries < RETRIES) {
      this.#retries += 1;
      const pause = error.info?.retryAfterMs ?? RETRY_MS * this.#retries;
      await new Promise((done) => setTimeout(done, pause));
      return true;
    }
    for (const item of batch) {
      if (batch.length > 1) item.isAlone = true;
      else {
        this.#fail(item, error);
        // A reload would not make it smaller.
        if (error.code === "too-large") this.#unstore(item);
      }
    }
    this.#show();
    return true;
  }

  #find(id: string | undefined): Item | undefined {
    return this.#items.find(({ stored }) => stored.message.id === id);
  }

  #push(stored: StoredMessage): Sent {
    const { client, message, writtenAt } = stored;
    this.#newest = Math.max(this.#newest, writtenAt);
    this.#count += 1;
    const serial = `~${String(this.#count).padStart(8, "0")}`;
    const shown: ShownMessage = {
      role: "user",
      name: "message",
      ...message,
      serial,
      version: serial,
      client,
      createdAt: writtenAt,
      updatedAt: writtenAt,
      delivery: "pending",
    };
    const promise = new Promise<Placed>((done, fail) => {
      this.#items.push({ stored, shown, isAlone: false, done, fail });
    });
    this.#show();
    this.flush();
    return sent(promise, message.id);
  }

  #settle(item: Item, placed: Placed): void {
    this.#drop(item);
    item.done(placed);
  }

  #fail(item: Item, error: SessileError): void {
    item.shown = { ...item.shown, delivery: "failed", error };
    item.fail(error);
  }

  #drop(item: Item): void {
    this.#items = this.#items.filter((it) => it !== item);
    this.#unstore(item);
  }

  #unstore({ stored }: Item): void {
    this.#options.outbox?.remove(stored.address, stored.message.id);
  }

  #show(): void {
    this.shown = this.#items.map(({ shown }) => shown);
    this.#options.changed();
  }
}

function sent(promise: Promise<Placed>, id: string): Sent {
  // A page that ignores the promise sees `delivery`.
  promise.catch(() => {});
  return Object.assign(promise, { id });
}
