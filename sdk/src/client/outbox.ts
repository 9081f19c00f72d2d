// Messages that were not acknowledged yet, kept where they survive a reload. A module of its own:
// who does not use it does not ship it.

import type { NewMessage } from "../protocol/index.ts";

/** A message that waits to be sent. */
export interface StoredMessage {
  /** The session that it is for: its whole address. */
  address: string;
  /** Who wrote it; `""` if that was not known yet. */
  client: string;
  message: NewMessage & { id: string };
  interrupt?: true | string;
  writtenAt: number;
}

/** Where messages wait for their session. */
export interface Outbox {
  /** What waits for a session, the oldest first. */
  load(address: string): Promise<StoredMessage[]>;
  put(stored: StoredMessage): Promise<void>;
  remove(address: string, id: string): Promise<void>;
}

const STORE = "messages";

/**
 * An outbox in IndexedDB. Every tab of the origin may use it at once: a message that two of them
 * send arrives once, by its id.
 */
export function indexedDbOutbox(database = "sessile-outbox"): Outbox {
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
  ): Promise<T> {
    const transaction = (await open()).transaction(STORE, mode);
    const request = act(transaction.objectStore(STORE));
    return new Promise((done, fail) => {
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = () => fail(transaction.error);
    });
  }

  return {
    async load(address) {
      const range = IDBKeyRange.bound([address], [address, []]);
      const found: StoredMessage[] = await run("readonly", (store) => store.getAll(range));
      return found.sort((a, b) => a.writtenAt - b.writtenAt);
    },
    async put(stored) {
      await run("readwrite", (store) => store.put(stored));
    },
    async remove(address, id) {
      await run("readwrite", (store) => store.delete([address, id]));
    },
  };
}
