// `useChat` on a session. An abort only detaches: `useChat` aborts alike on unmount, on a switch of
// chats and on its stop button. `cancel` ends an answer.

import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { Answers, type Held } from "../answer/answers.ts";
import { fieldsOf, type Loose } from "../answer/fields.ts";
import { isWaiting } from "../answer/settled.ts";
import { askingsOf } from "../client/askings.ts";
import { createSession, type Session } from "../client/session.ts";
import type { SessionOptions } from "../client/types.ts";
import { PacedChunks } from "../pace/chunks.ts";
import { paced, windowOf } from "../pace/flow.ts";
import { isOpen, SessileError, TOOL_APPROVAL, type Turn } from "../protocol/index.ts";
import { Chunks } from "./chunks.ts";
import { inputOf, publish, type Send } from "./publish.ts";
import { givenUp, reached } from "./reach.ts";

/** The input to wake an agent for. */
export interface Wake {
  /** The session's id. */
  session: string;
  /** The serial of the message to be answered. */
  input: string | undefined;
  trigger: "submit-message" | "regenerate-message";
  /** The `body` of `sendMessage`. */
  body: object | undefined;
}

/** An answer to a request for approval, as `addToolApprovalResponse` takes it. */
export interface ToolDecision {
  id: string;
  approved: boolean;
  reason?: string;
}

/** The outcome of a call, as `addToolOutput` takes it. */
export interface ToolResult {
  toolCallId: string;
  state?: "output-available" | "output-error";
  output?: unknown;
  errorText?: string;
}

/** The files of a session in its chat (`filesOf` of `sessile/files`). */
export interface ChatFiles {
  /** Another value once there are other addresses to show. */
  readonly value: unknown;
  /** A message whose long `data:` addresses are files of the session. */
  keep<M extends UIMessage>(message: M): Promise<M>;
  /** Messages with addresses that work now. */
  show<M extends UIMessage>(messages: readonly M[]): M[];
}

type Common = {
  /**
   * Pass `filesOf` of `sessile/files`: then files beyond 32 KB are uploaded before their message is
   * sent, and shown by addresses that are renewed.
   */
  files?: (session: Session) => ChatFiles;
  /** Called with each input, for agents that are not connected: POST it to one, for example. */
  wake?: (wake: Wake) => unknown;
};

export type SessileChatTransportOptions =
  /** The session, or the one of a chat. The transport connects it when needed. */
  | (Common & { session: Session | ((chatId: string) => Session) })
  /** The sessions' Worker; a chat's session has its id. */
  | (Common & Omit<SessionOptions, "session">);

type Reconnect<M extends UIMessage> = Parameters<ChatTransport<M>["reconnectToStream"]>[0];
type Stream = ReadableStream<UIMessageChunk>;

/** The page's present use of the session. */
export interface Use {
  session: Session;
  files?: ChatFiles | undefined;
  /** The ids of messages whose files are on their way. */
  uploading: Set<string>;
  /** Streams that are being read, or requested. */
  streams: number;
  /** The answers in those streams. */
  streaming: Set<string>;
  /** Shows the stored messages, before a stream continues from them. */
  show: Set<() => void>;
  /** Shows the stored messages, and continues the answer in progress. */
  look: Set<() => void>;
  /** Detached turns. */
  left: Set<string>;
  /** Published inputs without an answer yet. */
  asked: Set<string>;
  /** The number of cancels of everything. */
  cancels: number;
}

/** The target of a stream. */
interface Wanted {
  /** The turns in it. */
  has(turn: Turn): boolean;
  chunks(answer: string): Chunks;
  /** The serial of the message to be answered. */
  input?: string | undefined;
}

export class SessileChatTransport<M extends UIMessage = UIMessage> implements ChatTransport<M> {
  /** A stream begins with the turn, whatever part of it was shown before. */
  readonly resumeStreamIsReplay = true;
  readonly #options: SessileChatTransportOptions;
  readonly #uses = new Map<string, Use>();

  constructor(options: SessileChatTransportOptions) {
    this.#options = options;
  }

  /** Publishes new messages, and returns the answer as it arrives, from any agent. */
  async sendMessages(options: Send<M>): Promise<Stream> {
    const { chatId, trigger, body, abortSignal } = options;
    const use = this.use(chatId);
    const { session, cancels } = use;
    const sent = use.files ? await busy(use, () => withFiles(use, options)) : options;
    const over = new Set(session.turns.filter((turn) => !isOpen(turn)).map(({ id }) => id));
    const was = heldOf(session);
    const publishing = publish(session, sent);
    const { input, answer, turn } = await busy(use, () => reached(session, publishing));
    if (answer && !input && !turn) return nothing();
    if (input && use.cancels > cancels) cancelInput(session, input);
    const asked = input ?? turn?.input;
    await busy(use, () =>
      this.#options.wake?.({ session: session.id, input: asked, trigger, body }),
    );
    const has = ({ id, input: of }: Turn) =>
      turn ? id === turn.id : of === input && (!!answer || !over.has(id));
    const chunks = (id: string) => {
      const made = new Chunks(id);
      // The page has the part that the answer continues from.
      if (id === answer) made.next(turn ? was : before(session, input), []);
      return made;
    };
    return this.#stream(use, { has, chunks, input }, abortSignal);
  }

  /** The answers in progress, from their beginnings; null without any. */
  async reconnectToStream({ chatId, abortSignal }: Reconnect<M>): Promise<Stream | null> {
    const use = this.use(chatId);
    const { session, streaming, left, show } = use;
    await busy(use, () => reached(session, session.connect()));
    const wanted = new Set(runningIn(session).map(({ id }) => id));
    if (!wanted.size || abortSignal?.aborted) return null;
    const { ofTurn } = answersOf(session);
    for (const id of wanted) {
      left.delete(id);
      streaming.add(ofTurn.get(id) ?? id);
    }
    for (const each of show) each();
    const chunks = (id: string) => new Chunks(id, true);
    return this.#stream(use, { has: ({ id }) => wanted.has(id), chunks }, abortSignal);
  }

  /** Ends every answer of a chat, and the waiting ones, on all devices (P6.5). */
  cancel(chatId: string, reason?: string): Promise<readonly Turn[]> {
    const use = this.use(chatId);
    use.cancels += 1;
    for (const input of use.asked) cancelInput(use.session, input, reason);
    return use.session.cancel({ all: true }, reason);
  }

  /**
   * Decides on a call that a turn of the session asks about, by the approval's id in the chat. Says
   * no where the session was not asked: then the chat has the answer (`addToolApprovalResponse`).
   */
  async decide(chatId: string, { id, approved, reason }: ToolDecision): Promise<boolean> {
    const { session } = this.use(chatId);
    const asked = session.log.findLast(
      ({ name, turn, data }) => name === TOOL_APPROVAL && turn && fieldsOf(data).approvalId === id,
    );
    return asked ? askingsOf(session).decide(asked, approved, reason) : false;
  }

  /**
   * Says what came of a call that a turn of the session has left to a device. Says no where the
   * session does not have that call: then the chat has its output (`addToolOutput`).
   */
  async settle(chatId: string, { toolCallId, state, output, errorText }: ToolResult) {
    const { session } = this.use(chatId);
    const input = inputOf(session.log, toolCallId);
    const result = state === "output-error" ? { error: errorText } : { output };
    return input ? askingsOf(session).settle(input, result) : false;
  }

  /** Disconnects from the sessions it made; nothing is cancelled. */
  close(): void {
    if ("session" in this.#options) return;
    for (const { session } of this.#uses.values()) session.close();
  }

  /** The use of a chat's session, which connects. */
  use(chatId: string): Use {
    let use = this.#uses.get(chatId);
    if (!use) {
      const options = this.#options;
      const given =
        "session" in options
          ? options.session
          : createSession({ ...paced(options), session: chatId });
      const session = typeof given === "function" ? given(chatId) : given;
      use = {
        session,
        files: options.files?.(session),
        uploading: new Set(),
        streams: 0,
        streaming: new Set(),
        show: new Set(),
        look: new Set(),
        left: new Set(),
        asked: new Set(),
        cancels: 0,
      };
      this.#uses.set(chatId, use);
    }
    use.session.connect();
    return use;
  }

  /** The wanted turns, one answer after the other, until all that began have ended. */
  #stream(use: Use, wanted: Wanted, signal: AbortSignal | undefined): Stream {
    const { session, left, streaming, asked } = use;
    const { input } = wanted;
    const told = new Map<string, Chunks>();
    const ends: (() => void)[] = [];
    let isOver = false;
    let wasAway = true;
    use.streams += 1;
    if (input) asked.add(input);
    const end = (finish?: () => void, isWhole = false) => {
      if (isOver) return;
      isOver = true;
      for (const off of ends) off();
      use.streams -= 1;
      if (input) asked.delete(input);
      const { ofTurn } = answersOf(session);
      for (const turn of session.turns.filter(wanted.has)) {
        streaming.delete(ofTurn.get(turn.id) ?? turn.id);
        if (isOpen(turn) && !isWhole) left.add(turn.id);
      }
      finish?.();
    };
    return new ReadableStream<UIMessageChunk>({
      start: (controller) => {
        const put = (chunk: object) => controller.enqueue(chunk as UIMessageChunk);
        const texts = new PacedChunks<Loose>(windowOf(session));
        const give = () => {
          for (const { chunk } of isOver ? [] : texts.take()) put(chunk);
        };
        texts.due = give;
        const rest = () => {
          texts.flush();
          give();
        };
        const close = () => {
          if (!isOver) rest();
          end(() => controller.close());
        };
        const look = () => {
          const { connection } = session;
          // A stream that has begun waits for the session to return, as long as that is possible.
          const isWaiting = told.size === 0 || connection.state === "closed";
          const error = isWaiting && givenUp(session);
          if (error) end(() => controller.error(error));
          // In a replay, a turn's end comes before its messages.
          if (connection.state !== "connected") {
            wasAway = true;
            return;
          }
          let isEnded: boolean | undefined;
          for (const [answer, turns] of byAnswer(session, wanted)) {
            if (isEnded === false) break;
            if (input) asked.delete(input);
            const chunks = told.get(answer) ?? wanted.chunks(answer);
            told.set(answer, chunks);
            streaming.add(answer);
            const made = chunks.next(heldOf(session), turns).map((chunk) => ({ chunk }));
            texts.put(made, !wasAway && !turns.some(({ cancel }) => cancel));
            give();
            isEnded = chunks.isEnded;
            if (!chunks.isStale) continue;
            rest();
            end(() => this.#beginAnew(use, turns, controller));
            return;
          }
          wasAway = false;
          if (isEnded) end(() => controller.close(), true);
        };
        ends.push(session.subscribe(look), session.on("connection", look));
        ends.push(
          session.on("signal", ({ name, client, data }) => {
            const isAgents = session.turns.some(
              (turn) => wanted.has(turn) && turn.agent === client,
            );
            // Relayed and not kept: `transient` parts.
            if (name.startsWith("data-") && isAgents) put(Object(data));
          }),
        );
        signal?.addEventListener("abort", close);
        ends.push(() => signal?.removeEventListener("abort", close));
        if (signal?.aborted) close();
        else look();
      },
      cancel: () => end(),
    });
  }

  /**
   * The answer differs from the part already told: a follower of the chat shows it from the log
   * again.
   */
  #beginAnew(
    { look, left }: Use,
    turns: readonly Turn[],
    controller: ReadableStreamDefaultController<UIMessageChunk>,
  ): void {
    if (look.size === 0) {
      const message = "the answer was begun anew by another process: resumeStream() shows it";
      controller.error(new SessileError("gone", message));
      return;
    }
    for (const { id } of turns) left.delete(id);
    controller.enqueue({
      type: "finish",
      finishReason: "interrupted",
    } as unknown as UIMessageChunk);
    controller.close();
    setTimeout(() => {
      for (const each of look) each();
    });
  }
}

/** A stream of an answer to nothing; `useChat` does not ask again by itself. */
function nothing(): Stream {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue({
        type: "finish",
        finishReason: "interrupted",
      } as unknown as UIMessageChunk);
      controller.close();
    },
  });
}

function heldOf({ log, turns }: Session): Held {
  return { messages: log, turns };
}

/** The messages held up to one of them, with the turns. */
function before({ log, turns }: Session, serial = ""): Held {
  return { messages: log.filter((message) => message.serial <= serial), turns };
}

/** The present answers of a session. */
export function answersOf(session: Session): Answers {
  return Answers.following(session, heldOf(session));
}

/** The wanted turns that have begun, by their answers. */
function byAnswer(session: Session, wanted: Wanted): Map<string, Turn[]> {
  const { ofTurn } = answersOf(session);
  const groups = new Map<string, Turn[]>();
  for (const turn of session.turns) {
    if (!wanted.has(turn) || turn.status === "queued") continue;
    const answer = ofTurn.get(turn.id) ?? turn.id;
    groups.set(answer, [...(groups.get(answer) ?? []), turn]);
  }
  return groups;
}

/** Ends the answers to a message, also future ones. */
function cancelInput(session: Session, input: string, reason?: string): void {
  session.cancel({ input }, reason).catch(() => {});
}

/** The page's news, once its files are in the session; the chat shows the message meanwhile. */
async function withFiles<M extends UIMessage>(
  { files, uploading, session }: Use,
  sent: Send<M>,
): Promise<Send<M>> {
  const { trigger, messages } = sent;
  const last = messages.at(-1);
  if (!files || last?.role !== "user" || trigger !== "submit-message") return sent;
  uploading.add(last.id);
  try {
    const kept = await reached(session, files.keep(last));
    return { ...sent, messages: [...messages.slice(0, -1), kept] };
  } finally {
    uploading.delete(last.id);
  }
}

/** Runs an action; meanwhile nothing else is begun with the session. */
async function busy<T>(use: Use, work: () => T): Promise<Awaited<T>> {
  use.streams += 1;
  try {
    return await work();
  } finally {
    use.streams -= 1;
  }
}

/** The turns whose answers are in progress. */
export function runningIn(session: Session): Turn[] {
  const { turns, log } = session;
  return turns.filter((turn) => isOpen(turn) && turn.status !== "queued" && !isWaiting(turn, log));
}
