// Names of messages and headers shared by writers and readers of an answer.

/** Asks for another answer to its parent. Nothing follows it. */
export const AGAIN = "regenerate";
/** An instruction to a running turn (P6.7). */
export const STEER = "steer";
/** The outcome of a call, also of one that the page made itself. */
export const TOOL_OUTPUT = "tool-output";
/** Asks for approval of a call, or gives it. */
export const TOOL_APPROVAL = "tool-approval";
/** Headers of another message that are too long for one; its header `of` is that message's id. */
export const NOTES = "notes";

/**
 * A header that names the message of which this is another version, where `parent` cannot: of the
 * first message. Only from the author of both, since the newest version hides the others.
 */
export const EDITS = "sessile-edits";
/** A header of a page's message about a call: the serial of the call's message. */
export const CALL = "call";
/** A header of such a message: the answer to which the call belongs. */
export const ANSWER = "answer";
/** A header of such a message: more follow in the same publish, and it is no input. */
export const MORE = "more";
/** A header: `data` is the JSON text of a value larger than a frame. */
export const ENCODING = "encoding";
/** A header of a request: the id of the approval that decided on it (P8). */
export const DECIDED = "decided";

/** The id of the asking (P8) that a message of a turn, by its serial, puts to somebody. */
export function askingId(serial: string): string {
  return `tool-${serial}`;
}
