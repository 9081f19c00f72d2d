// Forks of a session (P11.6).

/** The answer to a fork. */
export interface Forked {
  /** The new session. */
  session: string;
  /** `forking` while it is being made. */
  state: "whole" | "forking";
  forkedFrom: ForkedFrom;
}

/** Where a fork comes from: its source, and the place up to which it has that one's log. */
export interface ForkedFrom {
  session: string;
  serial: string;
}
