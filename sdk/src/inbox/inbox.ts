// An inbox in a page: what concerns one client, or one role, in all of its sessions (P15). Live
// lists as values that never change in place, and deciding an approval from there.

import type { DecideOptions, ShownApproval } from "../client/approvals.ts";
import { Emitter } from "../client/emitter.ts";
import { newId } from "../client/ids.ts";
import type { ConnectionStatus } from "../connection/types.ts";
import {
  type Approval,
  type ApprovalResult,
  type Decision,
  type InboxChange,
  type InboxContent,
  type InboxFrame,
  type ServerFrame,
  SessileError,
} from "../protocol/index.ts";
import { InboxConnection, type InboxOptions } from "./connection.ts";
import {
  begun,
  changed,
  grown,
  type ListName,
  type ListPage,
  type Lists,
  NOTHING,
} from "./lists.ts";

/** Creates an inbox; nothing happens until `connect`. */
export function createInbox(options: InboxOptions): Inbox {
  return new Inbox(options);
}

/** The whole state of an inbox: a new object at each change, with unchanged fields kept. */
export interface InboxSnapshot extends Omit<Lists, "approvals" | "next"> {
  /** The pending ones, the newest first. */
  readonly approvals: readonly ShownApproval[];
  /** The lists that hold more (`loadMore`). */
  readonly hasMore: { readonly [K in ListName]: boolean };
  readonly connection: ConnectionStatus;
}

export class Inbox {
  /** Where it is. */
  readonly options: InboxOptions;
  readonly #link: InboxConnection;
  readonly #events = new Emitter<{ change: undefined }>();
  /** Decisions that were not answered yet, by approval. */
  readonly #deciding = new Map<string, Decision>();
  readonly #loading = new Map<ListName, Promise<void>>();
  #lists = NOTHING;
  #snapshot: InboxSnapshot | undefined;
  #position: string | undefined;
  /** Changes that came while pages are read, which may be older than they are. */
  #early: InboxChange[] = [];

  constructor(options: InboxOptions) {
    this.options = options;
    this.#link = new InboxConnection(options, {
      position: () => this.#position,
      take: (frames) => this.#take(frames),
      changed: () => this.#changed(),
    });
  }

  /** The state of the connection. */
  get connection(): ConnectionStatus {
    return this.#link.status;
  }

  /** The whole state. The same object until something changes. */
  readonly getSnapshot = (): InboxSnapshot => {
    const { approvals, next, ...lists } = this.#lists;
    this.#snapshot ??= {
      ...lists,
      approvals: this.#deciding.size > 0 ? approvals.map((it) => this.#shown(it)) : approvals,
      hasMore: {
        sessions: "sessions" in next,
        approvals: "approvals" in next,
        work: "work" in next,
      },
      connection: this.connection,
    };
    return this.#snapshot;
  };

  /** Calls `listener` after each change, once per WebSocket message; the result unsubscribes. */
  readonly subscribe = (listener: () => void): (() => void) => this.#events.on("change", listener);

  /**
   * Connects and stays connected. Resolves when the lists are there; rejects if the SDK gives up,
   * which `connection` reports as well.
   */
  connect(): Promise<void> {
    this.#link.start();
    const connected = new Promise<void>((done, fail) => {
      const look = () => {
        const { state, error } = this.connection;
        if (state === "connected") done();
        else if (state === "closed") fail(error);
        else if (state === "idle") fail(new SessileError("session-closed", "it was closed"));
        else return;
        end();
      };
      const end = this.subscribe(look);
      look();
    });
    // A page that does not wait sees `connection`.
    connected.catch(() => {});
    return connected;
  }

  /** Disconnects. The lists stay; `connect` reconnects. */
  close(): void {
    this.#link.stop();
  }

  /** Reads one more page of a list. One request runs at a time. */
  loadMore(name: ListName): Promise<void> {
    let loading = this.#loading.get(name);
    if (!loading) {
      loading = this.#load(name).finally(() => this.#loading.delete(name));
      this.#loading.set(name, loading);
    }
    return loading;
  }

  /**
   * Decides an approval of the inbox, in its session (P8.2). It is shown as `deciding` until that
   * answers. A decision after another rejects with `already-decided`, and `info.approval` is the
   * approval as it stands.
   */
  async decide(
    { session, id }: Pick<Approval, "session" | "id">,
    decision: Decision,
    options: DecideOptions = {},
  ): Promise<Approval> {
    const path = `sessions/${session}/approvals/${encodeURIComponent(id)}/decide`;
    const body = JSON.stringify({ ...options, decision, id: newId() });
    const headers = { "content-type": "application/json" };
    const key = keyOf({ session, id });
    this.#deciding.set(key, decision);
    this.#changed();
    try {
      const init = { method: "POST", body, headers };
      const { approval } = await this.#link.fetchJson<ApprovalResult>(path, init);
      this.#settle(approval);
      return approval;
    } catch (error) {
      this.#settle((error as SessileError).info?.approval);
      throw error;
    } finally {
      this.#deciding.delete(key);
      this.#changed();
    }
  }

  /** The session may have said it before the inbox. */
  #settle(approval: Approval | undefined): void {
    if (approval)
      this.#lists = changed(this.#lists, { type: "inbox.approval", serial: "", approval });
  }

  async #load(name: ListName): Promise<void> {
    const cursor = this.#lists.next[name];
    if (cursor === undefined) return;
    const { length } = this.#early;
    const page = await this.#page(name, cursor);
    // Read anew meanwhile: the page belongs to the lists before.
    if (this.#lists.next[name] !== cursor) return;
    this.#lists = this.#early.slice(length).reduce(changed, grown(this.#lists, name, page));
    this.#changed();
  }

  /** Work has no pages: the oldest comes with everything. */
  async #page(name: ListName, cursor: string): Promise<ListPage> {
    if (name !== "work") return this.#link.page(name, cursor);
    const { work, next } = await this.#link.read<InboxContent>();
    return { work, ...(next?.work && { next: next.work }) };
  }

  #take(frames: readonly ServerFrame[]): void {
    for (const frame of frames as readonly (ServerFrame | InboxChange)[]) {
      if (frame.type === "attached") {
        const first = frame as unknown as InboxFrame;
        if (!first.resumed) this.#lists = begun(first);
      } else if (
        frame.type === "inbox.session" ||
        frame.type === "inbox.approval" ||
        frame.type === "inbox.call" ||
        frame.type === "inbox.work"
      ) {
        this.#lists = changed(this.#lists, frame);
        if (this.#loading.size > 0) this.#early.push(frame);
      } else continue;
      this.#position = frame.serial;
    }
    if (this.#loading.size === 0) this.#early = [];
    this.#changed();
  }

  #shown(approval: Approval): ShownApproval {
    const deciding = this.#deciding.get(keyOf(approval));
    return deciding ? { ...approval, deciding } : approval;
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#events.emit("change", undefined);
  }
}

function keyOf({ session, id }: Pick<Approval, "session" | "id">): string {
  return `${session}/${id}`;
}
