// The bounds of an inbox (docs/bounds.md, docs/decisions/0014).

/** Items that wait. */
export const INBOX_OPEN = 10_000;
/** Tellings a second that one takes: an estimate. */
export const INBOX_TELLINGS = 300;
