// The process of the agents: it hears what people say, and finds the work that an earlier process
// left. Of several pages that run one each, the one that came first answers; the next takes its
// place when it goes.

import {
  type AgentSession,
  createAgentSession,
  type LinkTo,
  overSocket,
  readMembers,
  readMessage,
  readMessages,
  readTurns,
  SessileError,
  type StartOptions,
  type Token,
} from "sessile/agent";
import { Guide, type Stage } from "./guide.ts";
import { pieces } from "./pieces.ts";
import { saidIn } from "./said.ts";
import { play, sceneOf } from "./scenes.ts";
import { LEASE_MS } from "./specialist.ts";
import { type Kind, TITLES } from "./trip.ts";

export interface Start {
  url: string;
  session: string;
  /** For all agents, where the deployment makes none for each (`POST /v1/dev/tokens`). */
  token?: string;
  /** Tokens by client, in place of those. */
  tokens?: Record<string, string>;
}

const GUIDE = "guide";
/** How far back it looks for messages that came while nobody was there. */
const LOOK_BACK = 100;
/** Refusals that are the session's business: somebody else answers, or nobody may. */
const REFUSED =
  /^(conflict|led-by-person|over-budget|not-leader|turn-closed|gone|session-closed|session-deleted)$/;

export class Agency {
  readonly #start: Start;
  readonly #tell: (word: object) => void;
  readonly #session: AgentSession;
  readonly #stage: Stage;
  readonly #specialists = new Map<Kind, Promise<AgentSession>>();
  /** The inputs and the turns that this process answers. */
  readonly #begun = new Set<string>();
  /** Whether this process is the first of its client. */
  #isFirst = false;

  constructor(start: Start, tell: (word: object) => void) {
    this.#start = start;
    this.#tell = tell;
    this.#session = createAgentSession({
      url: start.url,
      session: start.session,
      token: this.#token(GUIDE, "Guide"),
      link: this.#link,
      onInput: (_, options) => void this.#answer(options),
      onQueued: (_, options) => void this.#answer(options),
      onStatus: ({ state, error }) => {
        if (state !== "connected") this.#isFirst = false;
        tell({ type: "status", state, error: error?.message });
      },
    });
    this.#stage = {
      session: this.#session,
      report: tell,
      specialist: (kind) => this.#specialist(kind),
    };
  }

  /** A socket that announces this process, and notices when another one comes or goes. */
  readonly #link: LinkTo = (options, owner) =>
    overSocket(options, {
      ...owner,
      take: (frames) => {
        owner.take(frames);
        for (const frame of frames) {
          const { type } = frame;
          if (type === "attached") this.#session.link.send({ type: "presence.set" });
          const isMember = type === "presence.enter" || type === "presence.leave";
          if (isMember && frame.member.client === this.#session.link.attached?.client) {
            this.#look().catch((error) => this.#fail(error));
          }
        }
      },
    });

  /** Finds out whether this process is the first, and then does what was left undone. */
  async #look(): Promise<void> {
    const { attached } = this.#session.link;
    const { presence = [] } = await readMembers(this.#session);
    const own = presence.filter(({ client }) => client === attached?.client);
    own.sort(
      (one, other) => one.since - other.since || (one.connection < other.connection ? -1 : 1),
    );
    // Silent for too long, it has left (P7.2).
    const isThere = own.some(({ connection }) => connection === attached?.connection);
    if (!isThere) this.#session.link.send({ type: "presence.set" });
    const was = this.#isFirst;
    this.#isFirst = own[0]?.connection === attached?.connection;
    if (this.#isFirst && !was) await this.#goOn();
  }

  /** Goes on with open turns, and answers what nobody has answered. */
  async #goOn(): Promise<void> {
    const me = this.#session.link.attached?.client;
    for (const { id, agent, input, status, within } of await readTurns(this.#session)) {
      const isOwn = agent === me || status === "queued";
      // A specialist's turn is gone on with by the guide's.
      const isBegun = this.#begun.has(input ?? id) && !id.startsWith("again-");
      if (isOwn && within === undefined && !isBegun)
        void this.#answer({ id, ...(input && { input }) });
    }
    const { messages, turns = [] } = await readMessages(this.#session, { limit: LOOK_BACK });
    const answered = new Set(turns.map(({ input }) => input));
    for (const { serial, role, name, turn, deletedAt } of messages.toReversed()) {
      const isInput = role === "user" && name === "message" && turn === undefined && !deletedAt;
      if (isInput && !answered.has(serial)) void this.#answer({ input: serial });
    }
  }

  /** Answers an input, once, wherever an earlier process stopped. */
  async #answer({ taken = "keep", ...start }: StartOptions): Promise<void> {
    const what = start.id ?? start.input ?? "";
    if (!this.#isFirst || this.#begun.has(what)) return;
    this.#begun.add(what);
    const names = [what];
    try {
      await this.#session.answer({ ...start, leaseMs: LEASE_MS, taken }, async (turn) => {
        names.push(turn.id);
        this.#begun.add(turn.id);
        const { input } = turn.info;
        const message = input ? await readMessage(this.#session, input) : undefined;
        const { text: asked, files } = saidIn(message?.data);
        const guide = await Guide.of(this.#stage, turn, message?.client);
        const inputTokens = pieces(asked).length;
        try {
          await play(sceneOf(asked, files.length > 0), guide, asked, files);
        } finally {
          const outputTokens = guide.count;
          turn.usage({ inputTokens, outputTokens, totalTokens: inputTokens + outputTokens });
        }
      });
    } catch (error) {
      this.#fail(error);
    } finally {
      for (const name of names) this.#begun.delete(name);
    }
  }

  #specialist(kind: Kind): Promise<AgentSession> {
    const { url, session } = this.#start;
    const made =
      this.#specialists.get(kind) ??
      Promise.resolve(
        createAgentSession({ url, session, token: this.#token(kind, TITLES[kind]), names: [] }),
      );
    this.#specialists.set(kind, made);
    return made;
  }

  /** A token of the local Worker for each agent, or the one that the page has. */
  #token(client: string, name: string): Token {
    const { session, token, tokens } = this.#start;
    return async () => {
      const given = tokens?.[client];
      if (given) return given;
      const caps = { [session]: ["agent"] };
      const response = await fetch("/v1/dev/tokens", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ client, name, role: "agent", caps }),
      });
      if (response.ok) return ((await response.json()) as { token: string }).token;
      if (token) return token;
      throw new Error("the local Worker makes no tokens, and the page has none for agents");
    };
  }

  #fail(error: unknown): void {
    if (error instanceof SessileError && REFUSED.test(error.code)) return;
    this.#tell({ type: "error", message: (error as Error)?.message ?? String(error) });
  }
}
