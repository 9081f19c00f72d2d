// Messages of an answer with what came of their askings and is not said in the log yet.

import {
  type Approval,
  askingId,
  CALL,
  DECIDED,
  type Message,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
  type ToolCall,
  type Turn,
} from "../protocol/index.ts";
import { fieldsOf, present } from "./fields.ts";

/** The same list where nothing is different. */
export function withSettled<M extends Message>(
  messages: readonly M[],
  askings: ReadonlyMap<string, Approval | ToolCall>,
): readonly M[] {
  const said = new Set(messages.map(({ headers }) => headers?.[CALL]));
  let isSame = true;
  const settled = messages.flatMap((message) => {
    const { turn, serial, data, name } = message;
    const asking = turn && askings.get(askingId(serial));
    if (!asking || asking.status === "pending") return [message];
    if ("title" in asking) {
      const isSaid = name !== TOOL_APPROVAL || fieldsOf(data).approved !== undefined;
      if (isSaid) return [message];
      isSame = false;
      const headers = { ...message.headers, [DECIDED]: asking.id };
      return [{ ...message, headers, data: responded(fieldsOf(data), asking) }];
    }
    if (said.has(serial)) return [message];
    isSame = false;
    return [message, outputOf(message, asking)];
  });
  return isSame ? messages : settled;
}

/** The message that says what came of a call on a device. */
function outputOf<M extends Message>(input: M, call: ToolCall): M {
  const { serial, headers } = input;
  const { isError, data } = madeOf(call);
  const more = { [CALL]: serial, state: isError ? "error" : "available" };
  const { toolCallId = "" } = headers ?? {};
  const said = { name: TOOL_OUTPUT, role: "tool", data, status: "complete" };
  return { ...input, ...said, serial: `${serial}~`, headers: { toolCallId, ...more } };
}

/** The output of a call, or why it has none. */
export function madeOf({ status, output, error }: ToolCall): { isError: boolean; data: unknown } {
  const isError = status !== "complete";
  return { isError, data: (isError ? (error ?? `the call is ${status}`) : output) ?? null };
}

/** The data of a request with its response, as the codec of the AI SDK's stream has it. */
export function responded(
  { reason: requestReason, ...said }: Record<string, unknown>,
  { status, comment }: Pick<Approval, "status" | "comment">,
): Record<string, unknown> {
  const approved = status === "approved";
  // The deadline, and an agent that takes its asking back, give no reason of their own.
  const reason = comment ?? (approved || status === "rejected" ? undefined : status);
  return present({ ...said, requestReason, approved, reason });
}

/**
 * Whether a turn has said all that it can before somebody answers what it asks, and an agent goes
 * on with that (P8.4).
 */
export function isWaiting({ id, status }: Turn, messages: readonly Message[]): boolean {
  if (status !== "suspended" && status !== "queued") return false;
  const last = messages.findLast(({ name, turn }) => name === "response" && turn === id);
  return fieldsOf(last?.data).state === "finished";
}
