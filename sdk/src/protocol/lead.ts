// Hand-over: a person speaks in the place of the agents (P8.8).

/** The person who leads. */
export interface Leading {
  client: string;
  name?: string;
  since: number;
  note?: string;
}

/** Which of the inputs that waited are queued for agents on return. */
export type Wake = "last" | "all" | "none";

/** Takes over. */
export interface TakeLeadFrame {
  type: "lead.take";
  /** The fate of the turns that agents have begun; they finish them unless told otherwise. */
  turns?: "finish" | "cancel";
  note?: string;
  id?: string;
}

/** Hands back. */
export interface ReturnLeadFrame {
  type: "lead.return";
  wake?: Wake;
  note?: string;
  id?: string;
}

/** A person has taken over. */
export interface LeadTakenFrame {
  type: "lead.take";
  serial: string;
  lead: Leading;
  /** The client that led until then. */
  replaced?: string;
}

/** Agents answer again. */
export interface LeadReturnedFrame {
  type: "lead.return";
  serial: string;
  lead: Leading;
  /** The client that ended it; absent where the person was lost. */
  by?: string;
  reason?: "lost";
  wake: Wake;
  note?: string;
}

/** The result of both frames: the person who leads from then on. */
export interface LeadResult {
  lead: Leading | null;
  duplicate?: boolean;
}
