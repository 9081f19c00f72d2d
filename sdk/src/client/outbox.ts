// Unacknowledged messages, kept where they survive a reload. A module of its own: a page that does
// not use it does not ship it.

import { subjectOf } from "../connection/token.ts";
import type { NewMessage } from "../protocol/index.ts";

/** A message that waits to be sent. */
export interface StoredMessage {
  /** Its session: the whole address. */
  address: string;
  /** The client that wrote it, the only one that may send it. */
  client: string;
  message: NewMessage & { id: string };
  interrupt?: true | string;
  /** When it was written; no two of a client at once. */
  writtenAt: number;
}

/**
 * Storage of messages until their session takes them. Nothing in it rejects: sending continues
 * without it.
 */
export interface Outbox {
  /** The messages that this client wrote for a session; the oldest first. */
  load(address: string, client: string): Promise<StoredMessage[]>;
  put(stored: StoredMessage): unknown;
  remove(address: string, id: string): unknown;
  /** Names the token's client, so that messages written offline are kept for it. */
  clientOf?(token: string): string | undefined;
}

export interface IndexedDbOptions {
  /** The database's name. */
  database?: string;
  /** Called when something could not be kept, as in a private window or on a full disk. */
  onError?: (error: unknown) => void;
}

const STORE = "messages";

/**
 * An outbox in IndexedDB. Every tab of the origin may use it at once: a message that two of them
 * send arrives once, by its id.
 */
export function indexedDbOutbox(options: IndexedDbOptions = {}): Outbox {
  const { database = "sessile-outbox", onError = console.warn } = options;
  let opening: Promise<IDBDatabase> | undefined;

  function open(): Promise<IDBDatabase> {
    opening ??= new Promise<IDBDatabase>((done, fail) => {
      const request = indexedDB.open(database, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(STORE, { keyPath: ["address", "message.id"] });
      };
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error);
    });
    return opening;
  }

  async function run<T>(
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T | undefined> {
    try {
      const transaction = (await open()).transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      // The page may be about to close.
      transaction.commit();
      return await new Promise((done, fail) => {
        transaction.oncomplete = () => done(request.result);
        transaction.onabort = () => fail(transaction.error);
      });
    } catch (error) {
      onError(error);
      return undefined;
    }
  }

  return {
    async load(address, client) {
      const range = IDBKeyRange.bound([address], [address, []]);
      const found: StoredMessage[] = (await run("readonly", (it) => it.getAll(range))) ?? [];
      const own = found.filter((stored) => stored.client === client);
      // An earlier release kept messages without a provable author.
      for (const stored of found) if (!stored.client) this.remove(address, stored.message.id);
      return own.sort((a, b) => a.writtenAt - b.writtenAt);
    },
    clientOf: subjectOf,
    put: (stored) => run("readwrite", (store) => store.put(stored)),
    remove: (address, id) => run("readwrite", (store) => store.delete([address, id])),
  };
}
