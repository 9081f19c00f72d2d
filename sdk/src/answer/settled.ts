// Messages of an answer with what was settled of their questions and is not said in the log yet.

import { type Approval, type Message, questionId, TOOL_APPROVAL } from "../protocol/index.ts";
import { fieldsOf, present } from "./fields.ts";

/** The same list where nothing is different. */
export function withSettled<M extends Message>(
  messages: readonly M[],
  questions: ReadonlyMap<string, Approval>,
): readonly M[] {
  let isSame = true;
  const settled = messages.map((message) => {
    const { name, turn, serial, data } = message;
    const approval = name === TOOL_APPROVAL && turn && questions.get(questionId(serial));
    const said = fieldsOf(data);
    if (!approval || approval.status === "pending" || said.approved !== undefined) return message;
    isSame = false;
    return { ...message, data: responded(said, approval) };
  });
  return isSame ? messages : settled;
}

/** The data of a request with its response, as the codec of the AI SDK's stream has it. */
export function responded(
  { reason: requestReason, ...said }: Record<string, unknown>,
  { status, comment }: Pick<Approval, "status" | "comment">,
): Record<string, unknown> {
  const approved = status === "approved";
  // The deadline, and an agent that takes its question back, give no reason of their own.
  const reason = comment ?? (approved || status === "rejected" ? undefined : status);
  return present({ ...said, requestReason, approved, reason });
}
