// The progress of an answer that a turn gives in several runs: what was said, and which calls wait
// for a person or a device. All of it is read from the log, so another process goes on where the
// last one was.

import { CallError, type Settled } from "../agent/asking.ts";
import type { Conversation } from "../agent/conversation.ts";
import type { AgentTurn } from "../agent/turn.ts";
import { Answers } from "../answer/answers.ts";
import { fieldsOf } from "../answer/fields.ts";
import { callFieldsIn } from "../answer/reading.ts";
import { responded } from "../answer/settled.ts";
import {
  askingId,
  CALL,
  DECIDED,
  type Message,
  short,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
} from "../protocol/index.ts";

/** Characters of an approval's title and description (P14). */
export const MOST_TITLE = 256;
const MOST_DESCRIPTION = 4096;

/** A call that somebody else makes, or allows. */
export interface LeftCall {
  toolCallId: string;
  toolName: string;
  input: unknown;
}

/** A call that waits for a device. */
export interface Left {
  /** The id of its asking. */
  id: string;
  call: LeftCall;
  /** The message that has its input. */
  input: Message;
}

/** A call that waits for a person. */
export interface Asked extends Left {
  /** Why it needs approval, if that was said. */
  description: { description?: string };
  /** The message that asks. */
  request: Message;
}

export interface Progress {
  /** The conversation, with what whole runs have said. */
  said: Conversation;
  /** The number of the next run. */
  round: number;
  asks: Asked[];
  left: Left[];
  /** Whether the last run has left nothing to go on with. */
  isOver: boolean;
}

/** Reads the progress of a turn. */
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
  const outputs = own.filter(({ name }) => name === TOOL_OUTPUT);
  const done = new Set(outputs.map(serialOf));
  const requests = own.filter((it) => it.name === TOOL_APPROVAL && !done.has(serialOf(it)));
  const isAsked = new Set(requests.map(serialOf));
  const callOf = (message: Message): LeftCall => {
    const { toolCallId, toolName } = callFieldsIn(answers.headers(message));
    return { toolCallId, toolName, input: answers.value(message) } as LeftCall;
  };
  const asks = requests.flatMap((request) => {
    const input = answers.call(request)?.input;
    const { approved, reason } = fieldsOf(answers.value(request));
    if (!input || approved !== undefined) return [];
    const why = typeof reason === "string" && { description: short(reason, MOST_DESCRIPTION) };
    const id = askingId(request.serial);
    return [{ id, call: callOf(input), description: { ...why }, request, input }];
  });
  // Where a run says itself which calls it leaves, it may make others later.
  const { outcome } = fieldsOf(runs.findLast(({ serial }) => serial !== broken)?.data);
  const { interrupts } = fieldsOf(outcome);
  const isListed = (it: Message) =>
    !Array.isArray(interrupts) ||
    interrupts.some((one) => fieldsOf(one).toolCallId === it.headers?.toolCallId);
  const isLeft = (it: Message) =>
    it.name === "tool-input" &&
    !(done.has(it.serial) || isAsked.has(it.serial) || answers.isBrokenOff(it)) &&
    isListed(it) &&
    !answers.fields(it).providerExecuted;
  const left = own
    .filter(isLeft)
    .map((input) => ({ id: askingId(input.serial), call: callOf(input), input }));
  const whole = runs.filter(({ serial }) => serial !== broken);
  const last = whole.at(-1)?.serial ?? "";
  // An output that names its call is a device's.
  const made = outputs.filter(({ headers }) => headers?.[CALL] !== undefined);
  const isOver = last !== "" && ![...requests, ...made].some(({ serial }) => serial > last);
  return { said, round: whole.length + 1, asks, left, isOver };
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
  // `inputSchemaInput` belongs to the input before the edit.
  const kept = isEdited ? asked : fieldsOf(request.data);
  const data = responded(kept, { status, ...(comment !== undefined && { comment }) });
  const headers = { ...request.headers, state: "responded", [DECIDED]: id };
  await host.ask({ type: "update", id: `${id}:said`, serial: request.serial, data, headers });
}

/** Says in the turn how a call on a device ended. */
export async function tell(turn: AgentTurn, { id, call, input }: Left, made: Promise<unknown>) {
  const output = await made.catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error;
    return error;
  });
  const isError = output instanceof CallError;
  const data = isError ? (output.call.error ?? `the call is ${output.call.status}`) : output;
  const { toolCallId, toolName } = call;
  const state = isError ? "error" : "available";
  const headers = { toolCallId, toolName, [CALL]: input.serial, state };
  await turn.message(data ?? null, {
    id: `${id}:output`,
    name: TOOL_OUTPUT,
    role: "tool",
    headers,
  });
}
