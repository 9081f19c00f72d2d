// The guide: the agent that answers people. It hands a trip to three specialists, whose turns run
// within its own.

import { type AgentSession, type AgentTurn, readMessages } from "sessile/agent";
import { newId } from "./ids.ts";
import { begin, type Search } from "./specialist.ts";
import { KINDS, type Kind, type Trip, tripIn } from "./trip.ts";
import { type Report, Voice } from "./voice.ts";

/** How far back a trip is looked for. */
const LOOK_BACK = 100;

/** The process that the guide runs in. */
export interface Stage {
  readonly session: AgentSession;
  readonly report: Report;
  /** The session, for the specialist of a kind; another client where there is a token for it. */
  specialist(kind: Kind): Promise<AgentSession>;
}

export class Guide {
  readonly turn: AgentTurn;
  /** The person who asked, by name: a role has no devices to be notified (P10.1). */
  readonly askers: readonly string[];
  readonly #stage: Stage;
  readonly #voice: Voice;

  private constructor(stage: Stage, voice: Voice, askers: readonly string[]) {
    this.#stage = stage;
    this.#voice = voice;
    this.turn = voice.turn;
    this.askers = askers;
  }

  static async of(stage: Stage, turn: AgentTurn, asker?: string): Promise<Guide> {
    const askers = asker === undefined ? [] : [asker];
    return new Guide(stage, await Voice.of(turn, stage.report), askers);
  }

  get isOver(): boolean {
    return this.#voice.isOver;
  }

  /** Tokens said by this process. */
  get count(): number {
    return this.#voice.count;
  }

  say(name: string, text: string, headers?: Record<string, string>): Promise<string> {
    return this.#voice.say(name, text, headers);
  }

  keep(name: string, make: () => unknown): Promise<void> {
    return this.#voice.keep(name, make);
  }

  obey(answer: (instruction: string) => string): Promise<void> {
    return this.#voice.obey(answer);
  }

  /** Names a source of a message (P9.3). */
  async cite(serial: string, name: string, quote: string): Promise<void> {
    if (this.isOver) return;
    const kind = "source:distinct" as const;
    const id = newId();
    const data = { quote };
    await this.#stage.session.link.request({ type: "annotate", id, serial, kind, name, data });
  }

  /** Sends the specialists, and waits for them; resolves to those that came to an end. */
  async send(destination: string): Promise<readonly Kind[]> {
    const searches: (readonly [Kind, Search])[] = [];
    // One after the other, so that they stand in this order everywhere.
    for (const kind of KINDS) {
      const session = await this.#stage.specialist(kind);
      searches.push([kind, await begin(session, this.turn, kind)]);
    }
    const found = await Promise.all(
      searches.map(async ([kind, search]) => {
        const isWhole = await search(destination, this.#stage.report);
        return isWhole ? [kind] : [];
      }),
    );
    return found.flat();
  }

  /** The trip that was planned last. */
  async lately(): Promise<Trip | undefined> {
    const { messages } = await readMessages(this.#stage.session, { limit: LOOK_BACK });
    return tripIn(messages);
  }
}
