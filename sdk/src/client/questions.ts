// The questions that messages of turns ask, settled ones too: a page shows what came of them before
// the agent, which may be away, says so in its turn.

import {
  type Approval,
  type AttachedFrame,
  type ClientFrame,
  isOpen,
  questionId,
  type ServerFrame,
  type SessileError,
  type ToolCall,
} from "../protocol/index.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";

/** A question to a person, or a call of a tool of a device. */
export type Question = Approval | ToolCall;

/** The questions of a session's turns. */
export function questionsOf(session: Session): QuestionsFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new QuestionsFeature(engine);
const QUERY = "?status=all&limit=100";
/** Refusals that say that somebody else was first: what came of it is what is shown. */
const LATE = /^(already-decided|already-settled|claimed|conflict)$/;

export class QuestionsFeature implements Feature {
  /** By their ids; a new map at each change. */
  value: ReadonlyMap<string, Question> = new Map();
  readonly #engine: Engine;
  /** The claims of this page, by the ids of their calls. */
  readonly #claims = new Map<string, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
    if (engine.link.attached) this.#read();
  }

  /** Decides on what a message asks; says no where the session was not asked it. */
  decide(serial: string, approved: boolean, comment?: string): Promise<boolean> {
    const approval = questionId(serial);
    // Its id: once, however often a page says it.
    const head = { type: "approval.decide", id: `decide:${approval}`, approval } as const;
    const decision = approved ? "approve" : "reject";
    return this.#say({ ...head, decision, ...(comment !== undefined && { comment }) });
  }

  /** Says what came of a message's call; no where the session does not have that call. */
  async settle(serial: string, result: { output?: unknown; error?: unknown }): Promise<boolean> {
    const call = questionId(serial);
    if (!this.#claims.has(call)) {
      // Another device of this client may have claimed it, which gives way to a person.
      const { claim } = (this.value.get(call) ?? {}) as Partial<ToolCall>;
      const isOurs = claim?.client === this.#engine.link.attached?.client;
      if (!(await this.#claim(call, (isOurs && claim?.id) || newId()))) return false;
    }
    return this.#say({ type: "tool.result", id: `result:${call}`, call, ...result });
  }

  /** Takes a call for this page alone; says whether it has it. */
  async claim(call: string): Promise<boolean> {
    await this.#claim(call, newId()).catch(() => {});
    return this.#claims.has(call);
  }

  attached({ turns, approvals = [], calls = [] }: AttachedFrame): void {
    this.#put([...approvals, ...calls]);
    // A claim goes with its connection, unless it is moved to the next one.
    for (const [call, id] of this.#claims)
      this.#say({ type: "tool.claim", call, id }).catch(() => {});
    if (!turns || turns.some((turn) => isOpen(turn) && turn.status !== "active")) this.#read();
  }

  take(frame: ServerFrame): void {
    if ("approval" in frame) this.#put([frame.approval]);
    else if ("call" in frame) {
      if (frame.call.status !== "pending") this.#claims.delete(frame.call.id);
      this.#put([frame.call]);
    }
  }

  async #claim(call: string, id: string): Promise<boolean> {
    const isKnown = await this.#say({ type: "tool.claim", call, id }, () =>
      this.#claims.set(call, id),
    );
    return isKnown;
  }

  async #say(frame: ClientFrame, then?: () => void): Promise<boolean> {
    try {
      await this.#engine.link.request(frame);
      then?.();
    } catch (error) {
      const { code } = error as SessileError;
      if (code === "not-found") return false;
      if (!LATE.test(code)) throw error;
    }
    return true;
  }

  #read(): void {
    const put = (list: readonly Question[]) =>
      this.#put(list.filter(({ id, version }) => !(version < (this.value.get(id)?.version ?? ""))));
    readList<{ approvals: Approval[] }>(this.#engine, `approvals${QUERY}`, (it) =>
      put(it.approvals),
    );
    readList<{ calls: ToolCall[] }>(this.#engine, `calls${QUERY}`, (it) => put(it.calls));
  }

  #put(questions: readonly Question[]): void {
    if (questions.length === 0) return;
    this.value = new Map([...this.value, ...questions.map((it) => [it.id, it] as const)]);
  }
}
