// `sessile/ai-sdk/react`: `useChat` on a session, whole: other devices are followed, what is being
// said is gone on with, and `stop` stops.

import { type UseChatHelpers, type UseChatOptions, useChat } from "@ai-sdk/react";
import type { ChatInit, UIMessage } from "ai";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Session } from "../client/session.ts";
import { followChat } from "./follow.ts";
import { SessileChatTransport, type SessileChatTransportOptions } from "./transport.ts";

/** The options of `useChat`, and where the session is, or a transport that knows. */
export type UseSessileChatOptions<M extends UIMessage = UIMessage> = Omit<
  ChatInit<M>,
  "id" | "transport"
> &
  // `throttle` has another name in @ai-sdk/react 3.
  Pick<UseChatOptions<M>, keyof UseChatOptions<M> & `${string}throttle`> & {
    /** The chat's id, which is its session's. */
    id: string;
  } & ({ transport: SessileChatTransport<M> } | SessileChatTransportOptions);

/**
 * The helpers that `useChat` gives. `stop` ends the answer on all devices (P6.5), so that any
 * component that calls it does what its button says; unmounting and switching to another chat only
 * let go. Another `url`, `session` or `transport` is another one, but a function as `session`
 * may be written in the component; the other options of a session are looked at once.
 */
export function useSessileChat<M extends UIMessage = UIMessage>(
  options: UseSessileChatOptions<M>,
): UseChatHelpers<M> {
  const { id, onError } = options;
  const transport = useTransport(options);
  // `followChat` resumes where somebody answers; asked for where nobody does, `useChat` would call
  // a message that was sent meanwhile done.
  const chat = useChat<M>({ ...options, resume: false, transport });
  const { setMessages, resumeStream, stop: letGo } = chat;
  useEffect(
    () => followChat(transport, id, { setMessages, resumeStream }),
    [transport, id, setMessages, resumeStream],
  );
  const report = useRef(onError);
  report.current = onError;
  const stop = useCallback(() => {
    // Not waited for: whoever is offline has stopped here, and the others are told later.
    transport.cancel(id).catch((error) => (report.current ?? console.warn)(error));
    return letGo();
  }, [transport, id, letGo]);
  return { ...chat, stop };
}

/** The transport that was given, or one that is there as long as the component. */
function useTransport<M extends UIMessage>(
  options: UseSessileChatOptions<M>,
): SessileChatTransport<M> {
  const given = "transport" in options ? options.transport : undefined;
  const session = "session" in options ? options.session : undefined;
  const where = session ?? ("url" in options ? options.url : undefined);
  // A function that is written in the component is another one each time: the newest is called.
  const latest = useRef(session);
  latest.current = session;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the token differs each time
  const made = useMemo(() => {
    if (given) return given;
    const find = (chatId: string) => (latest.current as (chatId: string) => Session)(chatId);
    const more = typeof session === "function" ? { session: find } : {};
    return new SessileChatTransport<M>({ ...options, ...more } as SessileChatTransportOptions);
  }, [given, typeof where === "function" || where]);
  const used = useRef<SessileChatTransport<M> | undefined>(undefined);
  useEffect(() => {
    used.current = made;
    return () => {
      used.current = undefined;
      // StrictMode mounts once more at once, and keeps the socket.
      setTimeout(() => {
        if (used.current !== made && !given) made.close();
      });
    };
  }, [made, given]);
  return made;
}
