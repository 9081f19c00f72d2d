// A person in tests of askings: a page that follows the session, decides, and runs tools.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Server } from "../../../../tests/support/server.ts";
import { until } from "../../../../tests/support/wait.ts";
import { approvalsOf, type Decision, type ServerFrame, type Session } from "../../../src/index.ts";
import type { ToolCall } from "../../../src/protocol/index.ts";
import { open } from "../../support.ts";

/** A person who follows the session, and decides. */
export class Person {
  readonly frames: ServerFrame[] = [];
  readonly session: Session;

  constructor(session: Session) {
    this.session = session;
    session.on("frame", (frame) => void this.frames.push(frame));
    approvalsOf(session);
  }

  static async in(
    t: TestContext,
    server: Pick<Server, "url">,
    session: string,
    sub = "ada",
    role = "user",
  ): Promise<Person> {
    return new Person(await open(t, server, session, { sub, caps: { "*": [role] } }));
  }

  count(type: string): number {
    return this.frames.filter((frame) => frame.type === type).length;
  }

  /** The approvals that wait, once there are so many. */
  pending(count = 1) {
    const { pending } = approvalsOf(this.session);
    return until(
      () => approvalsOf(this.session).pending,
      ({ length }) => length === count,
      `${count} approvals, and not ${pending.length}`,
    );
  }

  async decide(decision: Decision, more = {}): Promise<void> {
    const [first] = await this.pending();
    await approvalsOf(this.session).decide(first?.id ?? "", decision, more);
  }

  /** The first call of a tool. */
  async called(): Promise<ToolCall> {
    const find = () => this.frames.flatMap((frame) => ("call" in frame ? [frame.call] : []))[0];
    const call = await until(find, Boolean, "a call");
    assert.ok(call);
    return call;
  }

  /** Runs a tool as one of the person's devices. */
  async runs(call: string, result: { output?: unknown; error?: unknown }): Promise<void> {
    await this.session.link.request({ type: "tool.claim", call });
    await this.session.link.request({ type: "tool.result", call, ...result });
  }

  turnIs(id: string, status: string) {
    const find = () => this.session.turns.find((turn) => turn.id === id);
    return until(find, (turn) => turn?.status === status, `turn ${id} to be ${status}`);
  }
}
