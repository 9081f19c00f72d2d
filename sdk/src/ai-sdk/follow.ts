// Other devices: their messages, and the answers to those, in a chat of `useChat`.

import type { UIMessage } from "ai";
import type { Answers } from "../answer/answers.ts";
import { fieldsOf } from "../answer/fields.ts";
import { withSettled } from "../answer/settled.ts";
import { askingsOf } from "../client/askings.ts";
import { branchesOf } from "../client/branches.ts";
import type { ShownMessage } from "../client/sending.ts";
import { isDevelopment } from "../connection/telling.ts";
import { answersOf, runningIn, type SessileChatTransport } from "./transport.ts";
import { toUIMessages } from "./ui-messages.ts";

/** Transports with a mistake on the console already; StrictMode follows twice. */
const warned = new WeakSet<object>();

/** The functions of `useChat` needed for following. */
export interface FollowedChat<M extends UIMessage> {
  setMessages(change: (held: M[]) => M[]): void;
  resumeStream(): Promise<void>;
}

/**
 * Keeps a chat in step with its session: the stored messages, and answers as they arrive, whoever
 * asked. Returns the clean-up, as an effect of React needs it.
 */
export function followChat<M extends UIMessage>(
  transport: SessileChatTransport<M>,
  chatId: string,
  { setMessages, resumeStream }: FollowedChat<M>,
): () => void {
  const use = used(transport, chatId);
  if (!use) return () => {};
  const { session, files, streaming, left, uploading } = use;
  let seen: Seen | undefined;
  let isResuming = false;
  left.clear();
  const askings = askingsOf(session);
  const show = () => {
    const { messages: said, turns } = branchesOf(session);
    const was = seen;
    const { value } = askings;
    const messages =
      was?.said === said && was.value === value ? was.messages : withSettled(said, value);
    seen = { said, value, files: files?.value, messages, streaming: new Set(streaming) };
    // A stream writes its own answers.
    if (was && isAlike(was, seen, answersOf(session))) return;
    const all = toUIMessages<M>({ messages, turns });
    const shown = files?.show(all) ?? all;
    setMessages((held) => [
      ...shown.flatMap((message) => {
        const was = held.filter(({ id }) => id === message.id);
        return streaming.has(message.id) ? was : [withOwn(message, was[0])];
      }),
      ...held.filter(({ id }) => uploading.has(id) && !shown.some((it) => it.id === id)),
    ]);
  };
  const look = () => {
    if (session.connection.state !== "connected") return;
    show();
    const isNews = runningIn(session).some(({ id }) => !left.has(id));
    if (use.streams > 0 || isResuming || !isNews) return;
    isResuming = true;
    resumeStream().finally(() => {
      isResuming = false;
      look();
    });
  };
  // After the reader of a stream has taken its last chunk.
  const later = () => void setTimeout(look);
  const ends = [session.subscribe(look), session.on("turn", later)];
  use.show.add(show);
  use.look.add(look);
  look();
  return () => {
    use.show.delete(show);
    use.look.delete(look);
    for (const end of ends) end();
  };
}

/** The messages of a chat, and the answers in streams. */
interface Seen {
  said: readonly ShownMessage[];
  value: unknown;
  /** The addresses of files that are known. */
  files: unknown;
  /** The same, with what was settled of their askings. */
  messages: readonly ShownMessage[];
  streaming: ReadonlySet<string>;
}

/** Whether only messages of streamed answers differ. */
function isAlike(was: Seen, is: Seen, answers: Answers): boolean {
  const isSame =
    is.streaming.size === was.streaming.size &&
    [...is.streaming].every((id) => was.streaming.has(id));
  if (!isSame || is.files !== was.files || is.messages.length < was.messages.length) return false;
  return is.messages.every(
    (message, at) => message === was.messages[at] || is.streaming.has(answers.of(message) ?? ""),
  );
}

/** Invalid session options are the chat's error, once it resumes or sends. */
function used<M extends UIMessage>(transport: SessileChatTransport<M>, chatId: string) {
  try {
    return transport.use(chatId);
  } catch (error) {
    if (!warned.has(transport) && isDevelopment()) {
      warned.add(transport);
      console.warn(`sessile: chat ${chatId}: ${(error as Error).message}`);
    }
    return undefined;
  }
}

/** Results and approvals that the page gave and has not published yet stay. */
function withOwn<M extends UIMessage>(message: M, held: M | undefined): M {
  const parts = message.parts.map((part, index) => {
    const { state, toolCallId } = fieldsOf(part);
    const own = held?.parts[index];
    const isOpen = state === "input-available" || state === "approval-requested";
    // The same id in another step is another call.
    if (!own || !isOpen || fieldsOf(own).toolCallId !== toolCallId) return part;
    return /^(output-|approval-responded)/.test(String(fieldsOf(own).state)) ? own : part;
  });
  return { ...message, parts };
}
