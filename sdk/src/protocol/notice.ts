// Notices for a client that is away (P10.2).

/** A button of a notice. */
export interface NoticeAction {
  /** `approve`, `reject`, or the id of an option of a question. */
  action: string;
  title: string;
}

/** A notice as a device's application gets it: as the data of a push. */
export interface Notice {
  /** Its cause: `turn.end`, `approval.request`, `notify`. */
  type: string;
  id?: string;
  title: string;
  body?: string;
  session: string;
  /** The session's address, which is no page. */
  url?: string;
  /** When it happened, in milliseconds since 1970. */
  at?: number;
  /** For the end of a turn: which it is, and how it ended. */
  turn?: string;
  status?: "complete" | "cancelled" | "failed";
  /** For an approval: which it is, and whether it is a `question`. */
  approval?: string;
  kind?: "approval" | "question";
  /** The application's own data. */
  data?: unknown;
  actions?: readonly NoticeAction[];
  /** The address that takes the decision of a button, and the token that is good for it alone. */
  decide?: { url: string; token: string };
  /** One notification is shown for each tag. */
  tag?: string;
}

/** Tells a client that is away, on its devices (P10.2). */
export interface NotifyFrame {
  type: "notify";
  client: string;
  title: string;
  body?: string;
  /** The application's own. */
  data?: unknown;
  id?: string;
}
