// `useChat` on a session. An abort only lets go: `useChat` aborts when it is unmounted, when the
// chat is another, and when its stop button is pressed, all alike. What ends an answer is `cancel`.

import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { createSession, type Session } from "../client/session.ts";
import type { SessionOptions } from "../client/types.ts";
import { isOpen, type Message, type Turn } from "../protocol/index.ts";
import { Chunks } from "./chunks.ts";
import { toData, UI_ID } from "./output.ts";

/** The name of the message that asks for another answer; its `parent` is what is answered. */
export const REGENERATE = "regenerate";
/** The name of the message that says what came of a call which the page made itself. */
export const TOOL_OUTPUT = "tool-output";

/** What an agent is told that has to be woken. */
export interface Wake {
  /** The session's id. */
  session: string;
  /** The serial of the message that is to be answered. */
  input: string | undefined;
  trigger: "submit-message" | "regenerate-message";
  /** The `body` of `sendMessage`. */
  body: object | undefined;
}

type Common = {
  /** Called with each input, for agents that are not connected: POST it to one, say. */
  wake?: (wake: Wake) => unknown;
};

export type SessileChatTransportOptions =
  /** The session, or the one of a chat. Connect it or not: the transport does when it needs it. */
  | (Common & { session: Session | ((chatId: string) => Session) })
  /** Where sessions are; a chat's is the one of its id. */
  | (Common & Omit<SessionOptions, "session">);

type Send<M extends UIMessage> = Parameters<ChatTransport<M>["sendMessages"]>[0];
type Reconnect<M extends UIMessage> = Parameters<ChatTransport<M>["reconnectToStream"]>[0];
type Stream = ReadableStream<UIMessageChunk>;

/** What this page does with a session right now. */
export interface Use {
  session: Session;
  /** Streams that are being read, or on their way. */
  streams: number;
  /** The turns that come over them. */
  streaming: Set<string>;
  /** Shows what is there, before a stream goes on from it. */
  show: Set<() => void>;
  /** Turns that were let go. */
  left: Set<string>;
}

export class SessileChatTransport<M extends UIMessage = UIMessage> implements ChatTransport<M> {
  /** A stream begins with the turn, whatever of it was shown before. */
  readonly resumeStreamIsReplay = true;
  readonly #options: SessileChatTransportOptions;
  readonly #uses = new Map<string, Use>();

  constructor(options: SessileChatTransportOptions) {
    this.#options = options;
  }

  /** Publishes what is new, and gives the answer as it comes, by whatever agent. */
  async sendMessages(options: Send<M>): Promise<Stream> {
    const { chatId, trigger, body, abortSignal } = options;
    const use = this.use(chatId);
    const { session } = use;
    const over = new Set(session.turns.filter((turn) => !isOpen(turn)).map(({ id }) => id));
    const { input, isAnswer } = await busy(use, () => this.#publish(session, options));
    await busy(use, () => this.#options.wake?.({ session: session.id, input, trigger, body }));
    return this.#stream(use, (turn) => isAnswer(turn) && !over.has(turn.id), abortSignal);
  }

  /** The answers that are being given, from their beginnings; nothing if there are none. */
  async reconnectToStream({ chatId, abortSignal }: Reconnect<M>): Promise<Stream | null> {
    const use = this.use(chatId);
    const { session, streaming, left, show } = use;
    await busy(use, () => session.connect());
    const wanted = new Set(session.turns.filter(isRunning).map(({ id }) => id));
    if (!wanted.size || abortSignal?.aborted) return null;
    for (const id of wanted) {
      left.delete(id);
      streaming.add(id);
    }
    for (const each of show) each();
    return this.#stream(use, ({ id }) => wanted.has(id), abortSignal);
  }

  /** Ends every answer of a chat, and those that wait, on all devices (P6.5). */
  cancel(chatId: string, reason?: string): Promise<readonly Turn[]> {
    return this.use(chatId).session.cancel({ all: true }, reason);
  }

  /** Disconnects from the sessions that it made; nothing is cancelled. */
  close(): void {
    if ("session" in this.#options) return;
    for (const { session } of this.#uses.values()) session.close();
  }

  /** What is done with the session of a chat, which connects. */
  use(chatId: string): Use {
    let use = this.#uses.get(chatId);
    if (!use) {
      const options = this.#options;
      const given =
        "session" in options ? options.session : createSession({ ...options, session: chatId });
      const session = typeof given === "function" ? given(chatId) : given;
      use = { session, streams: 0, streaming: new Set(), show: new Set(), left: new Set() };
      this.#uses.set(chatId, use);
    }
    use.session.connect();
    return use;
  }

  /** Publishes what the page did; gives what it did it to, and which turns answer that. */
  async #publish(
    session: Session,
    { trigger, messageId, messages }: Send<M>,
  ): Promise<{ input: string | undefined; isAnswer: (turn: Turn) => boolean }> {
    // There is one, or `useChat` would have nothing to send.
    const last = messages.at(-1) as M;
    if (last.role === "assistant" && trigger === "submit-message") {
      for (const part of last.parts) await sendOutput(session, part as Record<string, string>);
      const turn = session.turns.find(({ id }) => id === last.id);
      const isAnswer = ({ id, input }: Turn) =>
        id === last.id || (!!input && input === turn?.input);
      return { input: turn?.input, isAnswer };
    }
    let input = session.log.findLast(({ id, serial, headers }) =>
      [headers?.[UI_ID], id, serial].includes(last.id),
    )?.serial;
    if (trigger === "regenerate-message") {
      await session.send(messageId ?? null, { name: REGENERATE, ...(input && { parent: input }) });
    } else if (messageId && input) {
      const headers = { [UI_ID]: last.id };
      input = (await session.edit(input, toData(last), { headers })).serial;
    } else {
      input = (await session.send(toData(last), { id: last.id })).serial;
    }
    return { input, isAnswer: (turn) => turn.input === input };
  }

  /** The turns that are wanted, one after the other, until all that began have ended. */
  #stream(use: Use, isWanted: (turn: Turn) => boolean, signal: AbortSignal | undefined): Stream {
    const { session, left, streaming } = use;
    const told = new Map<string, Chunks>();
    const ends: (() => void)[] = [];
    let isOver = false;
    use.streams += 1;
    const end = (finish?: () => void) => {
      if (isOver) return;
      isOver = true;
      for (const off of ends) off();
      use.streams -= 1;
      for (const turn of session.turns.filter(isWanted)) {
        streaming.delete(turn.id);
        if (isOpen(turn)) left.add(turn.id);
      }
      finish?.();
    };
    return new ReadableStream<UIMessageChunk>({
      start: (controller) => {
        const close = () => end(() => controller.close());
        const look = () => {
          const { state, error } = session.connection;
          if (state === "closed") end(() => controller.error(error));
          // In a replay a turn's end comes before what was said in it.
          if (state !== "connected") return;
          let isEnded: boolean | undefined;
          for (const turn of session.turns) {
            if (isEnded === false || !isWanted(turn) || turn.status === "queued") continue;
            const { id } = turn;
            const chunks = told.get(id) ?? new Chunks(id);
            told.set(id, chunks);
            streaming.add(id);
            for (const chunk of chunks.next(session.log, turn)) {
              controller.enqueue(chunk as unknown as UIMessageChunk);
            }
            isEnded = chunks.isEnded;
          }
          if (isEnded) close();
        };
        ends.push(session.subscribe(look));
        signal?.addEventListener("abort", close);
        ends.push(() => signal?.removeEventListener("abort", close));
        if (signal?.aborted) close();
        else look();
      },
      cancel: () => end(),
    });
  }
}

/** Does something; meanwhile nothing else is begun with the session. */
async function busy<T>(use: Use, work: () => T): Promise<Awaited<T>> {
  use.streams += 1;
  try {
    return await work();
  } finally {
    use.streams -= 1;
  }
}

/** Whether somebody answers right now. */
export function isRunning(turn: Turn): boolean {
  return isOpen(turn) && turn.status !== "queued";
}

/** Publishes what came of a call that the page made itself, if the session does not know it. */
async function sendOutput(session: Session, part: Record<string, string>): Promise<void> {
  const { toolCallId = "", state = "", output, errorText } = part;
  const name = TOOL_OUTPUT;
  const is = /^output-(available|error)$/.exec(state)?.[1];
  const isIt = (it: Message) => it.name === name && it.headers?.toolCallId === toolCallId;
  if (!is || session.log.some(isIt)) return;
  const headers = { toolCallId, state: is };
  await session.send(errorText ?? output, { id: `${name}:${toolCallId}`, name, headers });
}
