// What a page says: a message, the wish for another answer, or what came of calls that the page made
// itself. It gives the serial of what is to be answered.

import type { ChatTransport, UIMessage } from "ai";
import type { Session } from "../client/session.ts";
import { headersOf, notesIn } from "../protocol/answer.ts";
import type { Message, NewMessage } from "../protocol/index.ts";
import { ANSWER, Answers, CALL, MORE, TOOL_APPROVAL, TOOL_OUTPUT } from "./answer.ts";
import { fieldsOf, present, toData, UI_ID } from "./output.ts";

/** The name of the message that asks for another answer; its `parent` is what is answered. */
export const REGENERATE = "regenerate";

/** Longer ids are found by the serial of their call alone. */
const MOST_ID = 400;

export type Send<M extends UIMessage> = Parameters<ChatTransport<M>["sendMessages"]>[0];

export interface Published {
  /** The serial of what is to be answered; none if there was nothing to say. */
  input: string | undefined;
  /** The answer that goes on, where it is not a new one. */
  answer?: string;
}

/** Publishes what the page did. */
export async function publish<M extends UIMessage>(
  session: Session,
  { trigger, messageId, messages }: Send<M>,
): Promise<Published> {
  const last = messages.at(-1);
  if (last?.role === "assistant" && trigger === "submit-message") {
    return publishResults(session, last);
  }
  const input = session.log.findLast(
    ({ id, serial, headers }) => last && [headers?.[UI_ID], id, serial].includes(last.id),
  )?.serial;
  if (messageId && last && input && trigger === "submit-message") {
    const headers = { [UI_ID]: last.id };
    return { input: (await session.edit(input, toData(last), { headers })).serial };
  }
  // What is there already is answered once more.
  if (input || !last) {
    const options = { name: REGENERATE, ...(input && { parent: input }) };
    const { serial } = await session.send(messageId ?? null, options);
    return { input: input ?? serial };
  }
  // It may wait since an attempt that failed.
  session.discard(last.id);
  return { input: (await session.send(toData(last), { id: last.id })).serial };
}

/** Publishes what came of calls, all or nothing, if the session does not know it. */
async function publishResults(session: Session, shown: UIMessage): Promise<Published> {
  const { log, turns, link } = session;
  const answers = Answers.of({ messages: log, turns });
  const answer = answers.ofTurn.get(shown.id) ?? shown.id;
  const said = (answers.messages.get(answer) ?? []).filter(({ deletedAt }) => !deletedAt);
  const results = resultsOf(said, answer, shown);
  const last = results.at(-1);
  if (!last) return { input: said.findLast(({ turn }) => !turn)?.serial, answer };
  const parent = said.at(-1)?.serial;
  const messages = results.map((result, index) => ({
    ...result,
    // Those after the first follow it by themselves.
    ...(index === 0 && parent && { parent }),
    ...(result !== last && { wake: false, headers: { ...result.headers, [MORE]: "true" } }),
  }));
  const placed = await link.request({ type: "publish", messages });
  return { input: placed.messages.at(-1)?.serial, answer };
}

/** What a chat says of calls of an answer of which nothing is known. */
function resultsOf(said: readonly Message[], answer: string, { parts }: UIMessage): NewMessage[] {
  const notes = notesIn(said);
  const calls = new Map<string, string>();
  const results = new Map<string, NewMessage>();
  const put = (name: string, toolCallId: string, data: unknown, state?: string) => {
    const call = calls.get(toolCallId) ?? "";
    const known = toolCallId.length <= MOST_ID ? { toolCallId } : {};
    const headers = { [CALL]: call, [ANSWER]: answer, ...known, ...(state && { state }) };
    results.set(`${name} ${call}`, { id: `${name}:${call}`, name, data, headers });
  };
  for (const message of said) {
    const { name, serial } = message;
    const headers = headersOf(message, notes);
    const { toolCallId = "", [CALL]: call = calls.get(toolCallId) } = headers;
    const isIt = (part: object) => fieldsOf(part).toolCallId === toolCallId;
    const part = fieldsOf(parts.findLast(isIt));
    if (name === "tool-input") {
      calls.set(toolCallId, serial);
      const state = /^output-(available|error)$/.exec(String(part.state))?.[1];
      const data = state === "error" ? part.errorText : part.output;
      if (state && headers.state !== "error") put(TOOL_OUTPUT, toolCallId, data ?? null, state);
    } else if (name === TOOL_OUTPUT) results.delete(`${name} ${call}`);
    else if (name === TOOL_APPROVAL) {
      const { id, approved, reason } = fieldsOf(part.approval);
      const isOpen = message.turn && fieldsOf(message.data).approved === undefined;
      const isAnswered = id === fieldsOf(message.data).approvalId && approved !== undefined;
      const data = present({ approvalId: id, approved, reason });
      if (isOpen && isAnswered) put(TOOL_APPROVAL, toolCallId, data, "responded");
      else results.delete(`${name} ${call}`);
    }
  }
  return [...results.values()];
}
