// `useChat` on a session. An abort only lets go: `useChat` aborts when it is unmounted, when the
// chat is another, and when its stop button is pressed, all alike. What ends an answer is `cancel`.

import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import type { ShownMessage } from "../client/sending.ts";
import { createSession, type Session, type SessionOptions } from "../client/session.ts";
import { isOpen, SessileError, type Turn } from "../protocol/index.ts";
import { Chunks } from "./chunks.ts";
import { toData, toUIMessages, UI_ID } from "./ui-messages.ts";

/** The name of the message that asks for another answer; its `parent` is what is answered. */
export const REGENERATE = "regenerate";
/** The name of the message that says what came of a call which the page made itself. */
export const TOOL_OUTPUT = "tool-output";

type Common = {
  /**
   * Is told by POST of each input, for agents that are not connected: JSON of
   * `{session, input, trigger, id}` and the request's own `body`.
   */
  api?: string;
  /** Sent with it. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** Another fetch than the platform's. */
  fetch?: typeof fetch;
  /** What an abort means; `detach` unless told (see above). */
  onAbort?: "detach" | "cancel";
};

export type SessileChatTransportOptions =
  /** The session, or the one of a chat. Connect it or not: the transport does when it needs it. */
  | (Common & { session: Session | ((chatId: string) => Session) })
  /** Where sessions are; a chat's is the one of its id. */
  | (Common & Omit<SessionOptions, "session">);

type Send<M extends UIMessage> = Parameters<ChatTransport<M>["sendMessages"]>[0];
type Reconnect<M extends UIMessage> = Parameters<ChatTransport<M>["reconnectToStream"]>[0];
type Stream = ReadableStream<UIMessageChunk>;

/** What `follow` needs of `useChat`. */
export interface FollowedChat<M extends UIMessage> {
  setMessages(change: (held: M[]) => M[]): void;
  resumeStream(): Promise<void>;
}

/** What this page does with a session right now. */
interface Use {
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

  /** The session of a chat, connecting. */
  session(chatId: string): Session {
    return this.#use(chatId).session;
  }

  /** Publishes what is new, and gives the answer as it comes, by whatever agent. */
  async sendMessages(options: Send<M>): Promise<Stream> {
    const use = this.#use(options.chatId);
    const before = new Set(use.session.turns.map(({ id }) => id));
    use.streams += 1;
    try {
      const { input, isAnswer } = await this.#publish(use.session, options);
      await this.#wake(use.session, input, options);
      const isNew = (turn: Turn) => !before.has(turn.id) || isOpen(turn);
      const isWanted = (turn: Turn) => isAnswer(turn) && isNew(turn);
      return this.#stream(use, isWanted, options.abortSignal);
    } catch (error) {
      use.streams -= 1;
      throw error;
    }
  }

  /** The answers that are being given, from their beginnings; nothing if there are none. */
  async reconnectToStream({ chatId, abortSignal }: Reconnect<M>): Promise<Stream | null> {
    const use = this.#use(chatId);
    use.streams += 1;
    try {
      await use.session.connect();
      const wanted = new Set(use.session.turns.filter(isRunning).map(({ id }) => id));
      if (wanted.size > 0 && !abortSignal?.aborted) {
        for (const id of wanted) {
          use.left.delete(id);
          use.streaming.add(id);
        }
        for (const show of use.show) show();
        return this.#stream(use, ({ id }) => wanted.has(id), abortSignal);
      }
    } catch (error) {
      use.streams -= 1;
      throw error;
    }
    use.streams -= 1;
    return null;
  }

  /** Ends every answer of a chat, and those that wait, on all devices (P6.5). */
  async cancel(chatId?: string, reason?: string): Promise<void> {
    const uses = chatId === undefined ? [...this.#uses.values()] : [this.#use(chatId)];
    await Promise.all(uses.map(({ session }) => session.cancel({ all: true }, reason)));
  }

  /**
   * Keeps a chat in step with the session: its messages as they are there, other devices' among
   * them, and answers that another device asked for. Returns what ends that.
   */
  follow(chatId: string, { setMessages, resumeStream }: FollowedChat<M>): () => void {
    const use = this.#use(chatId);
    const { session } = use;
    let shown: readonly ShownMessage[] | undefined;
    let isResuming = false;
    use.left.clear();
    const show = () => {
      const { messages } = session;
      // What streams is the stream's to write.
      const still = messages.filter(({ turn }) => turn === undefined || !use.streaming.has(turn));
      if (isSame(still, shown)) return;
      shown = still;
      setMessages((held) =>
        toUIMessages<M>({ messages }).flatMap((message) => {
          if (!use.streaming.has(message.id)) return [message];
          return held.filter(({ id }) => id === message.id);
        }),
      );
    };
    const look = () => {
      if (session.connection.state !== "connected") return;
      show();
      if (use.streams > 0 || isResuming) return;
      if (!session.turns.some((turn) => isRunning(turn) && !use.left.has(turn.id))) return;
      isResuming = true;
      resumeStream().finally(() => {
        isResuming = false;
        look();
      });
    };
    // After whatever reads a stream has taken its last chunk.
    const later = () => void setTimeout(look);
    const ends = [session.subscribe(look), session.on("turn", later)];
    use.show.add(show);
    look();
    return () => {
      use.show.delete(show);
      for (const end of ends) end();
    };
  }

  /** Disconnects from the sessions that it made; nothing is cancelled. */
  close(): void {
    if ("session" in this.#options) return;
    for (const { session } of this.#uses.values()) session.close();
  }

  #use(chatId: string): Use {
    let use = this.#uses.get(chatId);
    if (!use) {
      const options = this.#options;
      const given = "session" in options ? options.session : undefined;
      const made = () =>
        createSession({ ...(options as Omit<SessionOptions, "session">), session: chatId });
      const session = typeof given === "function" ? given(chatId) : (given ?? made());
      use = { session, streams: 0, streaming: new Set(), show: new Set(), left: new Set() };
      this.#uses.set(chatId, use);
    }
    if (use.session.connection.state === "idle") use.session.connect();
    return use;
  }

  /** Publishes what the page did; gives what it did it to, and which turns answer that. */
  async #publish(
    session: Session,
    { trigger, messageId, messages }: Send<M>,
  ): Promise<{ input: string | undefined; isAnswer: (turn: Turn) => boolean }> {
    const last = messages.at(-1);
    if (!last) throw new SessileError("invalid-frame", "unable to send; there is no message");
    const serialOf = (id: string | undefined) => {
      const is = ({ id: own, serial, headers }: (typeof session.log)[number]) =>
        id !== undefined && [headers?.[UI_ID], own, serial].includes(id);
      return session.log.findLast(is)?.serial;
    };
    if (last.role === "assistant" && trigger === "submit-message") {
      await Promise.all(outputsOf(last, session).map((it) => session.send(it.data, it.options)));
      const turn = session.turns.find(({ id }) => id === last.id);
      const isAnswer = ({ id, input }: Turn) =>
        id === last.id || (input !== undefined && input === turn?.input);
      return { input: turn?.input, isAnswer };
    }
    let input = serialOf(last.id);
    if (trigger === "regenerate-message") {
      const data = messageId ?? null;
      await session.send(data, { name: REGENERATE, wake: true, ...(input && { parent: input }) });
    } else if (messageId !== undefined && input !== undefined) {
      const edited = session.edit(input, toData(last), { headers: { [UI_ID]: last.id } });
      input = (await edited).serial;
    } else {
      input = (await session.send(toData(last), { id: last.id })).serial;
    }
    return { input, isAnswer: (turn) => turn.input === input };
  }

  async #wake(session: Session, input: string | undefined, options: Send<M>): Promise<void> {
    const { api, headers, fetch: ask = fetch } = this.#options;
    if (api === undefined) return;
    const { chatId: id, trigger, messageId, body } = options;
    const given = typeof headers === "function" ? headers() : headers;
    const answer = await ask(api, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...given,
        ...Object.fromEntries(new Headers(options.headers)),
      },
      body: JSON.stringify({ ...body, session: session.id, input, trigger, id, messageId }),
    });
    if (!answer.ok) throw new Error(`${api} answered ${answer.status}: ${await answer.text()}`);
    await answer.body?.cancel();
  }

  /** The turns that are wanted, one after the other, until all that began have ended. */
  #stream(use: Use, isWanted: (turn: Turn) => boolean, signal: AbortSignal | undefined): Stream {
    const { session, left, streaming } = use;
    const told = new Map<string, Chunks>();
    let isOver = false;
    const ends: (() => void)[] = [];
    const stop = () => {
      if (isOver) return;
      isOver = true;
      for (const end of ends) end();
      for (const turn of session.turns) if (isWanted(turn)) streaming.delete(turn.id);
      use.streams -= 1;
    };
    const letGo = () => {
      if (isOver) return;
      const wanted = session.turns.filter((turn) => isWanted(turn) && isOpen(turn));
      for (const { id } of wanted) left.add(id);
      stop();
      if (this.#options.onAbort !== "cancel") return;
      for (const { id } of wanted) session.cancel(id).catch(() => {});
    };
    return new ReadableStream<UIMessageChunk>({
      start: (controller) => {
        const look = () => {
          const { state, error } = session.connection;
          if (isOver) return;
          for (const turn of session.turns) {
            if (!isWanted(turn) || turn.status === "queued") continue;
            const chunks = told.get(turn.id) ?? new Chunks(turn.id);
            told.set(turn.id, chunks);
            streaming.add(turn.id);
            for (const chunk of chunks.next(session.log, turn)) {
              controller.enqueue(chunk as unknown as UIMessageChunk);
            }
            if (!chunks.isEnded) break;
          }
          if (told.size > 0 && [...told.values()].every(({ isEnded }) => isEnded)) {
            stop();
            controller.close();
          } else if (state === "closed") {
            stop();
            controller.error(error);
          }
        };
        ends.push(session.subscribe(look));
        const aborted = () => {
          if (isOver) return;
          letGo();
          controller.close();
        };
        signal?.addEventListener("abort", aborted, { once: true });
        ends.push(() => signal?.removeEventListener("abort", aborted));
        if (signal?.aborted) aborted();
        else look();
      },
      cancel: letGo,
    });
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[] | undefined): boolean {
  return one.length === other?.length && one.every((it, index) => it === other[index]);
}

function isRunning(turn: Turn): boolean {
  return isOpen(turn) && turn.status !== "queued";
}

/** What came of calls that the page made, as far as the session does not know. */
function outputsOf({ parts }: UIMessage, { log }: Session) {
  const known = new Set(
    log.map(({ name, headers }) => (name === TOOL_OUTPUT ? headers?.toolCallId : undefined)),
  );
  return parts.flatMap((part) => {
    const { toolCallId, state, output, errorText } = part as Record<string, unknown>;
    if (typeof toolCallId !== "string" || known.has(toolCallId)) return [];
    const isBad = state === "output-error";
    if (!isBad && state !== "output-available") return [];
    const headers = { toolCallId, state: isBad ? "error" : "available" };
    const id = `${TOOL_OUTPUT}:${toolCallId}`;
    const data = isBad ? errorText : output;
    return [{ data, options: { id, name: TOOL_OUTPUT, headers, wake: true } }];
  });
}
