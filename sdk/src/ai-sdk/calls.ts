// The tools of a page: `onToolCall` runs each call of a session's turn on one device, once.

import type { ChatInit, UIMessage } from "ai";
import { callFieldsIn } from "../answer/reading.ts";
import { type Question, questionsOf } from "../client/questions.ts";
import type { Session } from "../client/session.ts";
import { isOpen, type Message, questionId, TOOL_OUTPUT, type ToolCall } from "../protocol/index.ts";
import { inputOf } from "./publish.ts";

type OnToolCall<M extends UIMessage> = NonNullable<ChatInit<M>["onToolCall"]>;
type Heard<M extends UIMessage> = Parameters<OnToolCall<M>>[0];

/** How long a call is left to the page that asked, before another one runs it. */
const ELSEWHERE_MS = 500;

export class PageCalls<M extends UIMessage> {
  /** Calls in streams, until it is known who makes them. */
  readonly #heard = new Map<string, Heard<M>>();
  /** Calls of the session that this page has tried to get. */
  readonly #tried = new Set<string>();
  /** Calls of the session that were left to another page. */
  readonly #left = new Set<string>();

  /** Takes a call that a stream tells of. */
  readonly hear = (heard: Heard<M>): void => {
    this.#heard.set(heard.toolCall.toolCallId, heard);
  };

  /** Runs the calls that are this page's, from now on; the result ends that. */
  run(session: Session, call: OnToolCall<M>): () => void {
    const questions = questionsOf(session);
    let isOver = false;
    const look = () => {
      if (isOver) return;
      this.#hearAll(session, call);
      for (const question of questions.value.values()) this.#try(session, question, call, look);
    };
    const off = session.subscribe(look);
    look();
    return () => {
      isOver = true;
      off();
    };
  }

  /** Runs a call of the session, if nobody does and this page gets it. */
  async #try(session: Session, question: Question, call: OnToolCall<M>, again: () => void) {
    if ("title" in question || question.status !== "pending" || question.claim) return;
    const { id, name: toolName, input } = question;
    const said = session.log.find(({ serial }) => questionId(serial) === id);
    if (!said || this.#tried.has(id)) return;
    if (!this.#left.has(id) && isElsewhere(session, question)) {
      this.#left.add(id);
      setTimeout(again, ELSEWHERE_MS);
      return;
    }
    this.#tried.add(id);
    const isOurs = await questionsOf(session).claim(id);
    // Another page has it: it may be left again.
    const now = questionsOf(session).value.get(id);
    if (!isOurs && now && "claim" in now) this.#tried.delete(id);
    const { toolCallId, dynamic } = callFieldsIn(said.headers ?? {});
    const toolCall = { type: "tool-input-available", toolCallId, toolName, input, dynamic };
    if (isOurs) call({ toolCall } as Heard<M>);
  }

  /** A call in a stream is the page's own if its turn has ended without it; others were made. */
  #hearAll(session: Session, call: OnToolCall<M>): void {
    const { log, turns } = session;
    for (const [toolCallId, heard] of this.#heard) {
      const input = inputOf(log, toolCallId);
      const isOf = (it: Message) =>
        it.turn === input?.turn && it.headers?.toolCallId === toolCallId;
      const isMade = log.some((it) => it.name === TOOL_OUTPUT && isOf(it));
      const isSession = input && questionsOf(session).value.has(questionId(input.serial));
      const goesOn = turns.some((turn) => turn.id === input?.turn && isOpen(turn));
      if (goesOn && !isMade && !isSession) continue;
      this.#heard.delete(toolCallId);
      if (!isSession) call(heard);
    }
  }
}

/** Whether the message that a call's turn answers came from another page. */
function isElsewhere({ log, turns, link }: Session, { turn }: ToolCall): boolean {
  const input = turns.find(({ id }) => id === turn)?.input;
  const { connection } = log.find(({ serial }) => serial === input) ?? {};
  return connection !== link.attached?.connection;
}
