// Other devices: their messages, and the answers that they asked for, in a chat of `useChat`.

import type { UIMessage } from "ai";
import type { ShownMessage } from "../client/sending.ts";
import { isDevelopment } from "../connection/telling.ts";
import { Answers } from "./answer.ts";
import { fieldsOf } from "./output.ts";
import { isRunning, type SessileChatTransport } from "./transport.ts";
import { toUIMessages } from "./ui-messages.ts";

/** Transports of which a mistake is on the console; StrictMode follows twice. */
const warned = new WeakSet<object>();

/** What `useChat` gives, as far as it is needed. */
export interface FollowedChat<M extends UIMessage> {
  setMessages(change: (held: M[]) => M[]): void;
  resumeStream(): Promise<void>;
}

/**
 * Keeps a chat in step with its session: the messages that are there, and answers as they come,
 * whoever asked. Returns what ends that, as an effect of React wants it.
 */
export function followChat<M extends UIMessage>(
  transport: SessileChatTransport<M>,
  chatId: string,
  { setMessages, resumeStream }: FollowedChat<M>,
): () => void {
  const use = used(transport, chatId);
  if (!use) return () => {};
  const { session, streaming, left } = use;
  let shown: readonly ShownMessage[] | undefined;
  let isResuming = false;
  left.clear();
  const show = () => {
    const { messages, turns } = session;
    const answers = Answers.of({ messages, turns });
    // What streams is the stream's to write.
    const still = messages.filter((message) => !streaming.has(answers.of(message) ?? ""));
    if (still.length === shown?.length && still.every((it, index) => it === shown?.[index])) return;
    shown = still;
    setMessages((held) =>
      toUIMessages<M>({ messages, turns }).flatMap((message) => {
        const was = held.filter(({ id }) => id === message.id);
        return streaming.has(message.id) ? was : [withOwn(message, was[0])];
      }),
    );
  };
  const look = () => {
    if (session.connection.state !== "connected") return;
    show();
    const isNews = session.turns.some((turn) => isRunning(turn) && !left.has(turn.id));
    if (use.streams > 0 || isResuming || !isNews) return;
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
  use.look.add(look);
  look();
  return () => {
    use.show.delete(show);
    use.look.delete(look);
    for (const end of ends) end();
  };
}

/** Options that no session can be made of are the chat's error, once it resumes or sends. */
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

/** Results and approvals of calls that the page gave and has not published yet stay. */
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
