// Publishing for a page: a message, the request for another answer, or outcomes of calls that the
// page made itself. Returns the serial to be answered.

import type { ChatTransport, UIMessage } from "ai";
import { Answers } from "../answer/answers.ts";
import { fieldsOf, present } from "../answer/fields.ts";
import { headersOf, notesIn } from "../answer/reading.ts";
import { askingsOf } from "../client/askings.ts";
import { branchesOf } from "../client/branches.ts";
import type { Session } from "../client/session.ts";
import {
  AGAIN,
  ANSWER,
  CALL,
  isOpen,
  type Message,
  MORE,
  type NewMessage,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
  type Turn,
} from "../protocol/index.ts";
import { toData, UI_ID } from "./output.ts";

/** Longer ids are found by the serial of their call only. */
const MOST_ID = 400;

export type Send<M extends UIMessage> = Parameters<ChatTransport<M>["sendMessages"]>[0];

export interface Published {
  /** The serial to be answered; none if there was nothing to publish. */
  input: string | undefined;
  /** The answer that continues, unless it is a new one. */
  answer?: string;
  /** The turn that goes on, where that waited for just this. */
  turn?: Turn;
}

/** Publishes the page's news. */
export async function publish<M extends UIMessage>(
  session: Session,
  { trigger, messageId, messages }: Send<M>,
): Promise<Published> {
  const last = messages.at(-1);
  if (last?.role === "assistant" && trigger === "submit-message") {
    return publishResults(session, last);
  }
  const said = session.log.filter(
    ({ id, serial, headers }) => last && [headers?.[UI_ID], id, serial].includes(last.id),
  );
  // Another client's message may have the same id.
  const own = said.findLast(({ client }) => client === session.client);
  const input = (own ?? said.at(-1))?.serial;
  if (messageId && last && input && trigger === "submit-message") {
    const headers = { [UI_ID]: last.id };
    return { input: (await branchesOf(session).edit(input, toData(last), { headers })).serial };
  }
  // An input that is there already is answered once more.
  if (input || !last) {
    const options = { name: AGAIN, ...(input && { parent: input }) };
    const { serial } = await branchesOf(session).send(messageId ?? null, options);
    return { input: input ?? serial };
  }
  // It may wait since a failed attempt.
  session.discard(last.id);
  return { input: (await branchesOf(session).send(toData(last), { id: last.id })).serial };
}

/**
 * Says what came of calls, unless the session has it: answers what a turn waits for, and publishes
 * the rest, all or nothing.
 */
async function publishResults(session: Session, shown: UIMessage): Promise<Published> {
  const { log, turns, link } = session;
  const answers = Answers.following(session, { messages: log, turns });
  const answer = answers.ofTurn.get(shown.id) ?? shown.id;
  const said = (answers.messages.get(answer) ?? []).filter(({ deletedAt }) => !deletedAt);
  const askings = askingsOf(session);
  const results: NewMessage[] = [];
  for (const { asks, result } of resultsOf(said, answer, shown)) {
    const { name, data, headers } = result;
    const { approved, reason } = fieldsOf(data) as { approved: boolean; reason?: string };
    const made = headers?.state === "error" ? { error: data } : { output: data };
    const isTaken =
      name === TOOL_APPROVAL
        ? await askings.decide(asks, approved, reason)
        : await askings.settle(asks, made);
    if (!isTaken) results.push(result);
  }
  const last = results.at(-1);
  const turn = session.turns.findLast(({ id }) => (answers.ofTurn.get(id) ?? id) === answer);
  const goesOn = turn && isOpen(turn) && { turn };
  if (!last) return { input: said.findLast(({ turn }) => !turn)?.serial, answer, ...goesOn };
  const parent = said.at(-1)?.serial;
  const messages = results.map((result, index) => ({
    ...result,
    // The messages after the first follow it by themselves.
    ...(index === 0 && parent && { parent }),
    ...(result !== last && { wake: false, headers: { ...result.headers, [MORE]: "true" } }),
  }));
  const placed = await link.request({ type: "publish", messages });
  return { input: placed.messages.at(-1)?.serial, answer };
}

/** A result, and the message that asks for it. */
interface Result {
  asks: Message;
  result: NewMessage;
}

/** A chat's results for calls of an answer whose outcome is unknown. */
function resultsOf(said: readonly Message[], answer: string, { parts }: UIMessage): Result[] {
  const notes = notesIn(said);
  /** The latest call of each id, and its part: calls stand in the order of their parts. */
  const calls = new Map<string, { call: string; part: Record<string, unknown> }>();
  const results = new Map<string, Result>();
  let at = -1;
  for (const message of said) {
    const { name, serial, turn, data } = message;
    const headers = headersOf(message, notes);
    const { toolCallId = "" } = headers;
    if (name === "tool-input") {
      const isIt = (part: object, index: number) =>
        index > at && fieldsOf(part).toolCallId === toolCallId;
      const index = parts.findIndex(isIt);
      if (index >= 0) at = index;
      calls.set(toolCallId, { call: serial, part: fieldsOf(parts[index]) });
    }
    const { call = "", part = {} } = calls.get(toolCallId) ?? {};
    const known = toolCallId.length <= MOST_ID ? { toolCallId } : {};
    const put = (as: string, found: unknown, state: string) => {
      const more = { [CALL]: call, [ANSWER]: answer, ...known, state };
      const result = { id: `${as}:${call}`, name: as, data: found, headers: more };
      results.set(`${as} ${call}`, { asks: message, result });
    };
    const { id, approved, reason } = fieldsOf(part.approval);
    const { approvalId, approved: isAnswered } = fieldsOf(data);
    const [, state] = /^output-(available|error)$/.exec(String(part.state)) ?? [];
    if (name === "tool-input" && state && !headers.providerExecuted && headers.state !== "error") {
      put(TOOL_OUTPUT, (state === "error" ? part.errorText : part.output) ?? null, state);
    } else if (name === TOOL_OUTPUT) results.delete(`${name} ${headers[CALL] ?? call}`);
    else if (name !== TOOL_APPROVAL) continue;
    else if (turn && isAnswered === undefined && id === approvalId && approved !== undefined) {
      put(TOOL_APPROVAL, present({ approvalId, approved, reason }), "responded");
    } else results.delete(`${name} ${headers[CALL] ?? call}`);
  }
  // The approval of a call stands before its outcome.
  const isOutput = ({ result }: Result) => Number(result.name === TOOL_OUTPUT);
  return [...results.values()].sort((one, other) => isOutput(one) - isOutput(other));
}

/** The latest call of an id. */
export function inputOf(log: readonly Message[], toolCallId: string): Message | undefined {
  return log.findLast((it) => it.name === "tool-input" && it.headers?.toolCallId === toolCallId);
}
