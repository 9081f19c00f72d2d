// The questions of turns, settled ones too: a page shows what was decided before the agent, which
// may be away, says so in its turn.

import {
  type Approval,
  type AttachedFrame,
  isOpen,
  questionId,
  type ServerFrame,
  type SessileError,
} from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import type { Session } from "./session.ts";

/** The questions of a session's turns. */
export function questionsOf(session: Session): QuestionsFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new QuestionsFeature(engine);
const PATH = "approvals?status=all&limit=100";

export class QuestionsFeature implements Feature {
  /** By their ids; a new map at each change. */
  value: ReadonlyMap<string, Approval> = new Map();
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
    if (engine.link.attached) this.#read();
  }

  /** Decides on what a message of a turn asks; says no where the session was not asked it. */
  async decide(serial: string, approved: boolean, comment?: string): Promise<boolean> {
    const approval = questionId(serial);
    try {
      await this.#engine.link.request({
        ...{ type: "approval.decide", approval, decision: approved ? "approve" : "reject" },
        // Once, however often a page says it.
        id: `decide:${approval}`,
        ...(comment !== undefined && { comment }),
      });
    } catch (error) {
      const { code } = error as SessileError;
      if (code === "not-found") return false;
      // Somebody else was first, and that is what is shown.
      if (code !== "already-decided") throw error;
    }
    return true;
  }

  attached({ turns }: AttachedFrame): void {
    if (!turns || turns.some((turn) => isOpen(turn) && turn.status !== "active")) this.#read();
  }

  take(frame: ServerFrame): void {
    if ("approval" in frame) this.#put([frame.approval]);
  }

  #read(): void {
    readList<{ approvals: Approval[] }>(this.#engine, PATH, ({ approvals }) => {
      this.#put(approvals.filter(({ id, version }) => !(version < this.#version(id))));
    });
  }

  #version(id: string): string {
    return this.value.get(id)?.version ?? "";
  }

  #put(approvals: readonly Approval[]): void {
    this.value = new Map([...this.value, ...approvals.map((it) => [it.id, it] as const)]);
  }
}
