// The connection of an inbox: the machine of a session's, at another address (P15.2).

import { readJson } from "../connection/http.ts";
import { SocketConnection } from "../connection/over-socket.ts";
import type { ConnectionOptions, Owner, ReadInit } from "../connection/types.ts";
import type { InboxFrame, ServerFrame } from "../protocol/index.ts";

/** The address of an inbox, and the way to connect. */
export interface InboxOptions
  extends Omit<ConnectionOptions, "session" | "rewind" | "rollup" | "names"> {
  /** Only the inbox of this role of the token; by default the client's own and its role's. */
  role?: string;
}

export class InboxConnection extends SocketConnection {
  override readonly address: string;
  readonly #role: string;
  readonly #root: string;

  constructor({ role, ...options }: InboxOptions, owner: Owner) {
    super({ ...options, session: "inbox" }, owner);
    this.#role = role ? `role=${encodeURIComponent(role)}` : "";
    this.#root = `${options.url.replace(/\/+$/, "")}/v1`;
    this.address = `${this.#root}/inbox`;
  }

  /** Reads the inbox: a connection that cannot be opened asks why. */
  override read<T>(): Promise<T> {
    return this.fetchJson(`inbox?${this.#role}`);
  }

  /** Reads a list of this inbox, or writes to a session; `path` is relative to `/v1/`. */
  fetchJson<T>(path: string, init?: ReadInit): Promise<T> {
    return readJson<T>(`${this.#root}/${path}`, this.tokens, this.fetch, init);
  }

  /** A page of a list. */
  page<T>(list: string, cursor: string): Promise<T> {
    return this.fetchJson(`${list}?cursor=${encodeURIComponent(cursor)}&${this.#role}`);
  }

  protected override query(): string {
    const since = this.owner.position();
    return [this.#role, since && `since=${encodeURIComponent(since)}`].filter(Boolean).join("&");
  }

  /** To the machine the first frame of an inbox is that of a session, with nothing to replay. */
  protected override hear(frames: readonly (ServerFrame | InboxFrame)[]): void {
    super.hear(
      frames.flatMap((frame): ServerFrame[] => {
        if (frame.type !== "inbox") return [frame];
        const { serial } = frame;
        const attached = { ...frame, type: "attached" } as unknown as ServerFrame;
        return [attached, { type: "caught-up", serial }];
      }),
    );
  }
}
