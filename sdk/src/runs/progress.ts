// How far the answer of a turn has come that is given in several runs: what it has said, and which
// of its calls wait for a person. All of it is read from the log, so that another process
// goes on where the last one was.

import type { Settled } from "../agent/asking.ts";
import type { Conversation } from "../agent/conversation.ts";
import type { AgentTurn } from "../agent/turn.ts";
import { Answers } from "../answer/answers.ts";
import { fieldsOf } from "../answer/fields.ts";
import { callFieldsIn } from "../answer/reading.ts";
import { responded } from "../answer/settled.ts";
import { type Message, questionId, short, TOOL_APPROVAL, TOOL_OUTPUT } from "../protocol/index.ts";

/** Characters of an approval's title and description (P14). */
export const MOST_TITLE = 256;
const MOST_DESCRIPTION = 4096;

/** A call that waits for a person. */
export interface Asked {
  /** The id of its question. */
  id: string;
  call: { toolCallId: string; toolName: string; input: unknown };
  /** Why it needs approval, if that was said. */
  description: { description?: string };
  /** The messages that ask, and that have its input. */
  request: Message;
  input: Message;
}

export interface Progress {
  /** The conversation, with what whole runs have said. */
  said: Conversation;
  /** The number of the next run. */
  round: number;
  asks: Asked[];
  /** Whether the last run has left nothing to go on with. */
  isOver: boolean;
}

/** Finds out how far a turn has come. */
export function progressOf(held: Conversation, turn: string): Progress {
  const isOwn = (message: Message) => message.turn === turn;
  // Each run begins with one. The last one may have broken off, and is run again.
  const runs = held.filter((it) => isOwn(it) && it.name === "response");
  const broken = runs.find(({ data }) => fieldsOf(data).state !== "finished")?.serial;
  const isSaid = (it: Message) => !isOwn(it) || broken === undefined || it.serial < broken;
  const said = Object.assign(held.filter(isSaid), { turns: held.turns }) as Conversation;
  const answers = Answers.of({ messages: said, turns: said.turns });
  const own = said.filter(isOwn);
  const serialOf = (message: Message) => answers.call(message)?.input.serial;
  const done = new Set(own.filter(({ name }) => name === TOOL_OUTPUT).map(serialOf));
  const requests = own.filter((it) => it.name === TOOL_APPROVAL && !done.has(serialOf(it)));
  const asks = requests.flatMap((request) => {
    const input = answers.call(request)?.input;
    const { approved, reason } = fieldsOf(answers.value(request));
    if (!input || approved !== undefined) return [];
    const { toolCallId, toolName } = callFieldsIn(answers.headers(input));
    const call = { toolCallId, toolName, input: answers.value(input) } as Asked["call"];
    const isSaid = typeof reason === "string";
    const description = isSaid ? { description: short(reason, MOST_DESCRIPTION) } : {};
    return [{ id: questionId(request.serial), call, description, request, input }];
  });
  const round = runs.filter(({ serial }) => serial !== broken).length + 1;
  return { said, round, asks, isOver: round > 1 && requests.length === 0 };
}

/** Says in the turn what was decided on a call, and with which input. */
export async function respond(
  { host }: AgentTurn,
  { id, request, input }: Asked,
  settled: Settled,
  mayEdit: boolean,
): Promise<void> {
  const { status, approval, comment } = settled;
  const { inputSchemaInput, ...asked } = fieldsOf(request.data);
  const isEdited = status === "approved" && mayEdit && approval.answer !== undefined;
  if (isEdited) {
    const { serial } = input;
    await host.ask({ type: "update", id: `${id}:input`, serial, data: approval.answer });
  }
  // An edited input was not made of the same.
  const kept = isEdited ? asked : fieldsOf(request.data);
  const data = responded(kept, { status, ...(comment !== undefined && { comment }) });
  const headers = { ...request.headers, state: "responded" };
  await host.ask({ type: "update", id: `${id}:said`, serial: request.serial, data, headers });
}
