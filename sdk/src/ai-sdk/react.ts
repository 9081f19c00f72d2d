// `sessile/ai-sdk/react`: `useChat` on a session, complete: it follows other devices, continues the
// answer in progress, and `stop` stops.

import { type UseChatHelpers, type UseChatOptions, useChat } from "@ai-sdk/react";
import type { ChatInit, UIMessage } from "ai";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Session } from "../client/session.ts";
import { PageCalls } from "./calls.ts";
import { followChat } from "./follow.ts";
import {
  SessileChatTransport,
  type SessileChatTransportOptions,
  type ToolDecision,
  type ToolResult,
} from "./transport.ts";

/** The options of `useChat`, and the session's address, or a transport that has it. */
export type UseSessileChatOptions<M extends UIMessage = UIMessage> = Omit<
  ChatInit<M>,
  "id" | "transport"
> &
  // `throttle` has another name in @ai-sdk/react 3.
  Pick<UseChatOptions<M>, keyof UseChatOptions<M> & `${string}throttle`> & {
    /** The chat's id, which is also its session's. */
    id: string;
  } & ({ transport: SessileChatTransport<M> } | SessileChatTransportOptions);

/**
 * The helpers of `useChat`. `stop` ends the answer on all devices (P6.5), so that the button of any
 * component does what it says. `addToolApprovalResponse` and `addToolOutput` tell the session at
 * once where one of its turns waits for that (P8). `onToolCall` is called on one device for each
 * call that a turn leaves to a device, also after a reload; for other calls as ever, but once it is
 * known that they are others. Unmounting and switching to another chat only detach. Another `url`,
 * `session` or `transport` makes another transport, but a function as `session` may be written in
 * the component; the session's other options are read once.
 */
export function useSessileChat<M extends UIMessage = UIMessage>(
  options: UseSessileChatOptions<M>,
): UseChatHelpers<M> {
  const { id, onError } = options;
  const transport = useTransport(options);
  // `followChat` resumes when there is an answer; a resume without one would make `useChat` call a
  // message sent meanwhile done.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each chat has its own
  const calls = useMemo(() => new PageCalls<M>(), [transport, id]);
  const onToolCall = useRef(options.onToolCall);
  onToolCall.current = options.onToolCall;
  const hears = onToolCall.current && { onToolCall: calls.hear };
  const chat = useChat<M>({ ...options, ...hears, resume: false, transport });
  const { setMessages, resumeStream, stop: letGo } = chat;
  const { addToolApprovalResponse: respond, addToolOutput: addOutput } = chat;
  useEffect(
    () => followChat(transport, id, { setMessages, resumeStream }),
    [transport, id, setMessages, resumeStream],
  );
  const hasTools = Boolean(hears);
  useEffect(() => {
    if (!hasTools) return undefined;
    try {
      return calls.run(transport.use(id).session, (heard) => onToolCall.current?.(heard));
    } catch {
      // Options that are wrong: `followChat` says so.
      return undefined;
    }
  }, [calls, hasTools, transport, id]);
  const report = useRef(onError);
  report.current = onError;
  const stop = useCallback(() => {
    // Not awaited: a page that is offline has stopped here, and the others learn of it later.
    transport.cancel(id).catch((error) => (report.current ?? console.warn)(error));
    return letGo();
  }, [transport, id, letGo]);
  const or = useCallback(async (told: Promise<boolean>, otherwise: () => unknown) => {
    try {
      if (!(await told)) await otherwise();
    } catch (error) {
      (report.current ?? console.warn)(error as Error);
    }
  }, []);
  const addToolApprovalResponse: typeof respond = useCallback(
    (response) => or(transport.decide(id, response as ToolDecision), () => respond(response)),
    [transport, id, respond, or],
  );
  const addToolOutput: typeof addOutput = useCallback(
    (result) => or(transport.settle(id, result as ToolResult), () => addOutput(result)),
    [transport, id, addOutput, or],
  );
  return { ...chat, stop, addToolApprovalResponse, addToolOutput };
}

/** The given transport, or one that lives as long as the component. */
function useTransport<M extends UIMessage>(
  options: UseSessileChatOptions<M>,
): SessileChatTransport<M> {
  const given = "transport" in options ? options.transport : undefined;
  const session = "session" in options ? options.session : undefined;
  const where = session ?? ("url" in options ? options.url : undefined);
  // A function written in the component differs each time: the newest is called.
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
