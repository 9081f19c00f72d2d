// The tools of a page: `onToolCall` runs each call of a session's turn on one device, once.

import type { ChatInit, UIMessage } from "ai";
import { callFieldsIn } from "../answer/reading.ts";
import { askingsOf, claimCalls } from "../client/askings.ts";
import type { Session } from "../client/session.ts";
import { askingId, isOpen, type Message, TOOL_OUTPUT } from "../protocol/index.ts";
import { inputOf } from "./publish.ts";

type OnToolCall<M extends UIMessage> = NonNullable<ChatInit<M>["onToolCall"]>;
type Heard<M extends UIMessage> = Parameters<OnToolCall<M>>[0];

export class PageCalls<M extends UIMessage> {
  /** Calls in streams, until it is known who makes them. */
  readonly #heard = new Map<string, Heard<M>>();
  /** Calls of the session that this page has tried to get. */
  readonly #tried = new Set<string>();

  /** Takes a call that a stream tells of. */
  readonly hear = (heard: Heard<M>): void => {
    this.#heard.set(heard.toolCall.toolCallId, heard);
  };

  /** Runs the calls that are this page's, from now on; the result ends that. */
  run(session: Session, call: OnToolCall<M>): () => void {
    const ends = [
      session.subscribe(() => this.#hearAll(session, call)),
      claimCalls(session, this.#tried, ({ name: toolName, input }, { headers = {} }) => {
        const { toolCallId, dynamic } = callFieldsIn(headers);
        const toolCall = { type: "tool-input-available", toolCallId, toolName, input, dynamic };
        call({ toolCall } as Heard<M>);
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** A call in a stream is the page's own if its turn has ended without it; others were made. */
  #hearAll(session: Session, call: OnToolCall<M>): void {
    const { log, turns } = session;
    for (const [toolCallId, heard] of this.#heard) {
      const input = inputOf(log, toolCallId);
      const isOf = (it: Message) =>
        it.turn === input?.turn && it.headers?.toolCallId === toolCallId;
      const isMade = log.some((it) => it.name === TOOL_OUTPUT && isOf(it));
      const isSession = input && askingsOf(session).value.has(askingId(input.serial));
      const goesOn = turns.some((turn) => turn.id === input?.turn && isOpen(turn));
      if (goesOn && !isMade && !isSession) continue;
      this.#heard.delete(toolCallId);
      if (!isSession) call(heard);
    }
  }
}
