// Names of messages and headers on which those agree who write an answer and those who read it.

/** Asks for another answer to its parent. Nothing follows it. */
export const AGAIN = "regenerate";
/** An instruction to a running turn (P6.7). */
export const STEER = "steer";
/** Says what came of a call, also of one that the page made itself. */
export const TOOL_OUTPUT = "tool-output";
/** Asks whether a call may be made, or says so. */
export const TOOL_APPROVAL = "tool-approval";
/** Holds headers of another message that are too long for one; its header `of` is that one's id. */
export const NOTES = "notes";

/**
 * A header that says of which message a message is another version, where `parent` cannot: of the
 * first. Only from the author of both, since the newest version hides the others.
 */
export const EDITS = "sessile-edits";
/** A header of what a page says of a call: the serial of the call's message. */
export const CALL = "call";
/** The same: the answer to which the call belongs. */
export const ANSWER = "answer";
/** The same: there is more in the same publish, and it is no input. */
export const MORE = "more";
/** A header that says that `data` is the JSON text of a value which is larger than a frame. */
export const ENCODING = "encoding";
