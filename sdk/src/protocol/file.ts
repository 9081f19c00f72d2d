// Files (P11.7).

/** A file of a session. */
export interface SessionFile {
  id: string;
  name: string;
  /** Its media type. */
  type: string;
  bytes: number;
  /** The client that uploaded it. */
  client: string;
  createdAt: number;
  /** Its address, which needs no header until `urlExpiresAt`. Keep the id, not this. */
  url: string;
  /** Absent where the deployment signs no addresses: then `url` needs a token. */
  urlExpiresAt?: number;
}
