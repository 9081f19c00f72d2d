// Messages an agent hears as inputs, over lost connections and logs that begin anew (P3.5, P3.6).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type AgentOptions,
  createAgentSession,
  type Message,
  type StartOptions,
} from "../../src/agent/index.ts";
import type { Wire } from "../../src/agent/link.ts";
import type { ConnectionOptions, Owner } from "../../src/connection/types.ts";
import type { ServerFrame } from "../../src/index.ts";

class Session {
  options: ConnectionOptions | undefined;
  owner: Owner | undefined;
  readonly heard: [unknown, StartOptions][] = [];

  constructor(options: Partial<AgentOptions> = {}) {
    createAgentSession({
      url: "https://example.com",
      session: "s",
      token: "a.b.c",
      link: (made, owner) => {
        this.options = made;
        this.owner = owner;
        const wire = { options: made, status: { state: "idle" }, start: () => {}, stop: () => {} };
        return wire as unknown as Wire;
      },
      onInput: ({ data }, start) => this.heard.push([data, start]),
      ...options,
    });
  }

  hear(...frames: object[]): void {
    this.owner?.take(frames as ServerFrame[]);
  }

  /** Attaches and replays. */
  attach(resumed: boolean, replay: object[] = [], serial = "9"): void {
    this.hear({ type: "attached", resumed, serial, turns: [] });
    this.hear(...replay, { type: "caught-up", serial });
  }

  get texts(): unknown[] {
    return this.heard.map(([data]) => data);
  }
}

let clock = 1_000;

function created(data: unknown, more: Partial<Message> = {}): object {
  clock += 1;
  const serial = String(clock);
  const times = { createdAt: clock, updatedAt: clock };
  const message = { serial, version: serial, name: "message", role: "user", ...times, data };
  return { type: "message.create", message: { ...message, ...more } };
}

describe("an agent hears inputs", () => {
  test("P3.6 not what was there before it came, nor again", () => {
    const session = new Session();
    session.attach(false, [created("long ago")]);
    const now = created("now");
    session.hear(now);
    assert.deepEqual(session.texts, ["now"]);
    session.owner?.lost?.();
    session.attach(true, [created("while it was away")]);
    assert.deepEqual(session.texts, ["now", "while it was away"]);
  });

  test("P3.5 once each, though the replay is cut and comes again", () => {
    const session = new Session();
    session.attach(false);
    const missed = [created("one"), created("two")];
    session.hear({ type: "attached", resumed: true, serial: "9", turns: [] });
    session.hear(missed[0] ?? {});
    session.attach(true, missed);
    assert.deepEqual(session.texts, ["one", "two"]);
  });

  test("P1.2, P3.6 all that comes in a session that was empty, though its log began anew", () => {
    const session = new Session();
    assert.equal(session.owner?.rewind?.(), undefined);
    session.attach(false);
    assert.equal(session.owner?.rewind?.(), 1000, "what is new is among the newest");
    session.attach(false, [created("first"), created("second")]);
    assert.deepEqual(session.texts, ["first", "second"]);
    session.hear(created("third"));
    assert.deepEqual(session.texts, ["first", "second", "third"]);
  });

  test("P3.6 what is new in a log that could not be resumed, and nothing of before", () => {
    const session = new Session();
    const [old, known, fresh] = [created("old"), created("known"), created("fresh")];
    session.attach(false, [old]);
    session.hear(known);
    session.attach(false, [old, known, fresh]);
    assert.deepEqual(session.texts, ["known", "fresh"]);
    session.attach(false, [old, known, fresh]);
    assert.deepEqual(session.texts, ["known", "fresh"]);
  });

  test("that pages publish: messages, regenerations, outputs and approvals of calls", () => {
    const session = new Session();
    assert.deepEqual(session.options?.names, [
      ...["message", "regenerate", "tool-output", "tool-approval"],
      "steer",
    ]);
    session.attach(false);
    session.hear(created("again", { serial: "A", name: "regenerate", parent: "P" }));
    session.hear(
      created("part", { serial: "B", name: "tool-output", headers: { more: "true", call: "C" } }),
      created("whole", { serial: "D", name: "tool-output", headers: { call: "C" } }),
    );
    session.hear(created({ approved: true }, { serial: "E", name: "tool-approval" }));
    session.hear(created("its own", { name: "tool-output", role: "tool", turn: "t" }));
    assert.deepEqual(session.heard, [
      ["again", { input: "P", again: true, id: "again-A" }],
      ["whole", { input: "D" }],
      [{ approved: true }, { input: "E" }],
    ]);
  });

  test("of no name by itself if it does not ask to hear any", () => {
    const options = new Session({ onInput: undefined as never }).options;
    assert.deepEqual(options?.names, ["steer"]);
  });
});
