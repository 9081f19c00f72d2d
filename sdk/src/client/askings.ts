// The askings of turns, which messages of theirs put, settled ones too: a page shows what came of
// them before the agent, which may be away, says so in its turn.

import {
  type Approval,
  type AttachedFrame,
  askingId,
  type ClientFrame,
  isOpen,
  type Message,
  type ServerFrame,
  type SessileError,
  type ToolCall,
} from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";

/** A message that may ask something. */
type Asks = Pick<Message, "serial" | "turn">;

/** An approval, or a call of a tool of a device. */
export type Asking = Approval | ToolCall;

/** How long a call is left to the page that asked, before another one runs it. */
const ELSEWHERE_MS = 500;

/**
 * Gives `run` each call that this page is to run, once, with the message that has its input; the
 * result ends that. `tried` keeps the calls that are not to be tried again.
 */
export function claimCalls(
  session: Session,
  tried: Set<string>,
  run: (call: ToolCall, input: Message) => void,
): () => void {
  const askings = askingsOf(session);
  const left = new Set<string>();
  let isOver = false;
  const look = () => {
    for (const asking of isOver ? [] : askings.value.values()) claim(asking);
  };
  const claim = async (call: Asking) => {
    if ("title" in call || call.status !== "pending" || call.claim) return;
    const { id } = call;
    const input = session.log.find(({ serial }) => askingId(serial) === id);
    if (!input || tried.has(id)) return;
    if (!left.has(id) && isElsewhere(session, call)) {
      left.add(id);
      setTimeout(look, ELSEWHERE_MS);
      return;
    }
    tried.add(id);
    const isOurs = await askings.claim(id);
    // Another page has it: it may be left again.
    const now = askings.value.get(id);
    if (!isOurs && now && "claim" in now) tried.delete(id);
    if (isOurs) run(call, input);
  };
  const off = session.subscribe(look);
  look();
  return () => {
    isOver = true;
    off();
  };
}

/** Whether the message that a call's turn answers came from another page. */
function isElsewhere({ log, turns, link }: Session, { turn }: ToolCall): boolean {
  const input = turns.find(({ id }) => id === turn)?.input;
  const { connection } = log.find(({ serial }) => serial === input) ?? {};
  return connection !== link.attached?.connection;
}

/** The askings of a session's turns. */
export function askingsOf(session: Session): AskingsFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new AskingsFeature(engine);
const QUERY = "?status=all&limit=100";
/** Refusals that say that somebody else was first: what came of it is what is shown. */
const LATE = /^(already-decided|already-settled|claimed|conflict)$/;

export class AskingsFeature implements Feature {
  /** By their ids; a new map at each change. */
  value: ReadonlyMap<string, Asking> = new Map();
  /** Resolves once what was settled before is known, too. */
  known: Promise<unknown> = Promise.resolve();
  readonly #engine: Engine;
  /** The claims of this page, by the ids of their calls. */
  readonly #claims = new Map<string, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
    const { log, link } = engine;
    if (link.attached) this.attached({ ...link.attached, turns: [...log.turnList] });
  }

  /** Decides on what a message asks; says no where its turn does not wait for that. */
  async decide({ turn, serial }: Asks, approved: boolean, comment?: string): Promise<boolean> {
    const approval = askingId(serial);
    // Its id: once, however often a page says it.
    const head = { type: "approval.decide", id: `decide:${approval}`, approval } as const;
    const decision = approved ? "approve" : "reject";
    const frame = { ...head, decision, ...(comment !== undefined && { comment }) } as const;
    return this.#isOpen(turn) && this.#say(frame);
  }

  /** Says what came of a message's call; no where its turn does not wait for that. */
  async settle({ turn, serial }: Asks, result: { output?: unknown; error?: unknown }) {
    if (!this.#isOpen(turn)) return false;
    const call = askingId(serial);
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

  #isOpen(turn: string | undefined): boolean {
    return this.#engine.log.turnList.some((it) => it.id === turn && isOpen(it));
  }

  #read(): void {
    const { link, changed } = this.#engine;
    const isNew = ({ id, version }: Asking) => !(version < (this.value.get(id)?.version ?? ""));
    const read = async (kind: string) => {
      const { [kind]: list = [] } = await link.read<Record<string, Asking[]>>(`${kind}${QUERY}`);
      this.#put(list.filter(isNew));
    };
    this.known = Promise.allSettled([read("approvals"), read("calls")]).finally(changed);
  }

  #put(askings: readonly Asking[]): void {
    if (askings.length === 0) return;
    this.value = new Map([...this.value, ...askings.map((it) => [it.id, it] as const)]);
  }
}
