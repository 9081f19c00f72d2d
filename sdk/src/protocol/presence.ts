// Presence: the members of a session (P7).

/** A member: one connection that announced itself (P7.1). */
export interface Member {
  client: string;
  /** The client's display name, from its token. */
  name?: string;
  connection: string;
  /** The client's role, from its token. */
  role: "viewer" | "user" | "agent" | "supervisor" | "admin";
  /** The data that the member tells of itself. */
  data?: unknown;
  since: number;
}

/** A list of members; where there are more than 200 it does not hold all (P7.3). */
export interface MemberList {
  presence?: Member[];
  /** How many there are, where the list does not hold all. */
  presenceCount?: number;
}
